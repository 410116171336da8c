//! Makes the reading of a file hang, in a program that a test starts.

use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/common/hang.c");

/// A library for `LD_PRELOAD`, in this directory; see its source for what makes it hang.
pub(crate) fn library(directory: &Path) -> PathBuf {
    let library = directory.join("hang.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", SOURCE, "-ldl", "-o"]);
    let status = compiler.arg(&library).status().unwrap();
    assert!(status.success(), "{compiler:?}");
    library
}

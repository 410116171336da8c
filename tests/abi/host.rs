//! Builds the small core in C, and modules for it, and lets one run the other.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cc;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/abi");

/// Builds `tests/abi/host.c` with the header in this directory.
pub(crate) fn build_host(header: &Path, workshop: &Path) -> PathBuf {
    let host = workshop.join("host");
    let source = Path::new(SOURCES).join("host.c");
    build(header, &source, &host, &["-ldl"]);
    host
}

/// Builds a module in C with the header in this directory, as its author would.
pub(crate) fn build_module(header: &Path, source: &Path, workshop: &Path) -> PathBuf {
    let module = workshop.join("module.so");
    build(
        header,
        source,
        &module,
        &["-shared", "-fPIC", "-fvisibility=hidden"],
    );
    module
}

fn build(header: &Path, source: &Path, product: &Path, options: &[&str]) {
    let include = format!("-I{}", header.display());
    let files = [cc::shown(source), "-o", cc::shown(product)];
    // A header that has grown may set less in its macros than there is.
    let common = ["-std=c99", "-Wno-missing-field-initializers", &include];
    let arguments = common
        .into_iter()
        .chain(files)
        .chain(options.iter().copied());
    cc::run("cc", arguments).unwrap();
}

/// What the modules of a library say of these scans (see `host.c`), and whether all went well.
pub(crate) fn run(host: &Path, module: &Path, options: &[&str], scans: &str) -> (String, bool) {
    let mut command = Command::new(host);
    command
        .arg(module)
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // A host that refuses the module does not read to the end.
    let _ended_early = input.write_all(scans.as_bytes());
    drop(input);
    let output = child.wait_with_output().unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        output.status.success(),
    )
}

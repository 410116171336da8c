//! What our libraries and the daemon export: rustc does not promise that a symbol of a dependency is among it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::skip::{has, skip};

/// The symbols that a library or a program defines for others.
fn defined(file: &Path) -> Vec<String> {
    let output = Command::new("nm")
        .args(["-D", "--defined-only", "--format=just-symbols"])
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let symbols = String::from_utf8(output.stdout).unwrap();
    symbols.lines().map(str::to_owned).collect()
}

/// A library that was built with the tests.
fn built(name: &str) -> PathBuf {
    std::env::current_exe().unwrap().with_file_name(name)
}

#[cfg(feature = "memleak")]
#[test]
fn the_library_of_memleak_exports_its_entry_and_nothing_else() {
    if !has("nm", "binutils") {
        return;
    }
    assert_eq!(
        defined(&built("libmemleak.so")),
        ["adaptivemm_module_entry"]
    );
}

#[test]
fn the_library_of_the_example_exports_its_entry_and_nothing_else() {
    if !has("nm", "binutils") {
        return;
    }
    let library = built("libmemory_pressure.so");
    if !library.exists() {
        skip("memory-pressure is only built with the whole workspace");
        return;
    }

    assert_eq!(defined(&library), ["adaptivemm_module_entry"]);
}

#[test]
fn the_daemon_exports_no_entry() {
    if !has("nm", "binutils") {
        return;
    }
    let symbols = defined(Path::new(env!("CARGO_BIN_EXE_adaptivemmd")));

    let entries = symbols.iter().filter(|name| name.contains("adaptivemm"));
    assert_eq!(entries.collect::<Vec<_>>(), [""; 0]);
}

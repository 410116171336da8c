//! A runtime directory that is full, read-only or broken, and a kernel that refuses: then nothing is changed.

use std::fs;
use std::path::Path;

use crate::bench::{Bench, WSF};
use crate::skip::can_trace;
use crate::strace::{changed, run, traced};

/// Runs a scan in which this call on a file fails, and returns what the daemon said.
fn said(bench: &Bench, file: &Path, call: &str, error: &str) -> String {
    let inject = format!("inject={call}:error={error}");
    let trace = bench.home.path("trace");
    let options = [
        "-e",
        &inject,
        "-P",
        file.to_str().unwrap(),
        "-o",
        trace.to_str().unwrap(),
    ];

    let output = run(traced(bench, &options, &["--once"]));

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let calls = fs::read_to_string(trace).unwrap();
    assert!(calls.contains("(INJECTED)"), "{calls}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn nothing_is_changed_if_the_original_value_cannot_be_noted_and_it_says_why() {
    if !can_trace() {
        return;
    }
    let faults = [
        ("openat", "EROFS", "Read-only file system"),
        ("openat", "EACCES", "Permission denied"),
        ("write", "ENOSPC", "No space left on device"),
        ("fsync", "EIO", "Input/output error"),
        ("rename", "EROFS", "Read-only file system"),
    ];
    for (call, error, text) in faults {
        let bench = Bench::new("disk");
        let said = said(&bench, &bench.home.path("run/ledger.new"), call, error);

        assert_eq!(changed(&bench), [], "{call} {error}");

        assert!(
            said.contains(
                "vm.watermark_scale_factor = 20: failed: nothing is changed, as the original value cannot be noted"
            ),
            "{call} {error}: {said}"
        );
        assert!(said.contains(text), "{call} {error}: {said}");
        assert!(!said.contains("done, was"), "{call} {error}: {said}");
    }
}

#[test]
fn a_value_that_the_kernel_refuses_stays_as_it_was_and_all_else_is_done() {
    if !can_trace() {
        return;
    }
    let bench = Bench::new("refuses");

    let said = said(&bench, &bench.path(WSF), "write", "EINVAL");

    assert!(
        said.contains("vm.watermark_scale_factor = 20: failed: cannot write ")
            && said.contains("Invalid argument"),
        "{said}"
    );
    assert!(said.contains("compact node 0: begun"), "{said}");
    assert!(
        !said.contains("vm.watermark_scale_factor = 10: given back"),
        "{said}"
    );
    assert_eq!(changed(&bench), []);
    assert!(!bench.home.path("run/ledger.json").exists());
}

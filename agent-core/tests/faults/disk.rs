//! A runtime directory that is full, read-only or broken: then nothing is changed.

use crate::bench::Bench;
use crate::strace::{changed, run, traced};

/// Runs a scan in which this call on the ledger fails, and returns what the daemon said.
fn said(test: &str, call: &str, error: &str) -> String {
    let bench = Bench::new(test);
    let new = bench.home.path("run/ledger.new");
    let inject = format!("inject={call}:error={error}");
    let trace = bench.home.path("trace");
    let options = [
        "-e",
        &inject,
        "-P",
        new.to_str().unwrap(),
        "-o",
        trace.to_str().unwrap(),
    ];

    let output = run(traced(&bench, &options, &["--once"]));

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(changed(&bench), [], "{call} {error}");
    let calls = std::fs::read_to_string(trace).unwrap();
    assert!(calls.contains("(INJECTED)"), "{calls}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn nothing_is_changed_if_the_original_value_cannot_be_noted_and_it_says_why() {
    let faults = [
        ("openat", "EROFS", "Read-only file system (os error 30)"),
        ("openat", "EACCES", "Permission denied (os error 13)"),
        ("write", "ENOSPC", "No space left on device (os error 28)"),
        ("fsync", "EIO", "Input/output error (os error 5)"),
        ("rename", "EROFS", "Read-only file system (os error 30)"),
    ];
    for (call, error, text) in faults {
        let said = said("disk", call, error);

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

//! A runtime directory that is full, read-only or broken, and a kernel that refuses: then nothing is changed.

use std::fs;
use std::path::Path;

use crate::faults::bench::{Bench, WSF};
use crate::faults::strace::{changed, run, traced};
use crate::skip::can_trace;

/// Runs a scan in which this call fails, if it is one on that file, and returns what the daemon said.
fn said(bench: &Bench, file: Option<&Path>, call: &str, error: &str) -> String {
    let inject = format!("inject={call}:error={error}");
    let trace = bench.home.path("trace");
    let mut options = vec!["-e", &inject, "-o", trace.to_str().unwrap()];
    if let Some(file) = file {
        options.extend(["-P", file.to_str().unwrap()]);
    }

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
    // The name of the file that is written is random. It is opened within the directory, and the other calls are made
    // to replace files only.
    let faults = [
        ("openat", "EROFS", "Read-only file system"),
        ("openat", "EACCES", "Permission denied"),
        ("writev", "ENOSPC", "No space left on device"),
        ("fsync", "EIO", "Input/output error"),
        ("renameat", "EROFS", "Read-only file system"),
    ];
    for (call, error, text) in faults {
        let bench = Bench::new("disk");
        let directory = bench.home.path("run");
        let file = (call == "openat").then_some(directory.as_path());
        let said = said(&bench, file, call, error);

        assert_eq!(changed(&bench), [], "{call} {error}");

        assert!(
            said.contains(
                "vm.watermark_scale_factor = 20: failed: the original value cannot be noted, so nothing was changed"
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

    let said = said(&bench, Some(&bench.path(WSF)), "write", "EINVAL");

    assert!(
        said.contains("vm.watermark_scale_factor = 20: failed: cannot write ")
            && said.contains("Invalid argument"),
        "{said}"
    );
    assert!(said.contains("compact node 0: begun"), "{said}");
    assert!(
        !said.contains("vm.watermark_scale_factor restored to 10"),
        "{said}"
    );
    assert_eq!(changed(&bench), []);
    assert!(!bench.home.path("run/ledger.json").exists());
}

#[test]
fn a_ledger_that_cannot_be_read_for_now_stays_and_nothing_is_changed() {
    if !can_trace() {
        return;
    }
    let boot = "6f2b7f6c-6f0a-4a7e-8f2d-2f4a3c1d9e10";
    let content = format!(
        r#"{{"boot_id": "{boot}", "tunables": {{"vm.watermark_scale_factor": {{"original": "10", "ours": ["40"]}}}}}}"#
    );
    for error in ["EMFILE", "ENOMEM", "EIO", "EACCES"] {
        let bench = Bench::new("unread");
        let ledger = bench.home.path("run/ledger.json");
        let boot_id = bench.path("proc/sys/kernel/random/boot_id");
        for file in [&ledger, &boot_id] {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
        }
        fs::write(&boot_id, format!("{boot}\n")).unwrap();
        fs::write(&ledger, &content).unwrap();
        fs::write(bench.path(WSF), "40\n").unwrap();

        let said = said(&bench, Some(&ledger), "openat", error);
        let inject = format!("inject=openat:error={error}");
        let options = [
            "-e",
            &inject,
            "-P",
            ledger.to_str().unwrap(),
            "-o",
            "/dev/null",
        ];
        let restored = run(traced(&bench, &options, &["restore"]));
        let left = fs::read_to_string(bench.path(WSF)).unwrap();
        let later = bench.command(&["restore"]).output().unwrap();

        let text = "cannot restore what the last daemon changed: its ledger cannot be read at the moment; no tunable is \
                    changed until it can be (";
        assert!(said.contains(text), "{said}");
        let complaint = String::from_utf8(restored.stderr).unwrap();
        assert!(complaint.contains(text), "{complaint}");
        assert_eq!(
            (restored.status.code(), restored.stdout.as_slice()),
            (Some(1), b"".as_slice())
        );
        assert_eq!(left, "40\n", "{error}");
        assert_eq!(
            String::from_utf8(later.stdout).unwrap(),
            "vm.watermark_scale_factor restored to 10\n"
        );
        assert!(!ledger.with_extension("broken").exists());
    }
}

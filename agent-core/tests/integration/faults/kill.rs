//! SIGKILL at every point of the write path.

use std::os::unix::process::ExitStatusExt;
use std::process::Output;

use crate::daemon::process::Running;
use crate::faults::bench::{Bench, WSF};
use crate::faults::strace::{changed, run, traced};
use crate::skip::can_trace;

/// What the write path is made of: everything that the daemon does to the ledger and to the tunable.
/// Some are made on files of which others of the kind are of no interest; some only to replace a file, whose name is
/// random until then.
const CALLS: [(&str, bool); 7] = [
    ("openat", true),
    ("write", true),
    ("writev", false),
    ("fsync", false),
    ("renameat", false),
    ("unlink", true),
    ("close", true),
];
/// More points than three scans have: up, further up, and down to the original value.
const MOST: u32 = 40;
const KILL: i32 = 9;

/// Runs the daemon for one scan. It is killed when it enters the `nth` of these calls, which is not made then.
fn killed(bench: &Bench, call: &str, is_of_a_file: bool, nth: u32) -> Output {
    let run_directory = bench.home.path("run");
    let watched = [
        bench.path(WSF),
        run_directory.join("ledger.json"),
        run_directory,
    ];
    let inject = format!("inject={call}:signal=KILL:when={nth}");
    let trace = bench.home.path("trace");
    let mut options = vec!["-e", &inject, "-o", trace.to_str().unwrap()];
    for path in watched.iter().filter(|_| is_of_a_file) {
        options.extend(["-P", path.to_str().unwrap()]);
    }
    run(traced(bench, &options, &["--once"]))
}

/// Whether the daemon was killed; else it ended before there was such a call.
fn was_killed(output: &Output) -> bool {
    output.status.signal() == Some(KILL) || output.status.code() == Some(128 + KILL)
}

#[test]
fn wherever_it_is_killed_the_original_values_are_given_back() {
    if !can_trace() {
        return;
    }
    let bench = Bench::new("kill");
    let mut points = Vec::new();
    for (call, is_of_a_file) in CALLS {
        for nth in 1..=MOST {
            let output = killed(&bench, call, is_of_a_file, nth);
            if !was_killed(&output) {
                assert_eq!(output.status.code(), Some(0), "{output:?}");
                assert_eq!(changed(&bench), [], "after a run that was not killed");
                break;
            }
            let left = changed(&bench);
            let restored = bench.command(&["restore"]).output().unwrap();
            assert_eq!(
                restored.status.code(),
                Some(0),
                "killed at {call} {nth}, left {left:?}: {restored:?}"
            );
            assert_eq!(changed(&bench), [], "killed at {call} {nth}: {restored:?}");
            assert!(!bench.home.path("run/ledger.json").exists());
            points.push((call, nth, left.len()));
        }
    }

    // It was really killed at every kind of point, and some of them left something to be given back.
    for (call, _) in CALLS {
        assert!(points.iter().any(|(at, _, _)| *at == call), "{points:?}");
    }
    assert!(
        points.iter().filter(|(_, _, left)| *left > 0).count() >= 3,
        "{points:?}"
    );
    assert!(points.len() >= 20, "{points:?}");
}

/// The daemon, once it has changed something.
fn at_work(bench: &Bench) -> Running {
    let mut daemon = bench.daemon();
    daemon.until("vm.watermark_scale_factor = 20: done, was 10");
    daemon
}

#[test]
fn who_ends_it_gets_everything_back() {
    if !can_trace() {
        return;
    }
    let bench = Bench::new("term");

    let (status, said) = at_work(&bench).terminate();

    assert_eq!(status.code(), Some(0));
    assert!(
        said.iter().any(|line| line.contains(" restored to ")),
        "{said:?}"
    );
    assert_eq!(changed(&bench), []);
}

#[test]
fn the_next_daemon_gives_back_what_one_that_was_killed_had_changed_and_says_so() {
    if !can_trace() {
        return;
    }
    let bench = Bench::new("next");
    let daemon = at_work(&bench);
    daemon.send(rustix::process::Signal::KILL);
    let _killed = daemon.end();
    let left = changed(&bench);

    let output = bench.command(&["--once"]).output().unwrap();

    let said = String::from_utf8(output.stderr).unwrap();
    assert_ne!(left, []);
    assert!(
        said.contains("core: vm.") && said.contains(" restored to "),
        "{said}"
    );
    assert_eq!(changed(&bench), []);
}

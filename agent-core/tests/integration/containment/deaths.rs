//! Modules that end their process, or say to the daemon what no module may.

use agent_core::modules::pool::{Reason, ScanResult};

use crate::containment::bench::{AMPLE, Bench, modules};
use crate::daemon::process::eventually;

/// What is logged of a module that does this in its own process.
const DEATHS: [(&str, &str); 12] = [
    ("segfault", "its process died of signal 11 (SIGSEGV)"),
    ("abort", "its process died of signal 6 (SIGABRT)"),
    ("exit", "its process exited with status 0"),
    ("overflow", "has overflowed its stack"),
    ("oom", "memory allocation of 16777216 bytes failed"),
    ("close", "its process closed its socket but kept running"),
    (
        "garbage",
        "its process sent a malformed message (a frame of 542393671 bytes)",
    ),
    ("truncated", "its process exited with status 0"),
    (
        "huge-length",
        "its process sent a malformed message (a frame of 4294967295 bytes)",
    ),
    (
        "forge",
        "its process sent a malformed message (a request that was refused: kernel.core_pattern = 1",
    ),
    ("forge-much", "its process sent a malformed message"),
    (
        "wrong-scan",
        "its process sent a malformed message (an answer to scan 9 in scan 2)",
    ),
];

#[test]
fn a_process_that_ends_or_talks_nonsense_is_started_again() {
    for (mode, why) in DEATHS {
        let options = format!("mode = \"{mode}\"\nfrom-scan = 2\nscans = 1");
        let mut bench = Bench::new(&modules("process", AMPLE, &options));

        let log = bench.scans(3);

        assert_eq!(
            (log[0].as_str(), log[2].as_str()),
            ("", "info chaos: recovered\n")
        );
        assert!(log[1].contains(why), "{mode}: {}", log[1]);
        assert!(log[1].ends_with("; it is started again\n"), "{}", log[1]);
        assert_eq!(log[1].lines().count(), 1, "{}", log[1]);
        assert_eq!(bench.tunable(), "10");
    }
}

#[test]
fn a_process_that_was_started_again_leaves_none_behind() {
    let options = "mode = \"segfault\"\nscans = 2";
    let mut bench = Bench::new(&modules("process", AMPLE, options));
    bench.scans(3);

    let children = bench.children();

    assert_eq!(children.len(), 1, "{children:?}");
}

#[test]
fn a_process_ends_with_the_daemon_that_it_belongs_to() {
    let mut bench = Bench::new(&modules("process", AMPLE, "mode = \"none\""));
    bench.scan();
    let children = bench.children();
    let directory = bench.directory;
    drop(bench.agent);

    eventually("the process ends", || {
        let left = crate::containment::bench::children(std::process::id(), directory.path());
        left.is_empty().then_some(())
    });

    assert_eq!(children.len(), 1);
}

#[test]
fn a_module_that_cannot_do_its_work_is_not_to_blame() {
    let mut bench = Bench::new(&modules("process", AMPLE, "mode = \"fail\"\nscans = 1"));

    let endings = [1.0, 2.0].map(|seconds| bench.scan_at(seconds));

    assert!(matches!(endings[0], ScanResult::Answered(_)), "{endings:?}");
    assert_ne!(endings[1], ScanResult::Restarting(Reason::Died));
}

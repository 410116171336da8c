//! Modules that say too much.

use std::time::Duration;

use crate::containment::bench::{AMPLE, BOTH, Bench, modules};
use crate::containment::daemons::Den;
use crate::daemon::process::proc_file;

#[test]
fn what_goes_beyond_the_most_of_one_scan_is_dropped_and_counted() {
    let floods = [
        (
            "flood-findings",
            "exceeded the output limit; 999936 messages dropped in this scan",
        ),
        (
            "flood-metrics",
            "exceeded the output limit; 99744 messages dropped in this scan",
        ),
        (
            "flood-requests",
            "exceeded the output limit; 99936 messages dropped in this scan",
        ),
    ];
    for isolation in BOTH {
        for (mode, text) in floods {
            let mut bench = Bench::new(&modules(isolation, AMPLE, &format!("mode = \"{mode}\"")));

            let log = bench.scan();

            let warnings: Vec<&str> = log
                .lines()
                .filter(|line| line.contains("exceeded the output limit"))
                .collect();
            assert_eq!(warnings, [format!("warning chaos: {text}")]);
            assert!(bench.took < Duration::from_secs(10), "{:?}", bench.took);
        }
    }
}

#[test]
fn of_a_flood_of_status_lines_the_last_counts() {
    let mut bench = Bench::new(&modules(
        "none",
        AMPLE,
        "mode = \"flood-status\"\nscans = 1",
    ));

    assert_eq!(bench.scans(2), ["", ""]);
}

#[test]
fn a_process_can_print_for_ever() {
    let mut bench = Bench::new(&modules("process", AMPLE, "mode = \"print\""));

    let log = bench.scans(5);

    let expected: Vec<String> = (1..=5)
        .map(|scan| format!("notice chaos: printed in scan {scan}: true\n"))
        .collect();
    assert_eq!(log, expected);
}

#[test]
fn a_flood_does_not_make_the_daemon_grow() {
    for isolation in BOTH {
        let config = modules(isolation, AMPLE, "mode = \"flood-findings\"\nfrom-scan = 2");
        let den = Den::new("period-secs = 0.1", &config);
        let mut daemon = den.start();
        daemon.until("calm: scan 1");
        daemon.until("calm: scan 3");

        let status = proc_file(daemon.pid(), "status").unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();

        assert!(kib < 40 << 10, "{isolation}: {kib} KiB");
    }
}

#[test]
fn a_flood_of_findings_is_logged_as_far_as_the_share_of_its_module_goes() {
    for isolation in BOTH {
        let mut bench = Bench::new(&modules(isolation, AMPLE, "mode = \"flood-log\""));
        bench.step = Duration::from_millis(200);

        let log = bench.scans(50).concat();

        let count = |text: &str| log.lines().filter(|line| line.contains(text)).count();
        assert_eq!(count("the same again"), 1, "{log}");
        assert_eq!(count("somebody else set it to "), 1, "{log}");
        // So much at once, and one more a second.
        assert!((127..=140).contains(&count("chaos: news ")), "{log}");
        assert_eq!(count("exceeded its share of the log"), 1, "{log}");

        bench.step = Duration::from_secs(3601);
        let log = bench.scan();
        assert!(
            log.contains("the same again (and 1549 more times since last logged)"),
            "{log}"
        );
        let others = "somebody else set it to 51 (and 49 more times since last logged)";
        assert!(log.contains(others), "{log}");
    }
}

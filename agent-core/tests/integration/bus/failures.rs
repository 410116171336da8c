//! Modules that break down, or cannot do their work.

use agent_core::scan::Threads;

use crate::bus::bench::{AMPLE, BOTH, Bench};
use crate::bus::modules::PANIC_LINES;

#[test]
fn a_module_that_breaks_down_is_quarantined_with_file_and_line() {
    let messages = [
        ("str", ": a text\n"),
        ("string", ": a string:  [2J 2\n"),
        ("other", "\n"),
    ];
    for threads in BOTH {
        for ((payload, message), line) in messages.into_iter().zip(PANIC_LINES) {
            let config = format!(
                "{AMPLE}[modules.good]\nenabled = true\n[modules.panicking]\nenabled = true\n\
                 [modules.panicking.config]\nfrom-scan = 2\npayload = \"{payload}\""
            );
            let mut bench = Bench::new(threads, &config);

            let log = bench.scans(4);

            let place = format!("agent-core/tests/integration/bus/modules.rs:{line}:");
            let (before, after) = log[1].split_once(&place).unwrap();
            let said = after.trim_start_matches(|c: char| c.is_ascii_digit());
            assert_eq!(
                (before, said),
                (
                    "notice good: call 2, scan 2, tag 0\n\
                     error panicking: quarantined for 60 s, or until a reload (SIGHUP): broke down: panicked at ",
                    message
                )
            );
            assert_eq!(
                [&log[0], &log[2], &log[3]],
                [
                    "notice good: call 1, scan 1, tag 0\nwarning panicking: a half-baked word\n",
                    "notice good: call 3, scan 3, tag 0\n",
                    "notice good: call 4, scan 4, tag 0\n\
                     info panicking: recovered\nwarning panicking: a half-baked word\n",
                ]
            );
        }
    }
}

#[test]
fn a_module_that_cannot_do_its_work_is_logged_once_and_so_is_its_recovery() {
    for threads in BOTH {
        let config = format!(
            "{AMPLE}[modules.failing]\nenabled = true\n[modules.failing.config]\nfrom-scan = 2\nscans = 3"
        );
        let mut bench = Bench::new(threads, &config);

        let log = bench.scans(6);

        assert_eq!(
            log,
            [
                "",
                "error failing: unavailable: there is no /proc/example\n",
                "",
                "",
                "info failing: recovered\n",
                "",
            ]
        );
    }
}

#[test]
fn a_module_that_cannot_do_its_work_for_hours_is_mentioned_once_an_hour() {
    let config =
        format!("{AMPLE}[modules.failing]\nenabled = true\n[modules.failing.config]\nscans = 100");
    let mut bench = Bench::new(Threads::None, &config);

    let log = bench.scans(60);
    bench.secs += 3600;
    let later = bench.scan();

    assert_eq!(
        (log.concat().as_str(), later.as_str()),
        (
            "error failing: unavailable: there is no /proc/example\n",
            "error failing: unavailable: there is no /proc/example \
             (and 59 more times since last logged)\n"
        )
    );
}

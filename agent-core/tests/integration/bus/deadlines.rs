//! Modules that do not answer in time.

use std::time::{Duration, Instant};

use agent_core::scan::Threads;

use crate::bus::bench::{AMPLE, Bench};
use crate::bus::modules::GATES;

#[test]
fn a_module_that_hangs_holds_up_nobody_and_is_quarantined_once() {
    let config = format!(
        "{AMPLE}[modules.good]\nenabled = true\n[modules.waiting]\nenabled = true\ndeadline-ms = 300\n\
         [modules.waiting.config]\nfrom-scan = 2\nscans = 100\ngate = 0"
    );
    let mut bench = Bench::new(Threads::OnePerModule, &config);
    let before = bench.scan();

    let start = Instant::now();
    let hanging = bench.scan();
    let waited = start.elapsed();
    let after = bench.scans(4);

    assert!((300..30_000).contains(&waited.as_millis()), "{waited:?}");
    assert_eq!(
        before,
        "notice good: call 1, scan 1, tag 0\nnotice waiting: seen in scan 1\n"
    );
    assert_eq!(
        hanging,
        "notice good: call 2, scan 2, tag 0\n\
         error waiting: did not answer in time; consecutive scans missed: 1\n"
    );
    assert_eq!(
        after,
        [
            "notice good: call 3, scan 3, tag 0\n",
            "notice good: call 4, scan 4, tag 0\n",
            "notice good: call 5, scan 5, tag 0\n\
             error waiting: quarantined until it answers, or a reload (SIGHUP): did not answer for 3 scans\n",
            "notice good: call 6, scan 6, tag 0\n",
        ]
    );

    GATES[0].open();
    let mut told = bench.scan();
    while !told.contains("waiting") {
        // The module needs a moment to notice that the gate is open.
        std::thread::sleep(Duration::from_millis(50));
        told = bench.scan();
    }
    let recovery = "info waiting: recovered\nnotice waiting: seen in scan ";
    assert!(told.contains(recovery), "{told}");
}

#[test]
fn a_scan_waits_no_longer_than_the_deadline_of_the_core() {
    let config = "[core]\ndeadline-secs = 0.2\n[modules.waiting]\nenabled = true\n\
                  [modules.waiting.config]\nscans = 100\ngate = 1";
    let mut bench = Bench::new(Threads::OnePerModule, config);

    let start = Instant::now();
    bench.scan();
    let first = start.elapsed();
    bench.scan();
    let second = start.elapsed().saturating_sub(first);

    assert!((200..30_000).contains(&first.as_millis()), "{first:?}");
    // A module that is busy is not waited for again.
    assert!(second < Duration::from_millis(200), "{second:?}");
    GATES[1].open();
}

/// What is logged in the scans until a module that waited at this gate answers in time, and in the scan in which it does.
fn until_it_answers(gate: usize, more: &str) -> (Vec<String>, String) {
    let config = format!(
        "{AMPLE}[modules.waiting]\nenabled = true\ndeadline-ms = 100\n\
         [modules.waiting.config]\nscans = 1\ngate = {gate}\n{more}"
    );
    let mut bench = Bench::new(Threads::OnePerModule, &config);

    let late = bench.scan();
    GATES[gate].open();
    let mut told = vec![late];
    while told.len() < 4 && told.last().is_some_and(|log| !log.contains("recovered")) {
        // The module needs a moment to notice that the gate is open.
        std::thread::sleep(Duration::from_millis(100));
        told.push(bench.scan());
    }
    let last = told.pop().unwrap();
    (told, last)
}

#[test]
fn late_words_are_dropped_and_the_module_is_asked_again() {
    let (told, last) = until_it_answers(2, "");

    assert_eq!(
        told.concat(),
        "error waiting: did not answer in time; consecutive scans missed: 1\n"
    );
    let scan = told.len() + 1;
    assert_eq!(
        last,
        format!("info waiting: recovered\nnotice waiting: seen in scan {scan}\n")
    );
}

#[test]
fn a_late_warning_is_said_in_the_scan_in_which_it_comes() {
    let (told, last) = until_it_answers(7, "then = \"warn\"");

    let scan = told.len() + 1;
    let log = told.concat() + &last;
    let late = log
        .lines()
        .find(|line| line.contains("reported late"))
        .unwrap();
    assert!(
        late.starts_with("warning waiting: seen in scan 1 (seen ")
            && late.ends_with(" s ago, reported late)"),
        "{log}"
    );
    assert!(
        last.contains(&format!("notice waiting: seen in scan {scan}\n")),
        "{log}"
    );
}

#[test]
fn the_words_of_a_module_that_breaks_down_too_late_are_dropped_too() {
    let config = format!(
        "{AMPLE}[modules.waiting]\nenabled = true\ndeadline-ms = 100\n\
         [modules.waiting.config]\nscans = 1\ngate = 3\nthen = \"panic\""
    );
    let mut bench = Bench::new(Threads::OnePerModule, &config);

    bench.scan();
    GATES[3].open();
    std::thread::sleep(Duration::from_millis(200));
    let log = bench.scan();

    assert!(
        log.starts_with("error waiting: quarantined for 60 s, "),
        "{log}"
    );
    assert_eq!(log.lines().count(), 1, "{log}");
}

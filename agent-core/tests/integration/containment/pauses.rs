//! When a module that broke down is asked again.

use std::time::Duration;

use agent_core::modules::abi::CallResult;
use agent_core::modules::pool::{Reason, ScanResult};

use crate::containment::bench::{AMPLE, Bench, modules};

const GOOD: ScanResult = ScanResult::Answered(CallResult::Good);
const fn quarantined(reason: Reason, seconds: u64) -> ScanResult {
    ScanResult::Quarantined(reason, Some(Duration::from_secs(seconds)))
}

#[test]
fn a_process_is_started_again_after_1_s_and_4_s_and_then_quarantined_for_longer_and_longer() {
    let mut bench = Bench::new(&modules("process", AMPLE, "mode = \"exit\""));
    let died = ScanResult::Restarting(Reason::Died);
    let expected = [
        (10.0, died),
        (10.9, ScanResult::Silent),
        (11.0, died),
        (14.9, ScanResult::Silent),
        (15.0, quarantined(Reason::Died, 60)),
        (74.9, quarantined(Reason::Died, 60)),
        (75.0, quarantined(Reason::Died, 120)),
        (194.9, quarantined(Reason::Died, 120)),
        (195.0, quarantined(Reason::Died, 240)),
    ];

    let endings = expected.map(|(seconds, _)| (seconds, bench.scan_at(seconds)));

    assert_eq!(endings, expected);
}

#[test]
fn a_module_of_our_process_is_quarantined_at_once_and_for_an_hour_at_most() {
    let mut bench = Bench::new(&modules("none", AMPLE, "mode = \"panic-str\""));
    let mut now = 10.0;
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let ScanResult::Quarantined(Reason::Panicked, Some(pause)) = bench.scan_at(now) else {
            break;
        };
        pauses.push(pause.as_secs());
        let before = bench.scan_at(now + pause.as_secs_f64() - 0.1);
        assert_eq!(
            before,
            ScanResult::Quarantined(Reason::Panicked, Some(pause))
        );
        now += pause.as_secs_f64();
    }

    assert_eq!(pauses, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
}

#[test]
fn the_log_says_once_that_it_is_quarantined_and_once_that_it_works_again() {
    let options = "mode = \"panic-str\"\nscans = 2";
    let mut bench = Bench::new(&modules("none", AMPLE, options));
    bench.step = Duration::from_secs(20);

    let log = bench.scans(12);

    let kinds: Vec<(usize, &str)> = log
        .iter()
        .enumerate()
        .filter_map(|(scan, text)| Some((scan, text.get(..18)?)))
        .collect();
    assert_eq!(
        kinds,
        [(0, "error chaos: quara"), (3, "info chaos: recove")]
    );
}

#[test]
fn an_hour_of_good_work_makes_a_clean_record() {
    let options = "mode = \"exit\"\nscans = 2\nagain-from-scan = 5";
    let mut bench = Bench::new(&modules("process", AMPLE, options));
    let died = ScanResult::Restarting(Reason::Died);
    let expected = [
        (10.0, died),
        (11.0, died),
        (15.0, GOOD),
        (3615.0, GOOD),
        (3616.0, died),
        (3617.0, died),
        (3621.0, quarantined(Reason::Died, 60)),
    ];

    let endings = expected.map(|(seconds, _)| (seconds, bench.scan_at(seconds)));

    assert_eq!(endings, expected);
}

#[test]
fn less_than_an_hour_of_good_work_does_not() {
    let options = "mode = \"exit\"\nscans = 2\nagain-from-scan = 5";
    let mut bench = Bench::new(&modules("process", AMPLE, options));

    let endings = [10.0, 11.0, 15.0, 3614.0, 3616.0].map(|seconds| bench.scan_at(seconds));

    assert_eq!(endings[4], quarantined(Reason::Died, 60));
}

#[test]
fn a_reload_tries_it_again_at_once() {
    for (isolation, mode) in [("none", "panic-str"), ("process", "exit")] {
        let config = modules(isolation, AMPLE, &format!("mode = \"{mode}\"\nscans = 3"));
        let mut bench = Bench::new(&config);
        let endings = [10.0, 11.0, 15.0].map(|seconds| bench.scan_at(seconds));
        assert!(
            matches!(endings[2], ScanResult::Quarantined(..)),
            "{endings:?}"
        );

        bench.reload(&config);

        assert_eq!(bench.scan_at(16.0), GOOD);
    }
}

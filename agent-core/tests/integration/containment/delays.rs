//! Modules that are slow, or do not answer at all.

use std::path::Path;
use std::time::Duration;

use agent_core::modules::pool::{Reason, ScanResult};

use crate::containment::bench::{BOTH, Bench, SHORT, modules};
use crate::containment::daemons::Den;
use crate::daemon::manager::Manager;
use crate::daemon::process::{Running, eventually};

/// The deadline is 100 ms; the rest is for a machine that is busy.
const BOUND: Duration = Duration::from_millis(1500);

#[test]
fn a_module_that_never_answers_delays_a_scan_by_its_deadline_and_then_not_at_all() {
    // One that spins in our own process would do so until the tests end.
    for (isolation, mode) in [("none", "hang"), ("process", "hang"), ("process", "spin")] {
        let mut bench = Bench::new(&modules(isolation, SHORT, &format!("mode = \"{mode}\"")));

        let mut took = Vec::new();
        let mut log = Vec::new();
        for _ in 0..5 {
            log.push(bench.scan());
            took.push(bench.took);
        }

        let hung = match isolation {
            "none" => {
                "error chaos: quarantined until it answers, or a reload (SIGHUP): did not answer for 3 scans\n"
            }
            _ => "error chaos: did not answer for 3 scans; it is started again\n",
        };
        assert_eq!(
            log[..4],
            [
                "error chaos: did not answer in time; consecutive scans missed: 1\n",
                "",
                "",
                hung
            ],
            "{isolation} {mode}"
        );
        assert!(took[0] >= Duration::from_millis(100), "{took:?}");
        assert!(took.iter().all(|took| *took < BOUND), "{took:?}");
    }
}

#[test]
fn the_process_of_a_module_that_never_answers_is_killed() {
    for mode in ["hang", "spin"] {
        let options = format!("mode = \"{mode}\"\nfrom-scan = 2");
        let mut bench = Bench::new(&modules("process", SHORT, &options));
        bench.scan();
        let before = bench.children();
        let endings: Vec<ScanResult> = (0..4).map(|n| bench.scan_at(60.0 + f64::from(n))).collect();

        assert_eq!(before.len(), 1);
        assert_eq!(endings[3], ScanResult::Restarting(Reason::Hung(3)));
        eventually("it is killed, and asked how it ended", || {
            (!Path::new(&format!("/proc/{}", before[0])).exists()).then_some(())
        });
    }
}

#[test]
fn the_process_of_a_module_that_hangs_is_killed_when_the_module_is_switched_off() {
    for mode in ["hang", "spin", "destroy-hang"] {
        let options = format!("mode = \"{mode}\"");
        let config = modules("process", SHORT, &options);
        let mut bench = Bench::new(&config);
        bench.scan();
        let before = bench.children();

        bench.reload("");

        assert_eq!(before.len(), 1);
        eventually("it is killed, and asked how it ended", || {
            (!Path::new(&format!("/proc/{}", before[0])).exists()).then_some(())
        });
    }
}

#[test]
fn a_module_that_hangs_does_not_keep_the_core_from_saying_that_it_is_alive() {
    // A scan waits ten beats for it.
    let deadline = "deadline-ms = 1000";
    let den = Den::new(
        "period-secs = 0.1",
        &modules("none", deadline, "mode = \"hang\"\nfrom-scan = 2"),
    );
    let manager = Manager::new(&den.home);
    let mut daemon = Running::start(manager.watch(&mut den.command(&[])));

    manager.until("READY=1");
    let told = manager.until("chaos is quarantined");

    let beats = told.iter().filter(|told| *told == "WATCHDOG=1").count();
    assert!(beats >= 8, "{told:?}");
    daemon.until("chaos: quarantined");
    daemon.terminate();
}

#[test]
fn late_words_are_dropped() {
    for isolation in BOTH {
        let modules = modules(isolation, SHORT, "mode = \"slow\"\nscans = 1");
        let mut bench = Bench::new(&format!("max-late = 100\n{modules}"));
        let mut log = bench.scan();

        eventually("it answers in time again", || {
            log.push_str(&bench.scan());
            log.contains("recovered").then_some(())
        });

        assert_eq!(
            log,
            "error chaos: did not answer in time; consecutive scans missed: 1\n\
             info chaos: recovered\n"
        );
        assert_eq!(bench.tunable(), "10");
    }
}

#[test]
fn a_module_that_spins_in_the_daemon_keeps_it_from_nothing() {
    let den = Den::new(
        "period-secs = 0.1",
        &modules("none", SHORT, "mode = \"spin\"\nfrom-scan = 2"),
    );
    let mut daemon = den.start();

    daemon.until("chaos: did not answer in time; consecutive scans missed: 1");
    let why = "quarantined until it answers, or a reload (SIGHUP): did not answer for 3 scans";
    daemon.until(&format!("chaos: {why}"));
    daemon.until("calm: scan 12");
    let stand = den.stand();
    let (status, said) = daemon.terminate();

    let text = why.replacen("quarantined", "quarantined:", 1);
    assert!(
        stand.starts_with("chaos 1 (quarantined, no flag)\n"),
        "{stand}"
    );
    assert!(stand.contains(&text) || stand.contains(why), "{stand}");
    assert!(status.success());
    for scan in 1..=12 {
        let line = format!("calm: scan {scan}");
        assert!(said.iter().any(|said| said.ends_with(&line)), "{line}");
    }
}

/// What is logged in so many scans, each of which begins `pause` after the one before has ended.
fn slow_scans(bench: &mut Bench, count: usize, pause: Duration) -> Vec<String> {
    let mut scan = || {
        let log = bench.scan();
        std::thread::sleep(pause);
        log
    };
    (0..count).map(|_| scan()).collect()
}

#[test]
fn a_module_that_always_answers_late_is_quarantined_and_none_of_its_warnings_is_lost() {
    // Late by less than a period, and by some of them.
    for (isolation, pause) in BOTH.into_iter().flat_map(|each| [(each, 800), (each, 150)]) {
        let mut bench = Bench::new(&modules(isolation, SHORT, "mode = \"slow-warning\""));

        let log = slow_scans(&mut bench, 6, Duration::from_millis(pause)).concat();

        assert!(
            log.starts_with("error chaos: did not answer in time; consecutive scans missed: 1\n"),
            "{isolation} {pause}: {log}"
        );
        let told: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("in 3 consecutive scans"))
            .collect();
        let expected = match isolation {
            "none" => {
                "error chaos: quarantined for 60 s, or until a reload (SIGHUP): did not answer in time in 3 consecutive scans"
            }
            _ => "error chaos: did not answer in time in 3 consecutive scans; it is started again",
        };
        assert_eq!(told, [expected], "{isolation} {pause}: {log}");
        let first = "warning chaos: trouble in scan 1 (seen ";
        let warnings = log.matches("reported late").count();
        // What a process has not said by then is lost with it.
        let least = if pause == 800 { 3 } else { 1 };
        assert!(
            log.contains(first) && warnings >= least,
            "{isolation} {pause}: {log}"
        );
        assert!(!log.contains("recovered"), "{isolation} {pause}: {log}");
    }
}

#[test]
fn a_module_that_is_late_now_and_then_is_not_quarantined() {
    let options = "mode = \"slow-warning\"\nscans = 2\nagain-from-scan = 5";
    let mut bench = Bench::new(&modules("none", "deadline-ms = 200", options));

    let log = slow_scans(&mut bench, 6, Duration::from_millis(800)).concat();

    assert!(!log.contains("quarantined"), "{log}");
    assert_eq!(log.matches("reported late").count(), 3, "{log}");
}

#[test]
fn a_warning_that_is_late_is_not_lost_in_a_reload_or_at_the_end() {
    let config = modules("none", SHORT, "mode = \"slow-warning\"\nscans = 1");
    let mut bench = Bench::new(&config);
    bench.scan();
    std::thread::sleep(Duration::from_millis(800));

    // Another value, so that it is made anew.
    bench.reload(&config.replace("scans = 1", "scans = 1\nagain-from-scan = 3"));
    let log = bench.scan();

    assert_eq!(
        log,
        "info chaos: recovered\n\
         warning chaos: trouble in scan 1 (seen 30 s ago, reported late)\n"
    );

    bench.scan();
    std::thread::sleep(Duration::from_millis(800));
    let left = bench.agent.late_findings();
    let left: Vec<&str> = left
        .iter()
        .map(|(_, late)| late.finding.text.as_str())
        .collect();
    assert_eq!(left, ["trouble in scan 3"]);
}

//! Modules that are slow, or do not answer at all.

use std::path::Path;
use std::time::Duration;

use agent_core::bus::{Ending, Reason};

use crate::bench::{BOTH, Bench, SHORT, modules};
use crate::daemons::Den;
use crate::manager::Manager;
use crate::process::{Running, eventually};

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
                "error chaos: did not answer in time; scans missed in a row: 1\n",
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
        let endings: Vec<Ending> = (0..4).map(|n| bench.scan_at(60.0 + f64::from(n))).collect();

        assert_eq!(before.len(), 1);
        assert_eq!(endings[3], Ending::Restarting(Reason::Hung(3)));
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
            log.contains("again").then_some(())
        });

        assert_eq!(
            log,
            "error chaos: did not answer in time; scans missed in a row: 1\n\
             info chaos: does its work again\n"
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

    daemon.until("chaos: did not answer in time; scans missed in a row: 1");
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

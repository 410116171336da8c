//! Modules that take the daemon with them: the next one knows who it was.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::Signal;

use crate::containment::bench::{AMPLE, modules};
use crate::containment::daemons::Den;
use crate::daemon::process::eventually;

const QUICK: &str = "period-secs = 0.1";

/// How the daemon dies of its module, and how often the next one says that the module was running.
fn die(den: &Den) -> (ExitStatus, Vec<String>) {
    let (status, said) = den.start().end();
    let suspicions = said.iter().filter(|line| line.contains("was running"));
    let texts = suspicions.map(|line| line.split_once("core: ").unwrap().1.to_owned());
    (status, texts.collect())
}

fn dies_twice_and_is_quarantined(mode: &str, is_that: impl Fn(ExitStatus) -> bool) {
    let config = modules("none", AMPLE, &format!("mode = \"{mode}\"\nfrom-scan = 2"));
    let den = Den::new(QUICK, &config);

    let (first, nobody) = die(&den);
    let (second, once) = die(&den);
    let mut third = den.start();
    let twice = third.until("was running when the daemon died (times so far: 2)");
    let quarantine = third.until("chaos: quarantined");
    third.until("calm: scan 5");
    let stand = den.stand();
    third.send(Signal::KILL);
    third.end();

    assert!(is_that(first) && is_that(second), "{first} {second}");
    assert_eq!(nobody, [""; 0]);
    assert_eq!(once.len(), 1);
    assert!(once[0].starts_with("module chaos was running when the daemon died (times so far: 1)"));
    assert!(
        twice.contains("isolation = \"process\" would protect the daemon from it"),
        "{twice}"
    );
    let why = "quarantined until a reload (SIGHUP): was running when the daemon died, 2 times";
    assert!(quarantine.ends_with(why), "{quarantine}");
    let text = why.replacen("quarantined", "quarantined:", 1);
    assert_eq!(stand, format!("chaos 1 (quarantined, no flag)\n  {text}"));
    is_remembered_and_can_be_tried_again(&den);
}

/// The third daemon was killed; the fourth is told to reload, and then to end.
fn is_remembered_and_can_be_tried_again(den: &Den) {
    let mut fourth = den.start();
    fourth.until("chaos: quarantined until a reload");
    den.configure(QUICK, &modules("none", AMPLE, "mode = \"none\""));
    fourth.send(Signal::HUP);
    fourth.until("chaos: recovered");
    let (status, _) = fourth.terminate();
    assert!(status.success());

    let mut fifth = den.start();
    fifth.until("calm: scan 2");
    let (_, said) = fifth.terminate();
    assert!(
        !said
            .iter()
            .any(|line| line.contains("chaos:") || line.contains("was running")),
        "{said:#?}"
    );
}

#[test]
fn a_module_with_a_segmentation_fault_is_quarantined_after_two_deaths() {
    dies_twice_and_is_quarantined("segfault", |status| status.signal() == Some(11));
}

#[test]
fn a_module_that_exits_is_quarantined_after_two_deaths() {
    dies_twice_and_is_quarantined("exit", |status| status.success());
}

#[test]
fn a_reload_gives_a_quarantined_module_one_more_chance() {
    let config = modules("none", AMPLE, "mode = \"segfault\"\nfrom-scan = 2");
    let den = Den::new(QUICK, &config);
    die(&den);
    die(&den);
    let mut third = den.start();
    third.until("chaos: quarantined");

    third.send(Signal::HUP);
    let (status, _) = third.end();
    let mut fourth = den.start();
    fourth.until("was running when the daemon died (times so far: 2)");
    fourth.until("chaos: quarantined");
    fourth.until("calm: scan 4");

    assert_eq!(status.signal(), Some(11));
}

#[test]
fn a_module_that_ends_the_daemon_while_it_is_created_is_found_too() {
    let den = Den::new(QUICK, &modules("none", AMPLE, "mode = \"create-segfault\""));

    let deaths = [die(&den), die(&den)].map(|(status, said)| (status.signal(), said.len()));
    let mut third = den.start();
    third.until("chaos: quarantined until a reload");
    third.until("calm: scan 2");

    assert_eq!(deaths, [(Some(11), 0), (Some(11), 1)]);
}

#[test]
fn a_module_that_only_was_at_work_too_is_not_blamed() {
    for mode in ["segfault", "abort", "exit", "overflow"] {
        let chaos = modules("none", AMPLE, &format!("mode = \"{mode}\"\nfrom-scan = 2"));
        let den = Den::new(
            QUICK,
            &format!("{chaos}[modules.calm.config]\ntakes-ms = 500\n"),
        );

        let (_, nobody) = die(&den);
        let (_, once) = die(&den);

        assert_eq!(nobody, [""; 0]);
        let [chaos] = &once[..] else {
            panic!("{mode}: {once:#?}")
        };
        assert!(
            chaos.starts_with("module chaos was running when the daemon died (times so far: 1)"),
            "{mode}: {chaos}"
        );
    }
}

#[test]
fn a_signal_that_somebody_sent_makes_suspects_of_all_that_were_at_work() {
    let chaos = modules("none", AMPLE, "mode = \"none\"");
    let den = Den::new(
        QUICK,
        &format!("{chaos}[modules.calm.config]\ntakes-ms = 10_000\n"),
    );
    let mut daemon = den.start();
    daemon.until("started");
    let marker = den.home.path("run/at-work");
    eventually("calm is at work", || {
        let file = fs::read(&marker).ok()?;
        (file.first() == Some(&1)).then_some(())
    });

    daemon.send(Signal::ABORT);
    let (status, _) = daemon.end();
    let mut second = den.start();
    let suspect = second.until("was running");

    assert_eq!(status.signal(), Some(6));
    assert!(suspect.contains("module calm was"), "{suspect}");
}

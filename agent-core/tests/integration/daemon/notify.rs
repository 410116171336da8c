//! The service manager is told when the daemon works, what it is at, and that its core is alive.

use std::fs;

use rustix::process::Signal;

use crate::daemon::QUICK_AND_OPEN;
use crate::daemon::machine::Machine;
use crate::daemon::manager::{Manager, said};
use crate::daemon::process::{Home, Running};
use crate::hang;

fn start(home: &Home, machine: &Machine, manager: &Manager) -> Running {
    // In the foreground, as it is watched.
    let mut command = home.command(&["--root", machine.root()]);
    Running::start(manager.watch(&mut command))
}

#[test]
fn it_is_ready_after_the_first_good_scan_and_says_when_it_reloads_and_ends() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let machine = Machine::new(&home, 100);
    let manager = Manager::new(&home);
    let daemon = start(&home, &machine, &manager);

    let started = manager.until("STATUS=");
    daemon.send(Signal::HUP);
    let reloaded = manager.until("READY=1");
    home.configure("period-sec = 3", "");
    daemon.send(Signal::HUP);
    let refused = manager.until("READY=1");
    daemon.send(Signal::TERM);
    let ended = manager.until("STOPPING=1");

    assert_eq!(
        said(&started),
        ["READY=1", "STATUS=1 module running; no warnings so far"]
    );
    let reloading = said(&reloaded)[0];
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading}"
    );
    let refused = said(&refused);
    assert!(refused[0].starts_with("RELOADING=1\n"), "{refused:?}");
    assert_eq!(
        refused[1],
        "STATUS=1 module running; last error: core: configuration not reloaded, the old one stays in force: it has 1 error"
    );
    assert_eq!(said(&ended), ["STOPPING=1"]);
    assert_eq!(daemon.end().0.code(), Some(0));
}

#[test]
fn it_is_not_ready_before_anything_can_be_read() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let machine = Machine::new(&home, 100);
    let manager = Manager::new(&home);
    fs::rename(machine.path("proc"), machine.path("elsewhere")).unwrap();
    let mut daemon = start(&home, &machine, &manager);

    daemon.until("unavailable");
    let waiting = manager.until("WATCHDOG=1");
    fs::rename(machine.path("elsewhere"), machine.path("proc")).unwrap();
    let ready = manager.until("READY=1");

    assert!(!said(&waiting).contains(&"READY=1"), "{waiting:?}");
    assert_eq!(said(&ready).last(), Some(&"READY=1"));
    daemon.terminate();
}

#[test]
fn only_a_core_that_works_feeds_the_watchdog() {
    // Far longer than a beat: it beats between two scans.
    let home = Home::new("period-secs = 1\nlog-target = \"stderr\"", "");
    let machine = Machine::new(&home, 100);
    let manager = Manager::new(&home);
    let sign = home.path("hangs");
    let mut command = home.command(&["--root", machine.root(), "--foreground"]);
    command
        .env("LD_PRELOAD", hang::library(&home.path("")))
        .env("HANG_PATH", "/proc/zoneinfo")
        .env("HANG_WHILE", &sign);
    let daemon = Running::start(manager.watch(&mut command));
    manager.until("READY=1");
    for _ in 0..20 {
        manager.until("WATCHDOG=1");
    }

    // The next scan does not come back from a file of the core itself.
    fs::write(&sign, "").unwrap();
    manager.await_silence();
    fs::remove_file(&sign).unwrap();
    manager.until("WATCHDOG=1");

    assert_eq!(daemon.terminate().0.code(), Some(0));
}

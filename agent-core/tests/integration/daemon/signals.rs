//! It ends when it is told to, and reloads its configuration.

use std::fs::{self, File, OpenOptions};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;

use crate::daemon::QUICK_AND_OPEN;
use crate::daemon::life::scans_go_on;
use crate::daemon::machine::Machine;
use crate::daemon::process::{Home, eventually, proc_file};
use crate::daemon::words::untimed;

#[test]
fn sigterm_and_sigint_end_it_cleanly_with_a_last_word() {
    for signal in [Signal::TERM, Signal::INT] {
        let home = Home::new(QUICK_AND_OPEN, "");
        let mut daemon = home.start(&["--foreground"]);
        daemon.until("started");

        daemon.send(signal);
        let (status, said) = daemon.end();

        assert_eq!(
            (
                status.code(),
                untimed(&said).as_slice(),
                File::open(home.path("run/lock")).is_ok()
            ),
            (
                Some(0),
                [
                    format!(
                        "info    core: adaptivemmd {} started: a scan every 0.1 s, modules: memleak",
                        env!("CARGO_PKG_VERSION")
                    )
                    .as_str(),
                    "info    core: ended"
                ]
                .as_slice(),
                true
            ),
        );
    }
}

#[test]
fn a_reload_takes_over_period_and_verbosity_and_no_module_forgets_its_baseline() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let machine = Machine::new(&home, 100);
    let mut daemon = home.start(&["--foreground", "-vv", "--root", machine.root()]);
    daemon.until("classic formula 100.0 MiB, baseline 100.0 MiB");
    machine.lose(300);
    daemon.until("classic formula 300.0 MiB, baseline 100.0 MiB");

    home.configure(
        "period-secs = 0.2\nlog-target = \"stderr\"\nmax-late = 7",
        "",
    );
    daemon.send(Signal::HUP);
    daemon.until("core: configuration reloaded: a scan every 0.2 s, modules: memleak");
    daemon.until("classic formula 300.0 MiB, baseline 100.0 MiB");

    let changed = "[modules.memleak.config]\nmin-growth-percent = 2.0";
    home.configure(QUICK_AND_OPEN, changed);
    daemon.send(Signal::HUP);
    daemon.until("core: configuration reloaded: a scan every 0.1 s, modules: memleak");
    daemon.until("classic formula 300.0 MiB, baseline 100.0 MiB");

    assert_eq!(daemon.terminate().0.code(), Some(0));
}

#[test]
fn a_reload_changes_the_verbosity() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let mut daemon = home.start(&["--foreground"]);
    daemon.until("started");

    home.configure(&format!("{QUICK_AND_OPEN}\nverbosity = 4"), "");
    daemon.send(Signal::HUP);
    daemon.until("configuration reloaded");
    daemon.until("core: scan ");
    home.configure(QUICK_AND_OPEN, "");
    daemon.send(Signal::HUP);
    daemon.until("configuration reloaded");
    scans_go_on(daemon.pid());
    let (_, said) = daemon.terminate();

    let last = untimed(&said[said.len() - 2..]);
    assert_eq!(
        last,
        [
            "info    core: configuration reloaded: a scan every 0.1 s, modules: memleak",
            "info    core: ended"
        ]
    );
}

#[test]
fn a_bad_configuration_is_not_reloaded_and_it_says_so() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let mut daemon = home.start(&["--foreground"]);
    daemon.until("started");

    home.configure("period-sec = 3\nlog-target = \"stderr\"\nverbosity = 9", "");
    daemon.send(Signal::HUP);
    daemon.until("stays in force");
    scans_go_on(daemon.pid());
    let (status, said) = daemon.terminate();

    let file = home.path("adaptivemmd.toml");
    let file = file.display();
    assert_eq!(
        (status.code(), &untimed(&said)[1..]),
        (
            Some(0),
            [
                format!("error   core: {file}:5:1: error: unknown setting `period-sec` in `[core]`").as_str(),
                format!(
                    "error   core: {file}:7:13: error: `verbosity` must be a whole number from 0 to 5, found 9"
                )
                .as_str(),
                "error   core: configuration not reloaded, the old one stays in force: it has 2 errors",
                "info    core: ended",
            ]
            .as_slice()
        )
    );
}

#[test]
fn it_ends_however_often_it_is_told_to_reload_while_it_scans() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let machine = Machine::new(&home, 100);
    let zoneinfo = machine.path("proc/zoneinfo");
    fs::remove_file(&zoneinfo).unwrap();
    mknodat(CWD, &zoneinfo, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let mut daemon = home.start(&["--foreground", "--root", machine.root()]);
    daemon.until("started");

    // The first scan now waits for a writer of this file.
    for _ in 0..50 {
        daemon.send(Signal::HUP);
        let signals_are_taken = || {
            let pending = proc_file(daemon.pid(), "status")?;
            let pending = pending
                .lines()
                .find_map(|line| line.strip_prefix("ShdPnd:"))?;
            (pending.trim() == "0000000000000000").then_some(())
        };
        eventually("the signal is taken", signals_are_taken);
    }
    daemon.send(Signal::TERM);
    let _writer = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&zoneinfo)
        .unwrap();
    let (status, said) = daemon.end();

    assert_eq!(
        (status.code(), untimed(&said).last().copied()),
        (Some(0), Some("info    core: ended"))
    );
}

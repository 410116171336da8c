//! A module that tries, from its constructor and in a scan, to get at what it must not see.

use std::fs;
use std::process::Command;

use rustix::process::geteuid;

use crate::daemon::process::{Running, without_capabilities};
use crate::loading::place::Place;
use crate::skip::skip;

/// The file is in the module directory, so that the look alone would not isolate it.
fn place(test: &str) -> Place {
    let place = Place::new(&format!("prying-{test}"));
    place.compile("prying.c", "modules/prying.so", &[]);
    place.configure("[modules.prying]\nisolation = \"process\"");
    place
}

/// What the module said of its attempts, each with its answer.
fn attempts(daemon: &mut Running) -> Vec<(String, bool)> {
    daemon.until("prying: all was tried");
    let said = daemon.take_said();
    let attempt = |line: &String| {
        let (_, attempt) = line.split_once("prying: ")?;
        let (what, answer) = attempt.rsplit_once(": ")?;
        Some((what.to_owned(), answer == "yes"))
    };
    said.iter().filter_map(attempt).collect()
}

#[track_caller]
fn all_in_vain(daemon: &mut Running) {
    let attempts = attempts(daemon);
    let works: Vec<&str> = attempts
        .iter()
        .filter(|(_, works)| *works)
        .map(|(what, _)| what.as_str())
        .collect();
    assert!(attempts.len() > 40, "{attempts:?}");
    assert_eq!(works, [""; 0]);
}

#[test]
fn a_module_that_pries_finds_nothing() {
    let place = place("usual");

    let mut daemon = place.home.start(&["--foreground"]);

    all_in_vain(&mut daemon);
}

/// As in the shipped unit: the process of the module stays one of root.
#[test]
fn a_module_that_pries_into_a_daemon_without_capabilities_finds_nothing() {
    if !geteuid().is_root() {
        skip("who is not root has no capabilities to lose");
        return;
    }
    let place = place("service");
    let plain = place.command(&["--foreground"]);

    let mut daemon = Running::start(&mut without_capabilities(&plain));

    all_in_vain(&mut daemon);
    assert!(fs::read("/etc/shadow").is_ok(), "root could read it");
    // Nor does another process of a root without capabilities see the memory of the daemon.
    let mut shown = Command::new("cat");
    shown.arg(format!("/proc/{}/maps", daemon.pid()));
    let shown = without_capabilities(&shown).output().unwrap();
    let said = String::from_utf8(shown.stderr).unwrap();
    assert!(said.contains("Permission denied"), "{said}");
}

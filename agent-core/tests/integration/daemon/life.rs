//! Signs of life: who holds the lock, and whether it goes on scanning.

use std::fs;

use rustix::process::Pid;

use crate::daemon::process::{Home, eventually, proc_file};

/// Nobody as long as there is no lock, or its file is still empty: it is locked first.
pub(crate) fn holder(home: &Home) -> Option<u32> {
    let number = fs::read_to_string(home.path("run/lock")).ok()?;
    number.trim().parse().ok()
}

pub(crate) fn pid(number: u32) -> Pid {
    Pid::from_raw(number.try_into().unwrap()).unwrap()
}

/// How often a process has waited; a daemon that scans waits every period.
fn waits(number: u32) -> u64 {
    let status = proc_file(number, "status").unwrap();
    let mut counts = status
        .lines()
        .filter_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    counts.next().unwrap().trim().parse().unwrap()
}

pub(crate) fn scans_go_on(number: u32) {
    let before = waits(number);
    eventually("it goes on scanning", || {
        (waits(number) > before + 3).then_some(())
    });
}

//! Memory after many scans, in a process of its own: this one has held other things.

use std::process::Command;

use agent_core::kernel::Root;
use agent_core::scan::Threads;

use crate::daemon::Daemon;
use crate::memory::{LITTLE_KIB, own_kib, resident_kib};
use crate::table::Row;

/// The argument that makes this program only scan, and say how much memory it has.
pub(crate) const CHILD: &str = "--resident-child";

/// The most that a daemon may have after 10,000 scans.
const TARGET_KIB: u64 = 6 << 10;

pub(crate) fn child() {
    let mut daemon = Daemon::new(Root::live(), Threads::OnePerModule);
    resident_kib();
    (0..100).for_each(|_| daemon.scan());
    let early = own_kib();
    (100..10_000).for_each(|_| daemon.scan());
    println!("{early} {} {}", own_kib(), resident_kib());
}

pub(crate) fn rows() -> Vec<Row> {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg(CHILD).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u64> = text
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect();
    let [early, late, resident] = numbers[..] else {
        panic!("{text}");
    };
    vec![
        Row::new(
            "Resident memory after 10,000 scans",
            "at most 6 MiB",
            format!("{resident} KiB"),
            resident <= TARGET_KIB,
        ),
        Row::new(
            "Its heap and stacks, growth from scan 100 to 10,000",
            "none (64 KiB are none)",
            format!("{} KiB (from {early} KiB)", late.saturating_sub(early)),
            late <= early + LITTLE_KIB,
        ),
    ]
}

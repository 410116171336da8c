//! A daemon that looks for leaks has none.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

#[path = "../benches/scan/daemon.rs"]
mod daemon;
#[path = "../benches/scan/memory.rs"]
mod memory;

use agent_core::agent::Threads;
use agent_core::sampler::Root;

use daemon::Daemon;
use memory::{PIECE_KIB, resident_kib};

#[test]
fn ten_thousand_scans_need_no_more_memory_than_a_hundred() {
    let mut daemon = Daemon::new(Root::live(), Threads::OnePerModule);

    (0..100).for_each(|_| daemon.scan());
    let early = resident_kib();
    (100..10_000).for_each(|_| daemon.scan());
    let late = resident_kib();

    assert!(
        late <= early + PIECE_KIB,
        "{early} KiB, then {late} KiB; {} findings",
        daemon.findings()
    );
}

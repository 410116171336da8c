//! A daemon that looks for leaks has none.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

#[path = "../benches/scan/daemon.rs"]
mod daemon;
#[path = "../benches/scan/memory.rs"]
#[allow(dead_code, reason = "shared with the benchmarks")]
mod memory;

use agent_core::kernel::Root;
use agent_core::scan::Threads;

use daemon::Daemon;
use memory::{LITTLE_KIB, own_kib};

#[test]
fn ten_thousand_scans_need_no_more_memory_than_a_hundred() {
    let mut daemon = Daemon::new(Root::live(), Threads::OnePerModule);

    (0..100).for_each(|_| daemon.scan());
    let early = own_kib();
    (100..10_000).for_each(|_| daemon.scan());
    let late = own_kib();

    assert!(
        late <= early + LITTLE_KIB,
        "{early} KiB, then {late} KiB; {} findings",
        daemon.findings()
    );
}

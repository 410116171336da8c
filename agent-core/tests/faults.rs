//! What goes wrong while the machine is changed: the daemon is killed between any two system calls, the ledger
//! cannot be written, nothing may be written at all. `strace` injects that into the real program.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![allow(
    clippy::disallowed_methods,
    reason = "builds a module, and plays the kernel, whose files these are"
)]

#[path = "faults/bench.rs"]
mod bench;
#[path = "../../tests/abi/cc.rs"]
mod cc;
#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/kill.rs"]
mod kill;
mod linked_in;
#[path = "daemon/process.rs"]
mod process;
#[path = "faults/simulation.rs"]
mod simulation;
#[path = "../../tests/common/skip.rs"]
mod skip;
#[path = "faults/strace.rs"]
mod strace;

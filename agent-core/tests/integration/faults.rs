//! What goes wrong while the machine is changed: the daemon is killed between any two system calls, the ledger
//! cannot be written, nothing may be written at all. `strace` injects that into the real program.
#![allow(
    clippy::disallowed_methods,
    reason = "builds a module, and plays the kernel, whose files these are"
)]

pub(crate) mod bench;
mod disk;
mod kill;
mod simulation;
mod strace;

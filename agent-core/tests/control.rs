//! The control socket of a daemon that runs: orders, and clients that mean no good.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    missing_docs,
    reason = "test code"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "builds a module, and plays the kernel, whose files these are"
)]

#[path = "faults/bench.rs"]
mod bench;
#[path = "../../tests/abi/cc.rs"]
mod cc;
#[path = "control/clients.rs"]
mod clients;
#[path = "control/idl.rs"]
mod idl;
#[path = "control/interface.rs"]
mod interface;
mod linked_in;
#[path = "control/orders.rs"]
mod orders;
#[path = "daemon/process.rs"]
mod process;
#[path = "../../tests/common/skip.rs"]
mod skip;
#[path = "control/status.rs"]
mod status;

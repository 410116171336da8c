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

mod clients;
mod idl;
mod interface;
mod orders;
mod status;

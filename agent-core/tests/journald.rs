//! The journal in the protocol of systemd's: sockets that listen, stall or restart, large messages, and the catalog that
//! explains each kind of event.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "plays journald; looks at the catalog"
)]

#[path = "journald/catalog.rs"]
mod catalog;
#[path = "journald/daemon.rs"]
mod daemon;
mod linked_in;
#[path = "daemon/process.rs"]
mod process;
#[path = "journald/protocol.rs"]
mod protocol;
#[path = "journald/receiver.rs"]
mod receiver;
#[path = "../../tests/common/skip.rs"]
mod skip;

//! The journal in the protocol of systemd's: sockets that listen, stall or restart, large messages, and the catalog that
//! explains each kind of event.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "plays journald; looks at the catalog"
)]

mod catalog;
mod daemon;
mod protocol;
mod receiver;

//! The control socket: what an administrator asks of the daemon that runs, and tells it.
//!
//! It speaks [Varlink](https://varlink.org): JSON objects with a zero byte after each, over a Unix socket, so that
//! `varlinkctl` can call it. Everybody may ask; only root, or who runs the daemon, may change something.
//!
//! A thread of its own talks to the clients. Whatever they do, scans go on: an order waits in a channel until the
//! core has time for it, and slow or greedy clients are dropped. Questions are answered by what the core has told of
//! itself, which it is asked for a few times a second at most, however many there are.

mod client;
mod connection;
mod discretion;
mod groups;
mod interface;
mod question;
mod server;

use std::sync::Arc;

use crossbeam_channel::Sender;
use rustix::fd::OwnedFd;
use serde_json::Value;

use crate::status::Summary;

pub use client::{CallError, call};
pub use interface::{DESCRIPTION, INTERFACE};
pub use server::Server;

/// The name of the socket in the runtime directory.
const SOCKET: &str = "control";

/// An order to the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Return the status.
    Look,
    /// Read the configuration again.
    Reload,
    /// Resume the tuning of this tunable, or of all that were changed externally.
    Resume(Option<String>),
    /// Restore the original value of this tunable, or of all, and pause their tuning.
    Restore(Option<String>),
}

/// An order, and where the answer goes.
#[derive(Debug)]
pub struct Call {
    /// The order.
    pub order: Order,
    client: u64,
    answers: Sender<(u64, Answer)>,
    bell: Arc<OwnedFd>,
}

/// The answer to an order.
#[derive(Debug)]
pub enum Answer {
    /// The status of the daemon.
    Seen(Box<Summary>),
    /// The order was carried out; with the parameters of the reply.
    Done(Value),
    /// The order failed; with the name of the error within our interface, and its parameters.
    Failed(&'static str, Value),
}

impl Call {
    /// Answers the client, if it still waits.
    pub fn answer(self, answer: Answer) {
        // At the end of the daemon nobody is left to hear it.
        let _nobody_listens = self.answers.send((self.client, answer));
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }
}

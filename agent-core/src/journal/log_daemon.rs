//! The log daemon, which comes and goes, and which is never waited for.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use adaptivemm_module_api::Severity;

use super::Lost;
use super::connection::{Connection, Failure};

/// Whoever listens on a socket, now or later.
pub(super) struct LogDaemon {
    socket: PathBuf,
    connection: Option<Connection>,
    pause: Duration,
    /// Set as long as the latest connection has not proved itself.
    not_before: Option<Instant>,
}

impl LogDaemon {
    pub(super) fn new(socket: &Path, pause: Duration) -> Self {
        Self {
            socket: socket.to_owned(),
            connection: None,
            pause,
            not_before: None,
        }
    }

    /// Sends what had to wait. Returns how many messages turned out to be lost: the one that was
    /// on its way when the log daemon went.
    pub(super) fn settle(&mut self) -> u64 {
        let rest = self.connection.as_mut().map(Connection::send_rest);
        match rest {
            Some(Err(Failure::Gone)) => {
                self.connection = None;
                1
            }
            Some(Ok(()) | Err(Failure::Busy)) | None => 0,
        }
    }

    /// Sends one line.
    ///
    /// # Errors
    ///
    /// If the log daemon is absent or does not read.
    pub(super) fn send(&mut self, severity: Severity, line: &str) -> Result<(), Lost> {
        // A restart of the log daemon shows only when a message is sent, so a second attempt, on
        // a new connection, saves that message.
        for _attempt in 0..2 {
            match self.connect().ok_or(Lost)?.send(severity, line) {
                Ok(()) => {
                    self.not_before = None;
                    return Ok(());
                }
                Err(Failure::Busy) => return Err(Lost),
                Err(Failure::Gone) => self.connection = None,
            }
        }
        Err(Lost)
    }

    /// The connection that there is, or else a new one, unless the last attempt was just now.
    fn connect(&mut self) -> Option<&mut Connection> {
        if self.connection.is_none() {
            let now = now();
            if self.not_before.is_some_and(|earliest| now < earliest) {
                return None;
            }
            self.not_before = now.checked_add(self.pause);
            self.connection = Connection::open(&self.socket).ok();
        }
        self.connection.as_mut()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "messages are also written between two scans"
)]
fn now() -> Instant {
    Instant::now()
}

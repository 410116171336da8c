//! A log daemon, which comes and goes, and which is waited for once, for a moment.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Lost;
use super::connection::Failure;

/// The time that a busy log daemon may take to catch up. A report has more lines than the ten messages that
/// the kernel queues for a socket by default, and they are written all at once.
const PATIENCE: Duration = Duration::from_millis(50);

/// A way to a log daemon, in its language.
pub(super) trait Connection: Sized {
    /// The messages for it.
    type Message<'a>;

    /// Connects without waiting.
    ///
    /// # Errors
    ///
    /// If nobody listens there, or too many wait already.
    fn open(path: &Path) -> io::Result<Self>;

    /// Sends one message.
    ///
    /// # Errors
    ///
    /// If it was neither sent nor kept.
    fn send(&mut self, message: &Self::Message<'_>) -> Result<(), Failure>;

    /// Sends the rest of a message of which only a part was taken.
    ///
    /// # Errors
    ///
    /// If some of it has to wait, or can never be sent.
    fn send_rest(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Waits until the log daemon takes messages again. `false` if it does not in this time.
    fn wait(&mut self, at_most: Duration) -> bool;
}

/// The log daemon that listens on a socket, now or later.
pub(super) struct LogDaemon<C> {
    socket: PathBuf,
    connection: Option<C>,
    pause: Duration,
    /// Set as long as the latest connection has not proved itself.
    not_before: Option<Instant>,
    /// It took all messages so far, or has caught up: worth waiting for once more.
    keeps_up: bool,
}

impl<C: Connection> LogDaemon<C> {
    pub(super) fn new(socket: &Path, pause: Duration) -> Self {
        Self {
            socket: socket.to_owned(),
            connection: None,
            pause,
            not_before: None,
            keeps_up: true,
        }
    }

    /// Sends what had to wait. Returns how many messages turned out to be lost: the one that was
    /// on its way when the log daemon went.
    pub(super) fn settle(&mut self) -> u64 {
        let rest = self.connection.as_mut().map(C::send_rest);
        match rest {
            Some(Err(Failure::Gone)) => {
                self.connection = None;
                1
            }
            Some(Ok(()) | Err(Failure::Busy)) | None => 0,
        }
    }

    /// Sends one message.
    ///
    /// # Errors
    ///
    /// If the log daemon is absent or does not read.
    pub(super) fn send(&mut self, message: &C::Message<'_>) -> Result<(), Lost> {
        // A restart of the log daemon shows only when a message is sent, so a second attempt, on
        // a new connection, saves that message.
        for _attempt in 0..2 {
            let keeps_up = self.keeps_up;
            let connection = self.connect().ok_or(Lost)?;
            let sent = match connection.send(message) {
                Err(Failure::Busy) if keeps_up && connection.wait(PATIENCE) => {
                    connection.send(message)
                }
                sent => sent,
            };
            self.keeps_up = sent != Err(Failure::Busy);
            match sent {
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
    fn connect(&mut self) -> Option<&mut C> {
        if self.connection.is_none() {
            let now = now();
            if self.not_before.is_some_and(|earliest| now < earliest) {
                return None;
            }
            self.not_before = now.checked_add(self.pause);
            self.connection = C::open(&self.socket).ok();
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

//! Puts the time in the trace before every line of the log.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Writes lines, each with its time before it, and remembers whether any was lost: a log goes on without, and a replay is no log.
pub(super) struct Stamped<W: Write> {
    output: W,
    at_start: bool,
    state: State,
}

/// The facts about the lines that are known outside.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// The time of the lines to come, in milliseconds.
    t_ms: Arc<AtomicU64>,
    lost: Arc<Mutex<Option<io::Error>>>,
}

impl State {
    pub(super) fn set_time(&self, t_ms: u64) {
        self.t_ms.store(t_ms, Ordering::Relaxed);
    }

    /// The first error, once the writer is gone.
    pub(super) fn into_result(self) -> io::Result<()> {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.take().map_or(Ok(()), Err)
    }
}

impl<W: Write> Stamped<W> {
    pub(super) fn new(output: W, state: State) -> Self {
        Self {
            output,
            at_start: true,
            state,
        }
    }

    fn write_line(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.at_start && !bytes.is_empty() {
            let t_ms = self.state.t_ms.load(Ordering::Relaxed);
            let mut stamp = String::new();
            let _never_fails = write!(stamp, "{}.{:03} ", t_ms / 1000, t_ms % 1000);
            self.output.write_all(stamp.as_bytes())?;
            self.at_start = false;
        }
        let line = bytes
            .iter()
            .position(|&byte| byte == b'\n')
            .map_or(bytes.len(), |end| end + 1);
        let written = self.output.write(&bytes[..line])?;
        self.at_start = written > 0 && bytes[written - 1] == b'\n';
        Ok(written)
    }

    /// Keeps the first error, of which the caller gets one of the same kind.
    fn remember<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let told = io::Error::from(error.kind());
            let mut lost = self
                .state
                .lost
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            lost.get_or_insert(error);
            told
        })
    }
}

impl<W: Write> Write for Stamped<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.write_line(bytes);
        self.remember(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.output.flush();
        self.remember(flushed)
    }
}

impl<W: Write> Drop for Stamped<W> {
    fn drop(&mut self) {
        let _remembered = self.flush();
    }
}

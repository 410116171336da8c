//! The only code that logs: one event, to the systemd journal with all its fields, or else one line of text, to the
//! log daemon, a terminal or any writer.
//!
//! # Verbosity
//!
//! An [`Entry`] names the smallest verbosity at which it is written:
//!
//! | verbosity | also written |
//! | --- | --- |
//! | 0 | errors, warnings, notices and infos: the transitions |
//! | 1 | decisions that changed nothing |
//! | 2 | the status of each module, every scan |
//! | 3 | the debug findings of modules |
//! | 4 | how long each part of a scan took |
//! | 5 | everything, such as updates of a baseline |

mod connection;
mod event;
mod line;
mod log_daemon;
mod native;
mod recent;
mod repeats;
mod terminal;

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use adaptivemm_module_api::Severity;

pub use event::Event;
pub use native::has_stderr;
pub use recent::{Recent, Said};
pub use repeats::{Pass, Repeats};

use crate::base::clean_text::without_error_numbers;
use crate::modules::output::Number;
use connection::Syslog;
use line::one_line;
use log_daemon::LogDaemon;
use native::Native;

/// Short enough to lose little after a restart of the log daemon, long enough not to fill an
/// audit log where the connection is forbidden.
const RECONNECT_PAUSE: Duration = Duration::from_secs(5);

/// One event.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The severity.
    pub severity: Severity,
    /// The smallest verbosity at which it is written, 0 to 5.
    pub verbosity: u8,
    /// The author: `core`, or the name of a module.
    pub module: &'a str,
    /// The text, on one line.
    pub text: &'a str,
    /// Zero or more further lines that belong to the text. Empty ones are left out.
    pub details: &'a str,
    /// The kind of event, if programs may want to know.
    pub event: Option<Event>,
    /// The fields for programs: names as the systemd journal takes them, and values. Empty
    /// ones are left out.
    pub fields: &'a [(&'static str, &'a str)],
    /// The numbers behind it.
    pub numbers: &'a [Number],
}

impl<'a> Entry<'a> {
    /// One line that is written at every verbosity.
    #[must_use]
    pub const fn new(severity: Severity, module: &'a str, text: &'a str) -> Self {
        Self {
            severity,
            verbosity: 0,
            module,
            text,
            details: "",
            event: None,
            fields: &[],
            numbers: &[],
        }
    }

    /// Sets the kind of event.
    #[must_use]
    pub const fn event(self, event: Event) -> Self {
        Self {
            event: Some(event),
            ..self
        }
    }

    /// Adds further lines.
    #[must_use]
    pub const fn details(self, details: &'a str) -> Self {
        Self { details, ..self }
    }

    /// Adds fields for programs.
    #[must_use]
    pub const fn fields(self, fields: &'a [(&'static str, &'a str)]) -> Self {
        Self { fields, ..self }
    }

    /// Adds the numbers behind it.
    #[must_use]
    pub const fn numbers(self, numbers: &'a [Number]) -> Self {
        Self { numbers, ..self }
    }

    /// Sets the verbosity, 0 to 5, from which it is written.
    #[must_use]
    pub const fn from_verbosity(self, verbosity: u8) -> Self {
        Self { verbosity, ..self }
    }
}

/// The log. Never fails, and blocks for a moment at most: what cannot be written is lost, counted,
/// and the count is written as soon as that is possible again.
pub struct Logger {
    verbosity: u8,
    target: Target,
    dropped: u64,
    unreported: u64,
    recent: Recent,
}

enum Target {
    Terminal,
    LogDaemon(LogDaemon<Syslog>),
    Native(LogDaemon<Native>),
    Writer(Box<dyn Write + Send>),
}

/// A message that could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lost;

impl Logger {
    /// Writes to standard error, with the time of day.
    #[must_use]
    pub fn to_terminal(verbosity: u8) -> Self {
        Self::new(Target::Terminal, verbosity)
    }

    /// Writes to the log daemon that listens on `socket`, usually `/dev/log`. It is connected to
    /// with the first message, and again whenever it is gone.
    #[must_use]
    pub fn to_syslog(socket: &Path, verbosity: u8) -> Self {
        Self::to_syslog_retrying(socket, verbosity, RECONNECT_PAUSE)
    }

    /// Like [`to_syslog`](Self::to_syslog), for those who cannot wait: leaves a log daemon that
    /// did not answer alone for no longer than `pause`.
    #[must_use]
    pub fn to_syslog_retrying(socket: &Path, verbosity: u8, pause: Duration) -> Self {
        Self::new(Target::LogDaemon(LogDaemon::new(socket, pause)), verbosity)
    }

    /// Writes to the systemd journal that listens on `socket`, usually `/run/systemd/journal/socket`, in its own
    /// protocol. It is connected to as a log daemon is.
    #[must_use]
    pub fn to_native(socket: &Path, verbosity: u8) -> Self {
        let daemon = LogDaemon::new(socket, RECONNECT_PAUSE);
        Self::new(Target::Native(daemon), verbosity)
    }

    /// Writes without the time of day, so that the same events make the same bytes.
    #[must_use]
    pub fn to_writer(writer: Box<dyn Write + Send>, verbosity: u8) -> Self {
        Self::new(Target::Writer(writer), verbosity)
    }

    fn new(target: Target, verbosity: u8) -> Self {
        Self {
            verbosity,
            target,
            dropped: 0,
            unreported: 0,
            recent: Recent::default(),
        }
    }

    /// Writes one event, if the verbosity asks for it: a line for its text, and one for each of
    /// its details.
    pub fn write(&mut self, entry: &Entry<'_>) {
        if entry.verbosity > self.verbosity {
            return;
        }
        let Entry {
            severity, module, ..
        } = *entry;
        let text = without_error_numbers(entry.text);
        let entry = &Entry {
            text: &text,
            ..*entry
        };
        self.recent.note(severity, module, entry.text);
        self.deliver(entry);
        if matches!(self.target, Target::Native(_)) {
            return;
        }
        for detail in entry.details.lines().filter(|line| !line.is_empty()) {
            let text = format!("  {detail}");
            self.deliver(&Entry::new(severity, module, &text));
        }
    }

    /// Chooses which events are written from now on.
    pub fn set_verbosity(&mut self, verbosity: u8) {
        self.verbosity = verbosity;
    }

    /// Returns the verbosity, 0 to 5.
    #[must_use]
    pub fn verbosity(&self) -> u8 {
        self.verbosity
    }

    /// Returns the number of messages that were lost so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The last errors and warnings, wherever they were written.
    #[must_use]
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Goes on where another journal ended that was written elsewhere.
    #[must_use]
    pub fn after(self, other: &Self) -> Self {
        Self {
            dropped: other.dropped,
            unreported: other.unreported,
            recent: other.recent.clone(),
            ..self
        }
    }

    fn deliver(&mut self, entry: &Entry<'_>) {
        let lost = self.target.settle();
        self.count(lost);
        // As long as the loss itself cannot be told, a message would hide it.
        let written = self.report_lost().and_then(|()| self.target.send(entry));
        match written {
            Ok(()) => {}
            Err(Lost) => self.count(1),
        }
    }

    fn count(&mut self, lost: u64) {
        self.dropped += lost;
        self.unreported += lost;
    }

    /// Says how many messages were lost since this was last said.
    fn report_lost(&mut self) -> Result<(), Lost> {
        let lost = match self.unreported {
            0 => return Ok(()),
            1 => "1 message was".to_owned(),
            count => format!("{count} messages were"),
        };
        let listener = self.target.listener();
        let text = format!("{lost} lost while {listener} did not answer");
        let entry = Entry::new(Severity::Warning, "core", &text).event(Event::MessagesLost);
        self.target.send(&entry)?;
        self.unreported = 0;
        Ok(())
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger")
            .field("verbosity", &self.verbosity)
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}

impl Target {
    /// Writes one event; the details only where they go into the same message.
    fn send(&mut self, entry: &Entry<'_>) -> Result<(), Lost> {
        let severity = entry.severity;
        let line = || one_line(&format!("{}: {}", entry.module, entry.text));
        match self {
            Self::Native(daemon) => daemon.send(&native::message(entry).as_slice()),
            Self::Terminal => terminal::send(severity, &line()),
            Self::LogDaemon(daemon) => daemon.send(&(severity, &line())),
            Self::Writer(writer) => writeln!(writer, "{severity} {}", line()).map_err(|_| Lost),
        }
    }

    /// Writes what had to wait. Returns how many messages turned out to be lost.
    fn settle(&mut self) -> u64 {
        match self {
            Self::LogDaemon(daemon) => daemon.settle(),
            Self::Native(daemon) => daemon.settle(),
            Self::Terminal | Self::Writer(_) => 0,
        }
    }

    /// Returns the name of the sink, in the words of an operator.
    fn listener(&self) -> &'static str {
        match self {
            Self::Terminal => "the terminal",
            Self::LogDaemon(_) => "the log daemon",
            Self::Native(_) => "the journal",
            Self::Writer(_) => "the output",
        }
    }
}

#[cfg(test)]
mod tests;

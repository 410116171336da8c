//! One connection to a log daemon that speaks syslog, as a datagram socket or as a stream.
//!
//! Around the crate `syslog`, whose own connections block, know no local time, and cannot be told
//! apart from dead ones.

use std::io::{self, BufWriter, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process;
use std::time::Duration;

use adaptivemm_module_api::Severity;
use jiff::Zoned;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use syslog::{Facility, LogFormat, Logger, LoggerBackend};

use super::log_daemon::Connection;

/// Larger than any message, so that a message is only ever handed to a stream when it is complete.
const STREAM_BUFFER: usize = 8192;

pub(super) struct Syslog(Logger<LoggerBackend, Rfc3164>);

/// The reason why a message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The log daemon does not read at the moment.
    Busy,
    /// There is no log daemon at the other end any more.
    Gone,
}

impl Connection for Syslog {
    type Message<'a> = (Severity, &'a str);

    fn open(path: &Path) -> io::Result<Self> {
        let backend = match open_socket(path, SocketType::DGRAM) {
            Ok(socket) => LoggerBackend::Unix(UnixDatagram::from(socket)),
            Err(Errno::PROTOTYPE) => {
                let socket = open_socket(path, SocketType::STREAM)?;
                let stream = BufWriter::with_capacity(STREAM_BUFFER, UnixStream::from(socket));
                LoggerBackend::UnixStream(stream)
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self(Logger::new(backend, Rfc3164)))
    }

    fn send_rest(&mut self) -> Result<(), Failure> {
        let flushed = self.0.backend.flush();
        flushed.map_err(|error| Failure::from_io(&error))
    }

    /// If a stream takes only half of the line, the rest is kept for [`send_rest`](Self::send_rest), and no other line
    /// is sent before.
    fn send(&mut self, (severity, line): &Self::Message<'_>) -> Result<(), Failure> {
        if self.keeps_rest() {
            return Err(Failure::Busy);
        }
        let logger = &mut self.0;
        let line = *line;
        let sent = match *severity {
            Severity::Error => logger.err(line),
            Severity::Warning => logger.warning(line),
            Severity::Notice => logger.notice(line),
            Severity::Info => logger.info(line),
            _ => logger.debug(line),
        };
        match sent.map_err(|error| Failure::from_syslog(&error)) {
            Err(Failure::Busy) if self.keeps_rest() => Ok(()),
            other => other,
        }
    }

    fn wait(&mut self, at_most: Duration) -> bool {
        let socket = match &self.0.backend {
            LoggerBackend::Unix(datagrams) => datagrams.as_fd(),
            LoggerBackend::UnixStream(stream) => stream.get_ref().as_fd(),
            LoggerBackend::Udp(..) | LoggerBackend::Tcp(_) => return false,
        };
        wait_for_room(socket, at_most) && self.send_rest().is_ok()
    }
}

impl Syslog {
    fn keeps_rest(&self) -> bool {
        matches!(&self.0.backend, LoggerBackend::UnixStream(stream) if !stream.buffer().is_empty())
    }
}

impl Failure {
    fn from_syslog(error: &syslog::Error) -> Self {
        match error {
            syslog::Error::Write(error) | syslog::Error::Io(error) => Self::from_io(error),
            syslog::Error::Initialization(_) => Self::Gone,
        }
    }

    pub(super) fn from_io(error: &io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(Errno::AGAIN | Errno::NOBUFS) => Self::Busy,
            Some(_) | None => Self::Gone,
        }
    }
}

/// A socket that is connected to `path` and never blocks, not even while it connects.
pub(super) fn open_socket(path: &Path, kind: SocketType) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, kind, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// Waits until a socket takes something again. `false` if it does not in this time.
pub(super) fn wait_for_room(socket: BorrowedFd<'_>, at_most: Duration) -> bool {
    let Ok(at_most) = Timespec::try_from(at_most) else {
        return false;
    };
    poll(&mut [PollFd::new(&socket, PollFlags::OUT)], Some(&at_most)) == Ok(1)
}

/// `<30>Jan  2 15:04:05 adaptivemmd[123]: MESSAGE`, in local time. The host is left out, as on
/// every local socket: the log daemon knows it.
struct Rfc3164;

impl LogFormat<&str> for Rfc3164 {
    fn format<W: Write>(
        &self,
        w: &mut W,
        severity: syslog::Severity,
        message: &str,
    ) -> syslog::Result<()> {
        let priority = Facility::LOG_DAEMON as u8 | severity as u8;
        let time = Zoned::now().strftime("%b %e %H:%M:%S").to_string();
        // Asked for each time, because a daemon forks after it has started to log.
        let pid = process::id();
        // One `write!`, because the backend makes a datagram of each.
        write!(w, "<{priority}>{time} adaptivemmd[{pid}]: {message}").map_err(syslog::Error::Write)
    }
}

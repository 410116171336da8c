//! The errors of a kernel file.

use std::fmt;
use std::io;

/// A file that does not hold what the kernel documents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// The file is empty.
    Empty,
    /// The file does not end with a whole line.
    CutOff {
        /// The part of a line that it ends with.
        after: String,
    },
    /// The file holds something else.
    Unexpected {
        /// The text that it should hold.
        expected: &'static str,
        /// The start of the text that it holds.
        found: String,
    },
}

impl ParseError {
    /// Says that `expected` was not found in `found`, of which the start is kept.
    #[must_use]
    pub fn new(expected: &'static str, found: &str) -> Self {
        match start(found) {
            found if found.is_empty() => Self::Empty,
            found => Self::Unexpected { expected, found },
        }
    }

    /// Says that the file ends in the middle of this line.
    pub(crate) fn cut_off(line: &str) -> Self {
        Self::CutOff { after: start(line) }
    }
}

/// Enough of a text to recognise it.
fn start(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or_default().chars().take(60).collect()
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::CutOff { after } => write!(f, "it was cut off after {after:?}"),
            Self::Unexpected { expected, found } => {
                write!(f, "expected {expected}, found {found:?}")
            }
        }
    }
}

impl std::error::Error for ParseError {}

/// The reason why a kernel file is not in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// The kernel did not give it out.
    Io {
        /// The error of the kernel.
        errno: i32,
    },
    /// The file holds something unexpected.
    Parse(ParseError),
}

impl ReadError {
    /// The `errno` for a module that asked for the file.
    #[must_use]
    pub fn errno(&self) -> i32 {
        match self {
            Self::Io { errno } => *errno,
            Self::Parse(_) => rustix::io::Errno::BADMSG.raw_os_error(),
        }
    }

    /// True if the kernel did not give the file out.
    #[must_use]
    pub fn is_io(&self) -> bool {
        matches!(self, Self::Io { .. })
    }

    /// True if the file does not exist.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { errno } if *errno == rustix::io::Errno::NOENT.raw_os_error())
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        let unknown = rustix::io::Errno::IO.raw_os_error();
        Self::Io {
            errno: error.raw_os_error().unwrap_or(unknown),
        }
    }
}

impl From<ParseError> for ReadError {
    fn from(error: ParseError) -> Self {
        Self::Parse(error)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { errno } => match rustix::io::Errno::from_raw_os_error(*errno) {
                rustix::io::Errno::TIMEDOUT => f.write_str("it could not be read in time"),
                rustix::io::Errno::FBIG => f.write_str("it exceeds the limit of a scan"),
                rustix::io::Errno::OPNOTSUPP => f.write_str("it is not a regular file"),
                _ => write!(f, "{}", io::Error::from_raw_os_error(*errno)),
            },
            Self::Parse(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for ReadError {}

//! Recorded machines: the contents of the kernel's files, frame by frame, as JSON lines.
//!
//! ```json
//! {"format":"adaptivemm-trace","version":1,"kernel":"6.1.0-28-amd64","arch":"x86_64","page_size":4096,"period_ms":1000,"note":""}
//! {"t_ms":0,"files":{"proc/meminfo":"MemTotal: ..."}}
//! {"t_ms":1000,"files":{"proc/meminfo":"MemTotal: ...","sys/fs/example":null}}
//! ```
//!
//! `t_ms` is monotonic, in milliseconds. A file that a frame does not name is as it was in the frame
//! before; `null` means that it does not exist. Paths have no leading slash. The whole may be
//! compressed with zstd. No line is longer than 32 MiB, and the files of the machine have no more
//! than 64 MiB together.

mod held;
mod reader;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

pub use reader::Reader;
pub use writer::{Compression, Writer};

/// The format that the first line must name.
const FORMAT: &str = "adaptivemm-trace";
/// The version that we write, and the newest that we read.
const VERSION: u32 = 1;

/// The first line of a trace: where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    format: String,
    version: u32,
    /// The release of the kernel.
    #[serde(default)]
    pub kernel: String,
    /// The architecture, as in Rust's `std::env::consts::ARCH`.
    #[serde(default)]
    pub arch: String,
    /// The size of a page in bytes; without it, it is worked out from the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size: Option<u64>,
    /// The time between two frames; without it, that of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_ms: Option<u64>,
    /// A note for people.
    #[serde(default)]
    pub note: String,
}

impl Header {
    /// Makes the header of a machine with this kernel and architecture.
    #[must_use]
    pub fn new(kernel: &str, arch: &str, page_size: u64, period_ms: u64, note: &str) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            kernel: kernel.to_owned(),
            arch: arch.to_owned(),
            page_size: Some(page_size),
            period_ms: Some(period_ms),
            note: note.to_owned(),
        }
    }
}

/// One moment: the files that changed since the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// The time in milliseconds, monotonic, suspended time included.
    pub t_ms: u64,
    /// The contents of the files by path; `None` for a file that does not exist.
    #[serde(default, deserialize_with = "held::few_files")]
    pub files: BTreeMap<String, Option<String>>,
}

/// A trace that cannot be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum TraceError {
    /// The file cannot be read.
    Io(io::Error),
    /// A line is not what it should be.
    Line {
        /// The number of the line, from 1.
        line: u64,
        /// The reason, which names what was expected.
        reason: String,
    },
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(_) => f.write_str("cannot read the trace"),
            Self::Line { line, reason } => write!(f, "line {line}: {reason}"),
        }
    }
}

impl std::error::Error for TraceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(source) => Some(source),
            Self::Line { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;

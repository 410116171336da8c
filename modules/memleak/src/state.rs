//! What the detectors remember, as bytes: a restart of the daemon must not make leaked memory the new normal.
//!
//! Numbers follow each other, little-endian, in the order of the fields. Bytes come from a disk, so any
//! bytes are either understood or refused; what follows from numbers that make no sense is no worse than what
//! follows from a `/proc/meminfo` that makes none.

mod code;
mod detectors;

use core::fmt;

use crate::detection::Detection;
use code::{Reader, Writer};

/// Of the encoding, and of all that is in it.
const FORMAT: u16 = 6;

/// Why bytes are no state of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Another version of the module kept them.
    Format(u16),
    /// They are too few, too many, or name something that there is not.
    Garbage,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(format) => {
                write!(f, "it has format {format}, and this module knows {FORMAT}")
            }
            Self::Garbage => f.write_str("it makes no sense"),
        }
    }
}

/// Something that outlives the daemon.
trait Kept {
    fn write(&self, to: &mut Writer<'_>);

    /// Becomes what was written. `None` if the bytes cannot be understood.
    fn read(&mut self, from: &mut Reader<'_>) -> Option<()>;
}

/// Writes all that `detection` remembers into `bytes`, in the place of what was there.
pub(crate) fn write(detection: &Detection, bytes: &mut Vec<u8>) {
    bytes.clear();
    let mut to = Writer(bytes);
    to.u16(FORMAT);
    detection.write(&mut to);
}

/// Lets `detection` remember what was written.
///
/// # Errors
///
/// If the bytes cannot be understood. Then it has to be made anew.
pub(crate) fn read(detection: &mut Detection, bytes: &[u8]) -> Result<(), Refused> {
    let mut from = Reader(bytes);
    match from.u16() {
        Some(FORMAT) => {}
        Some(format) => return Err(Refused::Format(format)),
        None => return Err(Refused::Garbage),
    }
    detection.read(&mut from).ok_or(Refused::Garbage)?;
    from.is_at_end().then_some(()).ok_or(Refused::Garbage)
}

#[cfg(test)]
mod tests;

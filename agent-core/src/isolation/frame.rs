//! Frames between the daemon and the process of a module: a length, and so many bytes.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

/// Longer than any order: the kernel's files of a huge machine.
pub(super) const LONGEST_ORDER: u32 = 128 << 20;
/// Longer than any answer: 64 findings with all their evidence.
pub(super) const LONGEST_ANSWER: u32 = 8 << 20;

/// Frames are written from and read into buffers that are used again.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: Vec<u8>,
}

impl Frames {
    /// Writes one frame.
    ///
    /// # Errors
    ///
    /// If the other side is gone or does not listen.
    pub(super) fn write<T: Serialize>(
        &mut self,
        mut to: impl Write,
        message: &T,
    ) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        buffer.extend([0; 4]);
        let mut buffer = postcard::to_extend(message, buffer).map_err(io::Error::other)?;
        let length = u32::try_from(buffer.len() - 4).map_err(io::Error::other)?;
        buffer[..4].copy_from_slice(&length.to_ne_bytes());
        let written = to.write_all(&buffer);
        self.buffer = buffer;
        written
    }

    /// Reads one frame, which may borrow from the buffer.
    ///
    /// # Errors
    ///
    /// If the other side is gone, or what it says makes no sense.
    pub(super) fn read<'a, T: Deserialize<'a>>(
        &'a mut self,
        mut from: impl Read,
        longest: u32,
    ) -> io::Result<T> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let length = u32::from_ne_bytes(length);
        if length > longest {
            return Err(garbage(&format!("a frame of {length} bytes")));
        }
        self.buffer.clear();
        // Memory is taken as bytes come in, not as they are announced.
        let read = from.take(length.into()).read_to_end(&mut self.buffer)?;
        if read < length as usize {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        whole(&self.buffer)
    }
}

/// A message that is all of `bytes`.
///
/// # Errors
///
/// If it is not.
pub(super) fn whole<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> io::Result<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        Ok((_, rest)) => Err(garbage(&format!("{} bytes too many", rest.len()))),
        Err(error) => Err(garbage(&error.to_string())),
    }
}

/// The other side said something that makes no sense.
pub(super) fn garbage(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

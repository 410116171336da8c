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
    /// Returns an error if the other side is gone or does not listen.
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
    /// Returns an error if the other side is gone, or what it says makes no sense.
    pub(super) fn read<'a, T: Deserialize<'a>>(
        &'a mut self,
        from: impl Read,
        longest: u32,
    ) -> io::Result<T> {
        whole(self.fill(from, longest)?)
    }

    /// Reads the bytes of one frame.
    fn fill(&mut self, mut from: impl Read, longest: u32) -> io::Result<&[u8]> {
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
        Ok(&self.buffer)
    }
}

/// Reads one frame of a process, as the daemon does.
///
/// # Errors
///
/// Returns an error if it is too long, or not all of it comes.
pub fn frame_of_answer(from: impl Read) -> io::Result<Vec<u8>> {
    let mut frames = Frames::default();
    Ok(frames.fill(from, LONGEST_ANSWER)?.to_vec())
}

/// Reads a message that is all of `bytes`.
///
/// # Errors
///
/// Returns an error if it is not.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket that gives out one byte at a time.
    struct Dribble<'a>(&'a [u8]);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(1);
            self.0.read(&mut buffer[..count])
        }
    }

    fn written(messages: &[(u32, &str)]) -> Vec<u8> {
        let (mut frames, mut stream) = (Frames::default(), Vec::new());
        for message in messages {
            frames.write(&mut stream, message).unwrap();
        }
        stream
    }

    /// The message, or the kind of error and what it says.
    fn read(stream: &[u8]) -> Result<(u32, String), (io::ErrorKind, String)> {
        let mut frames = Frames::default();
        frames
            .read(stream, 100)
            .map_err(|error| (error.kind(), error.to_string()))
    }

    #[test]
    fn what_is_written_is_read_however_it_arrives() {
        let messages = [(1, "first"), (2, ""), (3, "third")];
        let stream = written(&messages);

        let mut from = Dribble(&stream);
        let mut frames = Frames::default();
        let read = messages.map(|_| {
            let (number, text): (u32, &str) = frames.read(&mut from, 100).unwrap();
            (number, text.to_owned())
        });

        assert_eq!(
            read,
            messages.map(|(number, text)| (number, text.to_owned()))
        );
        assert_eq!(from.0, b"");
    }

    #[test]
    fn a_frame_that_is_cut_off_anywhere_is_an_error() {
        let stream = written(&[(1, "text")]);

        for length in 0..stream.len() {
            let error = read(&stream[..length]).unwrap_err();

            assert_eq!(error.0, io::ErrorKind::UnexpectedEof, "{length}");
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_before_it_comes() {
        let length = 101_u32.to_ne_bytes();

        let error = read(&length).unwrap_err();

        assert_eq!(
            error,
            (
                io::ErrorKind::InvalidData,
                "a frame of 101 bytes".to_owned()
            )
        );
    }

    #[test]
    fn a_message_must_be_all_of_its_frame() {
        let mut stream = written(&[(1, "text")]);
        stream[..4].copy_from_slice(&8_u32.to_ne_bytes());
        stream.extend([0; 2]);

        let longer = read(&stream).unwrap_err();
        stream[..4].copy_from_slice(&3_u32.to_ne_bytes());
        let shorter = read(&stream).unwrap_err();

        assert_eq!(
            longer,
            (io::ErrorKind::InvalidData, "2 bytes too many".to_owned())
        );
        assert_eq!(shorter.0, io::ErrorKind::InvalidData);
    }

    #[test]
    fn memory_is_taken_for_what_came_and_not_for_what_was_announced() {
        let mut frames = Frames::default();
        let mut stream = LONGEST_ORDER.to_ne_bytes().to_vec();
        stream.extend([0; 100]);

        let read: io::Result<(u32, &str)> = frames.read(stream.as_slice(), LONGEST_ORDER);

        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(frames.buffer.capacity() < 1 << 20);
    }
}

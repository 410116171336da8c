//! Writes traces.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{Frame, Header};

/// The number of frames that are compressed together: a recorder that is killed loses no more than these.
const TOGETHER: usize = 32;
/// zstd's own default: the text of kernel files shrinks to about a tenth.
const LEVEL: i32 = 3;

/// The compression of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None: every frame is in the file once it is written.
    None,
    /// The compression of zstd.
    Zstd,
}

/// A trace that is being written.
#[derive(Debug)]
pub struct Writer<W: Write> {
    output: W,
    compression: Compression,
    /// Lines that are not written yet.
    pending: Vec<u8>,
    frames: usize,
    /// The contents of the files in the frame before.
    known: BTreeMap<String, Option<Vec<u8>>>,
}

impl<W: Write> Writer<W> {
    /// Starts a trace.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn new(output: W, compression: Compression, header: &Header) -> io::Result<Self> {
        let mut writer = Self {
            output,
            compression,
            pending: Vec::new(),
            frames: 0,
            known: BTreeMap::new(),
        };
        writer.line(&serde_json::to_string(header)?)?;
        Ok(writer)
    }

    /// Writes the contents of these files; those that did not change are left out.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn frame<'a>(
        &mut self,
        t_ms: u64,
        files: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
    ) -> io::Result<()> {
        let mut frame = Frame {
            t_ms,
            files: BTreeMap::new(),
        };
        for (path, content) in files {
            let path = path.trim_start_matches('/');
            if self
                .known
                .get(path)
                .is_some_and(|known| known.as_deref() == content)
            {
                continue;
            }
            self.known
                .insert(path.to_owned(), content.map(<[u8]>::to_vec));
            let text = content.map(|content| String::from_utf8_lossy(content).into_owned());
            frame.files.insert(path.to_owned(), text);
        }
        self.line(&serde_json::to_string(&frame)?)
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        self.pending.extend_from_slice(line.as_bytes());
        self.pending.push(b'\n');
        self.frames += 1;
        match self.compression {
            Compression::Zstd if self.frames % TOGETHER != 0 => Ok(()),
            Compression::Zstd | Compression::None => self.flush(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            match self.compression {
                Compression::None => self.output.write_all(&self.pending)?,
                // Compressed files may follow one another; together they are one.
                Compression::Zstd => {
                    zstd::stream::copy_encode(self.pending.as_slice(), &mut self.output, LEVEL)?;
                }
            }
            self.pending.clear();
        }
        self.output.flush()
    }

    /// Ends the trace, and gives the output back.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        Ok(self.output)
    }
}

//! Reads traces.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use adaptivemm_module_api::units::PageSize;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::held::{Held, MAX_HELD};
use super::{FORMAT, Frame, Header, TraceError, VERSION};

/// Longer than a frame of any machine (all files of 64 nodes with 512 CPUs are 6 MB).
const MAX_LINE: u64 = 32 << 20;
/// The start of every zstd file.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A trace that is being read.
pub struct Reader<R> {
    input: R,
    header: Header,
    line: u64,
    last: u64,
    held: Held,
    buffer: Vec<u8>,
    truncated: bool,
}

impl Reader<Box<dyn BufRead>> {
    /// Opens a trace, compressed or not.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or does not start like a trace.
    pub fn open(path: &Path) -> Result<Self, TraceError> {
        let mut input = BufReader::new(File::open(path).map_err(TraceError::Io)?);
        let start = input.fill_buf().map_err(TraceError::Io)?;
        if start.starts_with(&ZSTD_MAGIC) {
            let decoder = zstd::Decoder::with_buffer(input).map_err(TraceError::Io)?;
            return Self::new(Box::new(BufReader::new(decoder)));
        }
        Self::new(Box::new(input))
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads a trace that is not compressed.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or does not start like a trace.
    pub fn new(mut input: R) -> Result<Self, TraceError> {
        let mut buffer = Vec::new();
        if next_line(&mut input, &mut buffer, 1)? == Line::End {
            return Err(TraceError::Line {
                line: 1,
                reason: "the trace is empty".to_owned(),
            });
        }
        let header = header(&buffer)?;
        Ok(Self {
            input,
            header,
            line: 1,
            last: 0,
            held: Held::default(),
            buffer,
            truncated: false,
        })
    }

    /// The origin of the trace.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// True if the last line was cut off, as it is when the recorder is killed; it was left out.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The next frame; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the trace cannot be read, or a line is not a frame.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, TraceError> {
        if self.truncated {
            return Ok(None);
        }
        self.line += 1;
        let line = next_line(&mut self.input, &mut self.buffer, self.line)?;
        let frame: Frame = match (line, parse(&self.buffer)) {
            (Line::End, _) => return Ok(None),
            (Line::Whole | Line::CutOff, Ok(frame)) => frame,
            // A recorder that was killed leaves the start of a frame, and no more.
            (Line::CutOff, Err(error)) if error.is_eof() => {
                self.truncated = true;
                return Ok(None);
            }
            (Line::Whole | Line::CutOff, Err(error)) => {
                return Err(self.error(&format!("not a frame: {}", reason(&error))));
            }
        };
        if frame.t_ms < self.last {
            return Err(self.error(&format!(
                "t_ms is {}, earlier than {} in the frame before",
                frame.t_ms, self.last
            )));
        }
        if let Some(path) = frame
            .files
            .keys()
            .find(|path| path.is_empty() || path.starts_with('/'))
        {
            return Err(self.error(&format!(
                "expected a path without a leading slash, found {path:?}"
            )));
        }
        if !self.held.apply(&frame) {
            return Err(self.error(&format!(
                "the files of the machine have more than {} MiB together",
                MAX_HELD >> 20
            )));
        }
        self.last = frame.t_ms;
        Ok(Some(frame))
    }

    fn error(&self, reason: &str) -> TraceError {
        TraceError::Line {
            line: self.line,
            reason: reason.to_owned(),
        }
    }
}

impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("header", &self.header)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Whole,
    /// A line without a line feed, or at the end of a compressed file that is incomplete.
    CutOff,
    End,
}

fn next_line(
    input: &mut impl BufRead,
    buffer: &mut Vec<u8>,
    line: u64,
) -> Result<Line, TraceError> {
    buffer.clear();
    match input.take(MAX_LINE).read_until(b'\n', buffer) {
        // A killed recorder has left the start of its last compressed frames.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Line::CutOff),
        result => result.map_err(TraceError::Io)?,
    };
    if buffer.is_empty() {
        Ok(Line::End)
    } else if buffer.ends_with(b"\n") {
        Ok(Line::Whole)
    } else if buffer.len() as u64 == MAX_LINE {
        Err(TraceError::Line {
            line,
            reason: format!("longer than {} MiB", MAX_LINE >> 20),
        })
    } else {
        Ok(Line::CutOff)
    }
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(line.trim_ascii_end())
}

/// The reason why a line means nothing. Each line is parsed by itself, so "line 1" of the parser says nothing.
fn reason(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return format!("it ends in the middle, at column {}", error.column());
    }
    error
        .to_string()
        .replacen(" at line 1 column ", " at column ", 1)
}

/// The part of the header that every version has.
#[derive(Debug, Deserialize)]
struct Kind {
    format: String,
    version: u32,
}

fn header(line: &[u8]) -> Result<Header, TraceError> {
    // Fields that only a later version has are no reason to refuse it.
    let kind: Kind = parse(line).map_err(|source| malformed_header(&source))?;
    if kind.format != FORMAT {
        return Err(header_error(format!(
            "expected the format {FORMAT:?}, found {:?}",
            kind.format
        )));
    }
    if !(1..=VERSION).contains(&kind.version) {
        return Err(header_error(format!(
            "expected version {VERSION} or older, found {}",
            kind.version
        )));
    }
    let header: Header = parse(line).map_err(|source| malformed_header(&source))?;
    if let Some(bytes) = header
        .page_size
        .filter(|bytes| PageSize::new(*bytes).is_none())
    {
        return Err(header_error(format!(
            "expected a page_size that is a power of two of at least 1024, found {bytes}"
        )));
    }
    if header.period_ms == Some(0) {
        return Err(header_error(
            "expected a period_ms of at least 1".to_owned(),
        ));
    }
    Ok(header)
}

fn header_error(reason: String) -> TraceError {
    TraceError::Line { line: 1, reason }
}

fn malformed_header(source: &serde_json::Error) -> TraceError {
    header_error(format!(
        "a trace starts with {{\"format\":\"{FORMAT}\",\"version\":{VERSION},...}}: {}",
        reason(source)
    ))
}

//! The text that the process of a module writes to its standard error: worth telling once it has died.

use std::fs::File;
use std::io::Read;

use crate::base::clean_text;

/// The length of the part that is told, in bytes.
const MOST: usize = 500;
/// A pipe holds 64 KiB; whoever writes more at a time is not heard out.
const CHUNKS: usize = 16;

/// Our end of the pipe, and the end of what came through it.
#[derive(Debug)]
pub(super) struct LastWords {
    pipe: File,
    tail: Vec<u8>,
}

impl LastWords {
    /// Reads from a pipe that does not wait.
    pub(super) fn from(pipe: File) -> Self {
        let tail = Vec::new();
        Self { pipe, tail }
    }

    /// Takes what there is, so that the pipe does not become full: writing to it would fail then.
    pub(super) fn listen(&mut self) {
        let mut chunk = [0; 4096];
        for _ in 0..CHUNKS {
            match self.pipe.read(&mut chunk) {
                Ok(0) | Err(_) => return,
                Ok(read) => self.keep(&chunk[..read]),
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.tail.extend(bytes);
        let old = self.tail.len().saturating_sub(MOST);
        self.tail.drain(..old);
    }

    /// The end of what was written, as the end of a sentence; empty if nothing was.
    pub(super) fn told(&mut self) -> String {
        self.listen();
        let text = String::from_utf8_lossy(&self.tail);
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        format!(
            "; it said: {}",
            clean_text::line(lines.join(" / ").as_bytes())
        )
    }
}

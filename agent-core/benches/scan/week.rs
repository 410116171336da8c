//! A week in the life of this machine, made up: a trace in which every file changes with every frame.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use agent_core::kernel::trace::{Compression, Header, Writer};

use crate::tree::live;

/// Between two frames.
const PERIOD_MS: u64 = 30_000;
pub(crate) const FRAMES: u64 = 7 * 24 * 60 * 60 * 1000 / PERIOD_MS;

const POOL: &str = "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";

const FILES: [&str; 4] = [
    "proc/buddyinfo",
    "proc/meminfo",
    "proc/vmstat",
    "proc/zoneinfo",
];

/// What does not change while a machine runs.
const CONSTANT: [&str; 20] = [
    "MemTotal:",
    "SwapTotal:",
    "CommitLimit:",
    "VmallocTotal:",
    "Hugepagesize:",
    "boost",
    "min",
    "low",
    "high",
    "promo",
    "spanned",
    "present",
    "managed",
    "protection:",
    "high:",
    "batch:",
    "high_min:",
    "high_max:",
    "start_pfn:",
    "cpu:",
];

/// A file whose numbers move.
#[derive(Debug)]
struct Moving {
    /// Words, and the number after them.
    parts: Vec<(String, Option<u64>)>,
}

impl Moving {
    fn new(text: &str) -> Self {
        let mut parts = vec![(String::new(), None)];
        for line in text.split_inclusive('\n') {
            let key = line.split_whitespace().next().unwrap_or_default();
            if CONSTANT.contains(&key) {
                parts.last_mut().unwrap().0.push_str(line);
            } else {
                Self::take_line(&mut parts, line);
            }
        }
        Self { parts }
    }

    /// Small numbers are of pools that are hardly used, and stay.
    fn take_line(parts: &mut Vec<(String, Option<u64>)>, line: &str) {
        for word in line.split_inclusive([' ', '\n']) {
            let number = word.trim_end().parse::<u64>();
            let last = parts.last_mut().unwrap();
            match number {
                Ok(number) if number >= 100 => {
                    last.1 = Some(number);
                    parts.push((word[word.trim_end().len()..].to_owned(), None));
                }
                _ => last.0.push_str(word),
            }
        }
    }

    /// The text of a frame. No number moves by more than 512 (kB, pages or events) around what it was
    /// on this machine: a healthy machine, about which there is nothing to say.
    fn print(&self, noise: &mut Noise, text: &mut String) {
        text.clear();
        for (output, number) in &self.parts {
            text.push_str(output);
            if let Some(number) = number {
                let span = number.min(&4096) / 8;
                write!(text, "{}", number - span / 2 + noise.next() % (span + 1)).unwrap();
            }
        }
    }
}

/// Numbers that look like chance and are the same every time (xorshift).
#[derive(Debug)]
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Writes the trace, compressed as a recorder does. Returns how many bytes the kernel printed.
pub(crate) fn write(path: &Path) -> usize {
    let page_size = rustix::param::page_size() as u64;
    let header = Header::new(
        "",
        std::env::consts::ARCH,
        page_size,
        PERIOD_MS,
        "a week, made up",
    );
    let output = BufWriter::new(File::create(path).unwrap());
    let mut trace = Writer::new(output, Compression::Zstd, &header).unwrap();
    let moving = FILES.map(|path| Moving::new(&live(path)));
    let mut texts = FILES.map(|_| String::new());
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut len = 0;
    for frame in 0..FRAMES {
        for (file, text) in moving.iter().zip(&mut texts) {
            file.print(&mut noise, text);
            len += text.len();
        }
        let changed = FILES
            .iter()
            .zip(&texts)
            .map(|(path, text)| (*path, Some(text.as_bytes())));
        let pool = [(POOL, Some(b"0\n".as_slice()))];
        trace.frame(frame * PERIOD_MS, changed.chain(pool)).unwrap();
    }
    trace.finish().unwrap();
    len
}

//! Talks to the daemon itself, through descriptor 0, as the process of a module does.

use std::process;

use adaptivemm_module_api::{Out, Snapshot};

use crate::delays;

unsafe extern "C" {
    #[link_name = "close"]
    safe fn close_descriptor(descriptor: i32) -> i32;
    fn write(descriptor: i32, bytes: *const u8, count: usize) -> isize;
}

fn tell(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the bytes are there.
        let written = unsafe { write(0, bytes.as_ptr(), bytes.len()) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => bytes = &bytes[written..],
            _ => return,
        }
    }
}

fn frame(content: &[u8]) {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    tell(&[&length.to_ne_bytes(), content].concat());
}

/// The socket is gone, the process is not.
pub(crate) fn close() {
    close_descriptor(0);
    delays::hang();
}

pub(crate) fn garbage() {
    tell(b"GET / HTTP/1.0\r\n\r\n");
    delays::hang();
}

pub(crate) fn truncated() {
    tell(&100_u32.to_ne_bytes());
    tell(b"half a");
    process::exit(0);
}

pub(crate) fn huge_length() {
    tell(&u32::MAX.to_ne_bytes());
    delays::hang();
}

/// An answer with a request that was never declared.
pub(crate) fn request(snapshot: &Snapshot<'_>, _: &mut Out<'_>) {
    let mut answer = Answer::to(snapshot.scan());
    answer.numbers(&[0, 1, 0]);
    answer.text("kernel.core_pattern");
    answer.numbers(&[2]);
    answer.text("forged");
    answer.text("not declared\nnot allowed");
    answer.numbers(&[0]);
    answer.end();
    frame(&answer.0);
    delays::hang();
}

/// As many findings as fit into the longest answer, with nothing in them.
pub(crate) fn much(snapshot: &Snapshot<'_>, _: &mut Out<'_>) {
    const COUNT: u32 = 1_300_000;
    let mut answer = Answer::to(snapshot.scan());
    answer.numbers(&[COUNT]);
    for _ in 0..COUNT {
        answer.0.extend([7, 0, 0, 0, 0, 0]);
    }
    answer.numbers(&[0]);
    answer.end();
    frame(&answer.0);
    delays::hang();
}

pub(crate) fn wrong_scan(snapshot: &Snapshot<'_>, _: &mut Out<'_>) {
    let mut answer = Answer::to(snapshot.scan() + 7);
    answer.numbers(&[0, 0]);
    answer.end();
    frame(&answer.0);
    delays::hang();
}

/// What the process of a module says after a scan, in the format of postcard.
struct Answer(Vec<u8>);

impl Answer {
    /// The number of the scan, and that all went well. Findings and requests follow.
    fn to(scan: u64) -> Self {
        let mut answer = Self(Vec::new());
        answer.numbers(&[u32::try_from(scan).unwrap_or_default(), 0]);
        answer
    }

    fn numbers(&mut self, numbers: &[u32]) {
        for &number in numbers {
            let mut rest = number;
            while rest >= 0x80 {
                self.0.push(rest.to_le_bytes()[0] | 0x80);
                rest >>= 7;
            }
            self.0.push(rest.to_le_bytes()[0]);
        }
    }

    fn text(&mut self, text: &str) {
        self.numbers(&[u32::try_from(text.len()).unwrap_or_default()]);
        self.0.extend(text.bytes());
    }

    /// No metrics, no status, no problems, nothing dropped, no strays, nothing refused, nothing unpublished, nothing kept.
    fn end(&mut self) {
        self.numbers(&[0; 8]);
    }
}

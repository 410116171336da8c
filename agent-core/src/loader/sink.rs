//! Takes a module's words: copied, capped, and free of control characters before anyone sees them.
#![expect(
    unsafe_code,
    reason = "reads what a module lends for the length of a call"
)]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use adaptivemm_module_api::{Severity, abi};

use crate::arbiter::{Answer, Permit};
use crate::words::{Action, Finding, Number, Request, Words};

/// The longest name, code or key that is taken.
const MAX_NAME: usize = 64;
/// The longest line that is taken.
const MAX_LINE: usize = 4096;
/// The longest evidence that is taken; `/proc/meminfo` is about 1.5 KiB.
const MAX_DETAILS: usize = 64 << 10;
/// The most numbers that are taken with one finding.
const MAX_NUMBERS: usize = 64;

/// Where the words of one call go.
struct Collector<'a> {
    words: &'a mut Words,
    permit: &'a Permit,
}

/// Lends a sink to `call`. What the module said is in `words` afterwards.
pub(super) fn lend<R>(
    words: &mut Words,
    permit: &Permit,
    call: impl FnOnce(*const abi::Sink) -> R,
) -> R {
    let mut collector = Collector { words, permit };
    let sink = abi::Sink {
        struct_size: abi::size_of_u32::<abi::Sink>(),
        pad: 0,
        context: (&raw mut collector).cast(),
        finding: Some(finding),
        request: Some(request),
        metric: Some(metric),
        status: Some(status),
        problem: Some(problem),
    };
    call(&raw const sink)
}

/// A string that the other side lends, copied; as long as a line may be.
pub(super) fn owned_text(text: abi::Str) -> String {
    let mut copy = String::new();
    copy_text(text, MAX_LINE, Lines::One, &mut copy);
    copy
}

/// The elements of an array that the other side lends.
pub(super) fn elements<T: abi::Versioned>(seq: abi::Seq<T>) -> impl Iterator<Item = T> {
    // SAFETY: a module's arrays are well formed; that is its side of the contract.
    (0..seq.len()).filter_map(move |index| unsafe { seq.get(index) })
}

/// Whether a text may have several lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Many,
}

/// Appends a lent string: what is not UTF-8 is replaced, control characters become blanks, and what is
/// too long is cut.
fn copy_text(text: abi::Str, max: usize, lines: Lines, copy: &mut String) {
    // SAFETY: a module's strings live as long as the call; that is its side of the contract.
    let bytes = unsafe { text.bytes() };
    let cut = &bytes[..bytes.len().min(max)];
    if let Some(plain) = plain_text(cut) {
        copy.push_str(plain);
        return;
    }
    let before = copy.len();
    for chunk in cut.utf8_chunks() {
        copy.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            copy.push(char::REPLACEMENT_CHARACTER);
        }
    }
    let is_bad = |c: char| c.is_control() && !(lines == Lines::Many && c == '\n');
    if copy[before..].contains(is_bad) {
        let clean = copy[before..].replace(is_bad, " ");
        copy.truncate(before);
        copy.push_str(&clean);
    }
}

/// A text that can be taken as it is: printable ASCII, as nearly all words are.
fn plain_text(bytes: &[u8]) -> Option<&str> {
    // Without a way out in the middle it is done many bytes at a time.
    let is_plain = |plain, byte| plain & (b' '..=b'~').contains(byte);
    let text = std::str::from_utf8(bytes).ok();
    text.filter(|_| bytes.iter().fold(true, is_plain))
}

fn short_text(text: abi::Str) -> String {
    let mut copy = String::new();
    copy_text(text, MAX_NAME, Lines::One, &mut copy);
    copy
}

fn numbers(seq: abi::Seq<abi::Number>) -> Vec<Number> {
    let number = |number: abi::Number| Number {
        name: short_text(number.name),
        value: number.value,
    };
    elements(seq).take(MAX_NUMBERS).map(number).collect()
}

/// Runs our side of a call so that no panic of ours unwinds into a module.
fn take(context: *mut c_void, take: impl FnOnce(&mut Collector<'_>) -> i32) -> i32 {
    // SAFETY: the context is the collector that `lend` keeps alive for the call, on this thread.
    let Some(collector) = (unsafe { context.cast::<Collector<'_>>().as_mut() }) else {
        return abi::INVALID;
    };
    catch_unwind(AssertUnwindSafe(|| take(collector))).unwrap_or(abi::FAILED)
}

unsafe extern "C" fn finding(context: *mut c_void, raw: *const abi::Finding) -> i32 {
    take(context, |collector| {
        // SAFETY: a module passes null or a sized structure that lives for the call.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return abi::INVALID;
        };
        let severity = match raw.severity {
            0..=3 => Severity::Error,
            4 => Severity::Warning,
            5 => Severity::Notice,
            6 => Severity::Info,
            _ => Severity::Debug,
        };
        let mut details = String::new();
        copy_text(raw.details, MAX_DETAILS, Lines::Many, &mut details);
        collector.words.add_finding(Finding {
            severity,
            verbosity: u8::try_from(raw.verbosity).unwrap_or(u8::MAX).min(5),
            code: short_text(raw.code),
            text: owned_text(raw.text),
            details,
            numbers: numbers(raw.numbers),
        });
        abi::OK
    })
}

unsafe extern "C" fn request(context: *mut c_void, raw: *const abi::Request) -> i32 {
    take(context, |collector| {
        // SAFETY: a module passes null or a sized structure that lives for the call.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return abi::INVALID;
        };
        let action = match raw.kind {
            abi::SET_TUNABLE => Action::Set {
                tunable: short_text(raw.tunable),
                value: raw.value,
            },
            abi::COMPACT_NODE => Action::CompactNode { node: raw.node },
            _ => return abi::UNSUPPORTED,
        };
        match collector.permit.answer(&action) {
            Answer::Taken => {}
            Answer::Denied => return abi::DENIED,
            Answer::Unsupported => return abi::UNSUPPORTED,
            Answer::OutOfRange => return abi::INVALID,
        }
        let (reason, numbers) = (owned_text(raw.reason), numbers(raw.numbers));
        collector.words.add_request(Request {
            action,
            reason,
            numbers,
        });
        abi::OK
    })
}

unsafe extern "C" fn metric(context: *mut c_void, name: abi::Str, value: f64) -> i32 {
    take(context, |collector| {
        collector
            .words
            .add_metric(|to| copy_text(name, MAX_NAME, Lines::One, to), value);
        abi::OK
    })
}

unsafe extern "C" fn status(context: *mut c_void, line: abi::Str) -> i32 {
    take(context, |collector| {
        collector.words.status.clear();
        copy_text(line, MAX_LINE, Lines::One, &mut collector.words.status);
        abi::OK
    })
}

unsafe extern "C" fn problem(context: *mut c_void, raw: *const abi::Problem) -> i32 {
    take(context, |collector| {
        // SAFETY: a module passes null or a sized structure that lives for the call.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return abi::INVALID;
        };
        if collector.words.problems.len() < MAX_NUMBERS {
            collector
                .words
                .problems
                .push((short_text(raw.key), owned_text(raw.text)));
        }
        abi::OK
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(bytes: &[u8], lines: Lines) -> String {
        let mut copy = "> ".to_owned();
        copy_text(abi::Str::of_bytes(bytes), 12, lines, &mut copy);
        copy
    }

    #[test]
    fn words_are_copied_up_to_a_length_and_cleaned() {
        let texts: [&[u8]; 6] = [
            b"",
            b"plain ~text",
            b"much too long",
            "10 % größer".as_bytes(),
            b"a\x1b[2Jb\nc",
            b"\xffnot UTF-8",
        ];

        let copies = texts.map(|text| copied(text, Lines::One));

        assert_eq!(
            copies,
            [
                "> ",
                "> plain ~text",
                "> much too lon",
                "> 10 % größe",
                "> a [2Jb c",
                "> \u{fffd}not UTF-8"
            ]
        );
    }

    #[test]
    fn details_keep_their_lines() {
        assert_eq!(copied(b"a\tb\nc\n", Lines::Many), "> a b\nc\n");
    }
}

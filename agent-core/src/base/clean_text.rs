//! Makes the text of other people fit for a log: valid, short, and without control characters.

use std::borrow::Cow;

/// The longest name, code or key that is taken, in bytes.
pub(crate) const MAX_NAME: usize = 64;
/// The longest line that is taken, in bytes.
pub(crate) const MAX_LINE: usize = 4096;
/// The longest evidence that is taken, in bytes; `/proc/meminfo` is about 1.5 KiB.
pub(crate) const MAX_DETAILS: usize = 64 << 10;

/// The number of lines that a text may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    One,
    Many,
}

/// Appends a text to `copy`: bytes that are not UTF-8 are replaced, control characters become blanks, and a text
/// of more than `max` bytes is cut.
pub(crate) fn append(bytes: &[u8], max: usize, lines: Lines, copy: &mut String) {
    let cut = cut(bytes, max);
    if let Some(plain) = plain(cut) {
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
    let kept: &[char] = match lines {
        Lines::One => &[],
        Lines::Many => &['\n'],
    };
    if let Cow::Owned(clean) = without_controls(&copy[before..], kept) {
        copy.truncate(before);
        copy.push_str(&clean);
    }
    // The replacement character may be longer than the bytes that it replaces.
    let mut end = copy.len().min(before + max);
    while !copy.is_char_boundary(end) {
        end -= 1;
    }
    copy.truncate(end);
}

/// The beginning of a text, which does not end within a character.
fn cut(bytes: &[u8], max: usize) -> &[u8] {
    let Some(next) = bytes.get(max) else {
        return bytes;
    };
    if !is_inside_character(*next) {
        return &bytes[..max];
    }
    // A character has four bytes at most.
    let starts = (max.saturating_sub(3)..max).rev();
    let start = starts
        .into_iter()
        .find(|&start| !is_inside_character(bytes[start]));
    &bytes[..start.unwrap_or(max)]
}

/// True for the bytes of a UTF-8 character after its first.
fn is_inside_character(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// A text of several lines that is shown on a terminal: control characters become blanks, but for the ends of lines and tabs.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    without_controls(text, &['\n', '\t'])
}

/// A text with a blank in place of each control character that is not one of `kept`.
fn without_controls<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    if text.chars().any(|c| acts(c) && !kept.contains(&c)) {
        Cow::Owned(text.replace(|c| acts(c) && !kept.contains(&c), " "))
    } else {
        Cow::Borrowed(text)
    }
}

/// A clean name, code or key.
pub(crate) fn name(bytes: &[u8]) -> String {
    cleaned(bytes, MAX_NAME, Lines::One)
}

/// A clean text of one line.
pub(crate) fn line(bytes: &[u8]) -> String {
    cleaned(bytes, MAX_LINE, Lines::One)
}

/// Clean lines of evidence.
pub(crate) fn details(bytes: &[u8]) -> String {
    cleaned(bytes, MAX_DETAILS, Lines::Many)
}

fn cleaned(bytes: &[u8], max: usize, lines: Lines) -> String {
    let mut copy = String::new();
    append(bytes, max, lines, &mut copy);
    copy
}

/// A text that can be taken as it is: printable ASCII, as nearly all words are.
fn plain(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok();
    // A fold has no early exit, so that many bytes are compared at a time.
    text.filter(|_| {
        bytes
            .iter()
            .fold(true, |plain, byte| plain & (b' '..=b'~').contains(byte))
    })
}

/// True if a character does something to a terminal or to the lines of a log: the controls, the two
/// separators of lines and paragraphs, and those that turn the direction of the text around.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text for people, without the ` (os error 2)` that the standard library adds to what the kernel says: the words before
/// it say the same.
pub(crate) fn without_error_numbers(text: &str) -> Cow<'_, str> {
    const BEGIN: &str = " (os error ";
    let mut parts = text.split(BEGIN);
    let mut kept = match parts.next() {
        Some(first) if first.len() < text.len() => first.to_owned(),
        _ => return Cow::Borrowed(text),
    };
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let has_number = rest.len() < part.len();
        if let Some(rest) = rest.strip_prefix(')').filter(|_| has_number) {
            kept.push_str(rest);
        } else {
            kept.push_str(BEGIN);
            kept.push_str(part);
        }
    }
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(bytes: &[u8], lines: Lines) -> String {
        let mut copy = "> ".to_owned();
        append(bytes, 12, lines, &mut copy);
        copy
    }

    #[test]
    fn words_are_copied_up_to_a_length_and_cleaned() {
        let texts: [&[u8]; 7] = [
            b"",
            b"plain ~text",
            b"much too long",
            "10 % größer".as_bytes(),
            b"a\x1b[2Jb\nc",
            b"\xffnot UTF-8",
            "a\u{202e}b\u{2028}c".as_bytes(),
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
                "> \u{fffd}not UTF-8",
                "> a b c"
            ]
        );
    }

    #[test]
    fn a_text_is_cut_between_characters_and_stays_within_its_length() {
        let texts: [&[u8]; 5] = [
            "12345678901€".as_bytes(),
            "123456789€€".as_bytes(),
            "12345678😀😀".as_bytes(),
            &[0xff; 40],
            &[0x80; 40],
        ];

        let copies = texts.map(|text| copied(text, Lines::One));

        let marks = format!("> {}", "\u{fffd}".repeat(4));
        assert_eq!(
            copies,
            [
                "> 12345678901",
                "> 123456789€",
                "> 12345678😀",
                &marks,
                &marks
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn what_is_clean_stays_as_it_is(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
            text in "\\PC{0,20}",
            max in 0_usize..40,
        ) {
            for bytes in [bytes.as_slice(), text.as_bytes()] {
                for lines in [Lines::One, Lines::Many] {
                    let once = cleaned(bytes, max, lines);
                    let twice = cleaned(once.as_bytes(), max, lines);

                    proptest::prop_assert!(once.len() <= max);
                    proptest::prop_assert_eq!(once, twice);
                }
            }
        }
    }

    #[test]
    fn the_numbers_of_errors_are_left_out_and_nothing_else() {
        let without = [
            "cannot read /a: No such file or directory (os error 2); what depends on it is left out",
            "a (os error 13), b (os error 28)",
            "a (os error of mine) (os error ) (os error 7",
            "nothing",
        ]
        .map(|text| without_error_numbers(text).into_owned());

        assert_eq!(
            without,
            [
                "cannot read /a: No such file or directory; what depends on it is left out",
                "a, b",
                "a (os error of mine) (os error ) (os error 7",
                "nothing",
            ]
        );
    }

    #[test]
    fn details_keep_their_lines() {
        assert_eq!(copied(b"a\tb\nc\n", Lines::Many), "> a b\nc\n");
    }
}

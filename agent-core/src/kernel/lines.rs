//! Lines of a kernel file, and those of the form `key number`, with their places in the text.

use std::ops::Range;

use super::error::ParseError;

/// The text of a kernel file, which is ASCII and ends with a whole line.
pub(crate) fn whole_lines(text: &[u8]) -> Result<&str, ParseError> {
    let text = std::str::from_utf8(text)
        .map_err(|_| ParseError::new("text", &String::from_utf8_lossy(text)))?;
    if text.is_empty() || text.ends_with('\n') {
        return Ok(text);
    }
    let last = text.lines().last().unwrap_or_default();
    Err(ParseError::cut_off(last))
}

/// The lines of a text, each with the place of its start.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |start, line| {
        let at = *start;
        *start += line.len();
        Some((at, line.strip_suffix('\n').unwrap_or(line)))
    })
}

/// The places of the parts of a `key number rest` line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeyNumber<'a> {
    pub(crate) key: Range<usize>,
    pub(crate) digits: Range<usize>,
    /// The text after the number.
    pub(crate) rest: &'a str,
}

/// Takes `line`, which starts at `at`, apart: blanks, a key without blanks, blanks, digits, the rest.
pub(crate) fn key_number(at: usize, line: &str) -> Option<KeyNumber<'_>> {
    let key_start = line.len() - line.trim_start_matches(' ').len();
    let key_len = line[key_start..].find(' ')?;
    let key_end = key_start + key_len;
    let digits_start = line.len() - line[key_end..].trim_start_matches(' ').len();
    let rest = line[digits_start..].trim_start_matches(|c: char| c.is_ascii_digit());
    let digits_end = line.len() - rest.len();
    (key_len > 0 && digits_end > digits_start).then(|| KeyNumber {
        key: at + key_start..at + key_end,
        digits: at + digits_start..at + digits_end,
        rest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_apart_with_the_places_of_its_parts() {
        let parts = key_number(100, "  nr_free  42 kB");

        assert_eq!(
            parts,
            Some(KeyNumber {
                key: 102..109,
                digits: 111..113,
                rest: " kB"
            })
        );
    }

    #[test]
    fn a_line_that_is_not_a_key_and_a_number_is_none() {
        let refused =
            ["", " ", "key", "key ", "key -1", " 12", "key x1"].map(|line| key_number(0, line));

        assert_eq!(refused, [const { None }; 7]);
    }
}

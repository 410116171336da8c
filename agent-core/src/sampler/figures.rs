//! Numbers at known places in a text that keeps its shape.
//!
//! A kernel file is printed by the same code every time: its words stay, its numbers change. So it is
//! parsed once, which yields where its numbers stand; after that a reading costs one comparison of the
//! words in between and the conversion of the digits. A text of another shape is parsed anew.

use std::ops::Range;

/// Where a number is kept in [`Figures`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(u32);

/// A named number of a kernel file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    key: (u32, u32),
    slot: Slot,
    unit: u64,
}

/// The numbers of one kernel file, and the text that gives them their meaning.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    /// What was parsed; its words are those of the last reading, its digits need not be.
    shape: String,
    /// For each number: the words before it (without the blanks that align it), and its digits.
    places: Vec<Place>,
    values: Vec<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    words: (u32, u32),
    digits_end: u32,
}

impl Figures {
    /// Takes the numbers from a text of the same shape. `false` if the shape is another one; then all
    /// is forgotten.
    #[must_use]
    pub(crate) fn refresh(&mut self, text: &[u8]) -> bool {
        let same = !self.places.is_empty() && self.take_numbers(text);
        if !same {
            self.reshape("");
        }
        same
    }

    fn take_numbers(&mut self, text: &[u8]) -> bool {
        let shape = self.shape.as_bytes();
        let mut rest = text;
        for (place, value) in self.places.iter().zip(&mut self.values) {
            let words = &shape[place.words.0 as usize..place.words.1 as usize];
            let Some(number) = after_words(rest, words).and_then(leading_number) else {
                return false;
            };
            (*value, rest) = number;
        }
        let end = self
            .places
            .last()
            .map_or(0, |place| place.digits_end as usize);
        rest == &shape[end..]
    }

    /// Forgets everything and takes `text` as the new shape, with no numbers found in it yet.
    ///
    /// Offsets are kept in 32 bits; a text beyond that is cut, and then lacks its end.
    pub(crate) fn reshape(&mut self, text: &str) {
        self.shape.clear();
        self.shape.push_str(if u32::try_from(text.len()).is_ok() {
            text
        } else {
            ""
        });
        self.places.clear();
        self.values.clear();
    }

    /// The text that was parsed last.
    pub(crate) fn shape(&self) -> &str {
        &self.shape
    }

    /// Takes note of the number whose digits stand at `digits`. Numbers must be noted in the order of
    /// the text. `None` if it is not a number, or too large for one.
    pub(crate) fn note(&mut self, digits: Range<usize>) -> Option<Slot> {
        let value = self.shape.get(digits.clone())?.parse().ok()?;
        let start = self.places.last().map_or(0, |place| place.digits_end);
        let words_end = self.shape[..digits.start].trim_end_matches(' ').len();
        let slot = Slot(narrow(self.places.len()));
        self.places.push(Place {
            words: (start, narrow(words_end).max(start)),
            digits_end: narrow(digits.end),
        });
        self.values.push(value);
        Some(slot)
    }

    /// A named number: `key` is where its name stands, `unit` what one of it is worth.
    pub(crate) fn entry(
        &mut self,
        key: Range<usize>,
        digits: Range<usize>,
        unit: u64,
    ) -> Option<Entry> {
        let slot = self.note(digits)?;
        Some(Entry {
            key: (narrow(key.start), narrow(key.end)),
            slot,
            unit,
        })
    }

    /// A number as it was printed last.
    pub(crate) fn value(&self, slot: Slot) -> u64 {
        self.values[slot.0 as usize]
    }

    /// A named number in its unit, or the largest there is.
    pub(crate) fn amount(&self, entry: &Entry) -> u64 {
        self.value(entry.slot).saturating_mul(entry.unit)
    }

    /// The name of a number.
    pub(crate) fn key(&self, entry: &Entry) -> &str {
        &self.shape[entry.key.0 as usize..entry.key.1 as usize]
    }
}

/// `reshape` keeps every offset below 2^32.
fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// What follows `words` at the start of `text`; `None` if it starts with something else.
///
/// Words are a line or two. To compare them eight bytes at a time takes half as long as a call of
/// `memcmp` for each.
fn after_words<'a>(text: &'a [u8], words: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(words.len())?;
    let is_same = match (start.last_chunk::<8>(), words.last_chunk::<8>()) {
        // The last eight bytes may overlap those before.
        (Some(end), Some(expected)) => {
            end == expected
                && start
                    .chunks_exact(8)
                    .zip(words.chunks_exact(8))
                    .all(|(eight, expected)| eight == expected)
        }
        _ => start
            .iter()
            .zip(words)
            .all(|(byte, expected)| byte == expected),
    };
    is_same.then_some(rest)
}

/// The number at the start of `text`, blanks before it skipped, and what follows it. `None` if there is
/// none, it does not fit, or no blank sets it apart from the words.
fn leading_number(text: &[u8]) -> Option<(u64, &[u8])> {
    let blanks = text.iter().position(|&byte| byte != b' ')?;
    let text = text.get(blanks..).filter(|_| blanks > 0)?;
    let mut value = 0_u64;
    let mut length = 0;
    while let Some(digit) = text
        .get(length)
        .map(|byte| byte.wrapping_sub(b'0'))
        .filter(|&digit| digit < 10)
    {
        // 19 digits always fit.
        value = if length < 19 {
            value * 10 + u64::from(digit)
        } else {
            value.checked_mul(10)?.checked_add(u64::from(digit))?
        };
        length += 1;
    }
    (length > 0).then(|| (value, &text[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> (Figures, Slot, Slot) {
        let mut figures = Figures::default();
        figures.reshape("free:    12 kB\nused:  7\n");
        let free = figures.note(9..11).unwrap();
        let used = figures.note(22..23).unwrap();
        (figures, free, used)
    }

    #[test]
    fn a_text_of_the_same_shape_gives_new_numbers() {
        let (mut figures, free, used) = figures();

        let same = figures.refresh(b"free: 18446744073709551615 kB\nused: 1234\n");

        assert!(same);
        assert_eq!((figures.value(free), figures.value(used)), (u64::MAX, 1234));
    }

    #[test]
    fn a_text_of_another_shape_is_refused() {
        let others: [&[u8]; 9] = [
            b"",
            b"free:    12 kB\nused:  7",
            b"free:    12 kB\nused:  7\nmore: 1\n",
            b"free:    12 kB\n",
            b"free:    12 MB\nused:  7\n",
            b"free:       kB\nused:  7\n",
            b"free:    -2 kB\nused:  7\n",
            b"free: 18446744073709551616 kB\nused:  7\n",
            b"free:12 kB\nused:  7\n",
        ];

        for other in others {
            assert!(
                !figures().0.refresh(other),
                "{}",
                String::from_utf8_lossy(other)
            );
        }
    }
}

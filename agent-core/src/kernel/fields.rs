//! Numbers at known places in a text that keeps its shape.
//!
//! A kernel file is printed by the same code every time: its words stay, its numbers change. So it is
//! parsed once, which yields where its numbers stand; after that a reading costs one comparison with the
//! text before, and the conversion of the numbers that changed. A text of another shape is parsed anew.

use std::ops::Range;

/// The place of a number in [`Fields`].
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
pub(crate) struct Fields {
    /// The text that was parsed; its words are those of the last reading, its digits need not be.
    shape: String,
    places: Vec<Place>,
    values: Vec<u64>,
    /// The text of the last reading.
    last: Vec<u8>,
}

/// The place of a number in the text.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The words before it in the shape, without the blanks that align it.
    words: (u32, u32),
    /// The end of its digits in the shape.
    digits_end: u32,
    /// The end of its digits in the last text.
    last_end: u32,
}

impl Entry {
    fn key_len(&self) -> usize {
        (self.key.1 - self.key.0) as usize
    }
}

impl Fields {
    /// Takes the numbers from a text of the same shape. Returns false if the shape is another one; then
    /// everything is forgotten.
    #[must_use]
    pub(crate) fn refresh(&mut self, text: &[u8]) -> bool {
        let same = !self.places.is_empty() && self.take_numbers(text);
        if !same {
            self.reshape("");
        }
        same
    }

    /// Takes a new number wherever the text differs from the last one. After it both are compared again, as they may
    /// be some digits apart from there on.
    fn take_numbers(&mut self, text: &[u8]) -> bool {
        let shape = self.shape.as_bytes();
        // The starts of the comparison in the last text and in this one, and the length of the equal part.
        let (mut old, mut new) = (0, 0);
        let mut same = common_start(&self.last, text);
        let mut end_before = 0;
        for (place, value) in self.places.iter_mut().zip(&mut self.values) {
            let end = place.last_end as usize;
            // The text after a number must be the same, too, or the number may have become longer.
            if end < old + same {
                place.last_end = narrow(new + end - old);
            } else {
                let words = &shape[place.words.0 as usize..place.words.1 as usize];
                let rest = &text[new + end_before - old..];
                let Some((number, rest)) = rest.strip_prefix(words).and_then(leading_number) else {
                    return false;
                };
                *value = number;
                (old, new) = (end, text.len() - rest.len());
                place.last_end = narrow(new);
                same = common_start(&self.last[old..], rest);
            }
            end_before = end;
        }
        let is_same = (old + same, new + same) == (self.last.len(), text.len());
        self.last.clear();
        self.last.extend_from_slice(text);
        is_same
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
        self.last.clear();
        // Room for numbers that become longer.
        self.last.reserve(2 * self.shape.len());
        self.last.extend_from_slice(self.shape.as_bytes());
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
            last_end: narrow(digits.end),
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

    /// The names and amounts of these numbers.
    pub(crate) fn named<'a>(
        &'a self,
        entries: &'a [Entry],
    ) -> impl ExactSizeIterator<Item = (&'a str, u64)> {
        entries
            .iter()
            .map(|entry| (self.key(entry), self.amount(entry)))
    }

    /// The amount of the number of this name; `None` if there is none.
    pub(crate) fn named_one(&self, entries: &[Entry], name: &str) -> Option<u64> {
        // Most names are of another length, which is quickly seen.
        let mut same_length = entries.iter().filter(|entry| entry.key_len() == name.len());
        let entry = same_length.find(|entry| self.key(entry) == name)?;
        Some(self.amount(entry))
    }

    /// A named number in its unit, or the largest there is.
    fn amount(&self, entry: &Entry) -> u64 {
        self.value(entry.slot).saturating_mul(entry.unit)
    }

    /// The name of a number.
    fn key(&self, entry: &Entry) -> &str {
        &self.shape[entry.key.0 as usize..entry.key.1 as usize]
    }
}

/// An offset in 32 bits: `reshape` keeps every offset below 2^32.
fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// The number of bytes that are the same at the start of both.
fn common_start(a: &[u8], b: &[u8]) -> usize {
    // Most of a text stays as it was.
    let mut same = same_blocks::<32>(a, b);
    for (a, b) in a[same..].chunks_exact(8).zip(b[same..].chunks_exact(8)) {
        let [a, b] = [a, b].map(|eight| {
            eight
                .first_chunk()
                .map_or(0, |eight| u64::from_le_bytes(*eight))
        });
        if a != b {
            return same + (a ^ b).trailing_zeros() as usize / 8;
        }
        same += 8;
    }
    let rest = a[same..].iter().zip(&b[same..]);
    same + rest.take_while(|(a, b)| a == b).count()
}

/// The number of bytes that are the same at the start of both, in whole blocks.
fn same_blocks<const SIZE: usize>(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(SIZE).zip(b.chunks_exact(SIZE));
    // With its size known, a block is compared at once.
    let same = blocks.take_while(|(a, b)| a.first_chunk::<SIZE>() == b.first_chunk::<SIZE>());
    same.count() * SIZE
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
    use proptest::prelude::*;

    use super::*;

    fn fields() -> (Fields, Slot, Slot) {
        let mut fields = Fields::default();
        fields.reshape("free:    12 kB\nused:  7\n");
        let free = fields.note(9..11).unwrap();
        let used = fields.note(22..23).unwrap();
        (fields, free, used)
    }

    #[test]
    fn a_text_of_the_same_shape_gives_new_numbers() {
        let (mut fields, free, used) = fields();

        let same = fields.refresh(b"free: 18446744073709551615 kB\nused: 1234\n");

        assert!(same);
        assert_eq!((fields.value(free), fields.value(used)), (u64::MAX, 1234));
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
                !fields().0.refresh(other),
                "{}",
                String::from_utf8_lossy(other)
            );
        }
    }

    fn printed(numbers: &[u64]) -> String {
        let line = |(at, number): (usize, &u64)| format!("key_{at}:  {number:>6} kB\n");
        numbers.iter().enumerate().map(line).collect()
    }

    /// The numbers of a text that was parsed like this.
    fn parsed(numbers: &[u64]) -> Fields {
        let mut fields = Fields::default();
        fields.reshape(&printed(numbers));
        let text = fields.shape().to_owned();
        for (end, _) in text.match_indices(" kB") {
            let start = text[..end].rfind(' ').unwrap() + 1;
            fields.note(start..end).unwrap();
        }
        fields
    }

    #[test]
    fn a_reading_after_a_longer_number_starts_where_that_ended() {
        let (mut fields, free, used) = fields();

        let same = [
            "free: 1234 kB\nused: 7\n",
            "free: 1234 kB\nused: 8\n",
            "free: 5 kB\nused: 8\n",
        ]
        .map(|text| fields.refresh(text.as_bytes()));

        assert_eq!(same, [true; 3]);
        assert_eq!((fields.value(free), fields.value(used)), (5, 8));
    }

    proptest! {
        #[test]
        fn a_reading_does_not_depend_on_those_before(
            readings in prop::collection::vec(prop::collection::vec(0_u64..2000, 5), 1..6),
        ) {
            let mut fields = parsed(&readings[0]);

            for numbers in &readings {
                prop_assert!(fields.refresh(printed(numbers).as_bytes()));

                prop_assert_eq!(&fields.values, numbers);
            }
        }

        #[test]
        fn a_change_of_any_word_is_noticed(
            readings in prop::collection::vec(prop::collection::vec(0_u64..2000, 5), 2..4),
            at: prop::sample::Index,
        ) {
            let mut fields = parsed(&readings[0]);
            for numbers in &readings {
                prop_assert!(fields.refresh(printed(numbers).as_bytes()));
            }
            let mut text = printed(&readings[0]).into_bytes();
            let at = at.index(text.len());
            prop_assume!(!text[at].is_ascii_digit() || text[..at].ends_with(b"_"));
            text[at] = b'#';

            prop_assert!(!fields.refresh(&text));
        }
    }
}

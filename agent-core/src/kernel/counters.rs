//! Counters of a kernel file that has one on each line.

use std::ops::Range;

use super::error::ParseError;
use super::fields::{Entry, Fields};
use super::lines::{lines, whole_lines};

/// The named numbers of one kernel file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    fields: Fields,
    entries: Vec<Entry>,
}

/// The place of a counter on its line.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) key: Range<usize>,
    pub(crate) digits: Range<usize>,
    /// The amount that one of it stands for.
    pub(crate) unit: u64,
}

impl Counters {
    /// Takes over a new text of the file. `counter` finds the counter on a line; where it finds none,
    /// the line is passed over. `expected` shows such a line.
    pub(crate) fn update(
        &mut self,
        text: &[u8],
        counter: fn(&str) -> Option<Counter>,
        expected: &'static str,
    ) -> Result<(), ParseError> {
        if self.fields.refresh(text) {
            return Ok(());
        }
        self.entries.clear();
        let text = whole_lines(text)?;
        self.fields.reshape(text);
        for (at, line) in lines(text) {
            if let Some(counter) = counter(line) {
                self.note(at, &counter);
            }
        }
        if self.entries.is_empty() {
            return Err(ParseError::new(expected, text));
        }
        Ok(())
    }

    /// Takes note of the counter on the line that starts at `at`, unless its number is too large for one.
    fn note(&mut self, at: usize, counter: &Counter) {
        let [key, digits] =
            [&counter.key, &counter.digits].map(|place| at + place.start..at + place.end);
        self.entries
            .extend(self.fields.entry(key, digits, counter.unit));
    }

    /// The keys and amounts of all counters, in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.fields.named(&self.entries)
    }

    /// The amount of one counter; `None` if this kernel does not have it.
    pub(crate) fn get(&self, key: &str) -> Option<u64> {
        self.fields.named_one(&self.entries, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::lines::key_number;

    /// `key dozens`, where the key is a single word.
    fn dozens(line: &str) -> Option<Counter> {
        let parts = key_number(0, line).filter(|parts| parts.rest.is_empty())?;
        Some(Counter {
            key: parts.key,
            digits: parts.digits,
            unit: 12,
        })
    }

    fn update(counters: &mut Counters, text: &str) -> Result<(), ParseError> {
        counters.update(text.as_bytes(), dozens, "lines such as `eggs 1`")
    }

    #[test]
    fn lines_without_a_counter_are_passed_over_and_amounts_are_in_their_unit() {
        let mut counters = Counters::default();

        update(
            &mut counters,
            "eggs 2\n\nten eggs\n  roses 3\nstars 18446744073709551616\n",
        )
        .unwrap();

        let all: Vec<_> = counters.iter().collect();
        assert_eq!(all, [("eggs", 24), ("roses", 36)]);
        assert_eq!(
            (counters.get("roses"), counters.get("rose")),
            (Some(36), None)
        );
    }

    #[test]
    fn a_text_without_counters_is_refused_and_the_old_ones_are_forgotten() {
        let mut counters = Counters::default();
        update(&mut counters, "eggs 2\n").unwrap();

        let error = update(&mut counters, "ten eggs\n").unwrap_err();

        assert_eq!(
            error.to_string(),
            "expected lines such as `eggs 1`, found \"ten eggs\""
        );
        assert_eq!(counters.iter().count(), 0);
    }
}

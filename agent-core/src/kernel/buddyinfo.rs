//! `/proc/buddyinfo`: free blocks of every order, per zone.

use std::ops::Range;
use std::str::FromStr;

use super::error::ParseError;
use super::fields::{Fields, Slot};
use super::lines::{lines, whole_lines};
use super::zoneinfo::zone_heading;

/// Free blocks of all zones; as many orders as the kernel has.
#[derive(Debug, Clone, Default)]
pub struct Buddyinfo {
    fields: Fields,
    rows: Vec<Row>,
    counts: Vec<Slot>,
}

#[derive(Debug, Clone)]
struct Row {
    node: u32,
    zone: Range<usize>,
    counts: Range<usize>,
}

impl Buddyinfo {
    /// Takes over a new text of the file.
    ///
    /// # Errors
    ///
    /// If there is no zone in it, or it was cut off.
    pub fn update(&mut self, text: &[u8]) -> Result<(), ParseError> {
        if self.fields.refresh(text) {
            return Ok(());
        }
        self.rows.clear();
        self.counts.clear();
        let text = whole_lines(text)?;
        self.fields.reshape(text);
        for (at, line) in lines(text) {
            let Some((node, zone)) = zone_heading(line) else {
                continue;
            };
            let start = self.counts.len();
            for digits in numbers(line, zone.end) {
                self.counts
                    .extend(self.fields.note(at + digits.start..at + digits.end));
            }
            let zone = at + zone.start..at + zone.end;
            self.rows.push(Row {
                node,
                zone,
                counts: start..self.counts.len(),
            });
        }
        if self.rows.is_empty() {
            return Err(ParseError::new(
                "rows such as `Node 0, zone Normal 1 2 3`",
                text,
            ));
        }
        Ok(())
    }

    /// Free blocks of order 0, 1, 2, ... of each zone: node, zone, counts.
    pub fn zones(&self) -> impl Iterator<Item = (u32, &str, impl ExactSizeIterator<Item = u64>)> {
        self.rows.iter().map(|row| {
            let counts = self.counts[row.counts.clone()]
                .iter()
                .map(|&slot| self.fields.value(slot));
            (row.node, &self.fields.shape()[row.zone.clone()], counts)
        })
    }
}

impl FromStr for Buddyinfo {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut buddyinfo = Self::default();
        buddyinfo.update(text.as_bytes())?;
        Ok(buddyinfo)
    }
}

/// The places of the numbers of `line` after `start`, up to the first word that is not a number.
fn numbers(line: &str, start: usize) -> impl Iterator<Item = Range<usize>> {
    let mut at = start;
    std::iter::from_fn(move || {
        let rest = line[at..].trim_start_matches(' ');
        let begin = line.len() - rest.len();
        let end = begin + rest.find(' ').unwrap_or(rest.len());
        at = end;
        let word = &line[begin..end];
        (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())).then_some(begin..end)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<(u32, String, Vec<u64>)>, ParseError> {
        let buddyinfo: Buddyinfo = text.parse()?;
        Ok(buddyinfo
            .zones()
            .map(|(node, zone, counts)| (node, zone.to_owned(), counts.collect()))
            .collect())
    }

    #[test]
    fn a_kernel_may_have_any_number_of_orders() {
        let zones = read(
            "Node 0, zone    DMA32      1      2      4 \nNode 3, zone   Normal 1 2 3 4 5 6 7 8 9 10 11 12 13 \n",
        );

        assert_eq!(
            zones.unwrap(),
            [
                (0, "DMA32".to_owned(), vec![1, 2, 4]),
                (3, "Normal".to_owned(), (1..=13).collect())
            ]
        );
    }

    #[test]
    fn a_file_without_a_zone_is_refused() {
        assert_eq!(read("").unwrap_err().to_string(), "it is empty");
    }

    proptest! {
        #[test]
        fn reads_back_what_the_kernel_prints(first in prop::collection::vec(any::<u64>(), 1..14), shift in 0_u32..64) {
            let print = |counts: &[u64]| {
                let counts: Vec<String> = counts.iter().map(|count| format!("{count:>6} ")).collect();
                format!("Node 2, zone {:>8} {}\n", "Normal", counts.concat())
            };
            let second: Vec<u64> = first.iter().map(|count| count.rotate_left(shift)).collect();
            let mut buddyinfo: Buddyinfo = print(&first).parse()?;

            buddyinfo.update(print(&second).as_bytes())?;

            let read: Vec<u64> = buddyinfo.zones().flat_map(|(_, _, counts)| counts).collect();
            prop_assert_eq!(read, second);
        }

        #[test]
        fn never_panics(text in "(Node |, zone|Normal|[0-9]{1,25}|[ \n,]|\\PC){0,40}") {
            if let Ok(buddyinfo) = text.parse::<Buddyinfo>() {
                let _ = buddyinfo.zones().map(|(_, _, counts)| counts.len()).collect::<Vec<_>>();
            }
        }
    }
}

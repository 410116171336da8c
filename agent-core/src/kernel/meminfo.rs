//! `/proc/meminfo`, and `meminfo` of a node. `kB` in these files means KiB.

use std::str::FromStr;

use adaptivemm_module_api::units::Bytes;

use super::counters::{Counter, Counters};
use super::error::ParseError;
use super::lines::key_number;

/// The counters of a meminfo file.
///
/// Lines of a form that the kernel does not document are passed over: a new kind of line must not cost
/// us the old ones. A text that does not end in a line feed was cut off, and is refused: a number at its
/// end could be half a number.
#[derive(Debug, Clone, Default)]
pub struct Meminfo(Counters);

impl Meminfo {
    /// Takes over a new text of the file.
    ///
    /// # Errors
    ///
    /// If it is not the text of a meminfo file, or was cut off.
    pub fn update(&mut self, text: &[u8]) -> Result<(), ParseError> {
        self.0
            .update(text, counter, "lines such as `MemTotal: 1024 kB`")
    }

    /// All counters in the order of the file: bytes, or pages where the name starts with `HugePages_`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter()
    }

    /// One counter; `None` if this kernel does not have it.
    #[must_use]
    pub fn bytes(&self, key: &str) -> Option<Bytes> {
        self.0.get(key).map(Bytes::new)
    }
}

impl FromStr for Meminfo {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut meminfo = Self::default();
        meminfo.update(text.as_bytes())?;
        Ok(meminfo)
    }
}

/// The counter on a line; a node's file says `Node 0 MemTotal:`.
fn counter(line: &str) -> Option<Counter> {
    let prefix = node_prefix(line);
    let parts = key_number(prefix, &line[prefix..])?;
    let name = line[parts.key.clone()]
        .strip_suffix(':')
        .filter(|name| !name.is_empty())?;
    let unit = match parts.rest {
        " kB" => 1024,
        // Counts of pages; anything else without a unit was cut off.
        "" if name.starts_with("HugePages_") => 1,
        _ => return None,
    };
    Some(Counter {
        key: parts.key.start..parts.key.start + name.len(),
        digits: parts.digits,
        unit,
    })
}

/// The length of `Node 12 ` at the start of a line.
fn node_prefix(line: &str) -> usize {
    let Some(rest) = line.strip_prefix("Node ") else {
        return 0;
    };
    let number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    if number.len() < rest.len() && number.starts_with(' ') {
        line.len() - number.len()
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<(String, u64)>, ParseError> {
        let meminfo: Meminfo = text.parse()?;
        Ok(meminfo
            .iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect())
    }

    #[test]
    fn kb_are_kib_and_huge_pages_are_counted() {
        let counters =
            read("MemTotal:       24684092 kB\nActive(anon):  1 kB\nHugePages_Total:       3\n");

        let expected = [
            ("MemTotal", 24_684_092 * 1024),
            ("Active(anon)", 1024),
            ("HugePages_Total", 3),
        ];
        assert_eq!(
            counters.unwrap(),
            expected.map(|(key, value)| (key.to_owned(), value))
        );
    }

    #[test]
    fn a_nodes_file_has_the_same_names() {
        let counters = read("Node 12 MemTotal:       10 kB\nNode 12 HugePages_Free:     2\n");

        assert_eq!(
            counters.unwrap(),
            [
                ("MemTotal".to_owned(), 10_240),
                ("HugePages_Free".to_owned(), 2)
            ]
        );
    }

    #[test]
    fn lines_of_another_form_are_passed_over() {
        let counters = read(
            "MemTotal: 1 kB\nMemFr\nMemFree: 12\nNew: yes\nOther: 3 MB\nToo: 99999999999999999999 kB\n\u{e9} 5\n",
        );

        assert_eq!(counters.unwrap(), [("MemTotal".to_owned(), 1024)]);
    }

    #[test]
    fn half_a_file_is_refused() {
        let error = read("MemTotal:  24684092 kB\nMemFree:   243").unwrap_err();

        assert_eq!(error.to_string(), "it was cut off after \"MemFree:   243\"");
        assert_eq!(read("").unwrap_err().to_string(), "it is empty");
    }

    #[test]
    fn a_new_line_in_the_file_is_found_at_the_next_reading() {
        let mut meminfo: Meminfo = "MemTotal: 8 kB\nMemFree: 4 kB\n".parse().unwrap();

        meminfo
            .update(b"MemTotal: 8 kB\nBalloon: 1 kB\nMemFree:        3 kB\n")
            .unwrap();

        let read = ["MemFree", "Balloon", "Zswap"].map(|key| meminfo.bytes(key).map(Bytes::kib));
        assert_eq!(read, [Some(3), Some(1), None]);
    }

    proptest! {
        #[test]
        fn reads_back_what_the_kernel_prints(values in prop::collection::vec(0_u64..1 << 54, 1..60), again: u32) {
            let print = |values: &[u64]| {
                let line = |(i, value): (usize, &u64)| format!("{:<16}{value:>8} kB\n", format!("Key{i}:"));
                values.iter().enumerate().map(line).collect::<String>()
            };
            let changed: Vec<u64> = values.iter().map(|value| (value ^ u64::from(again)) % (1 << 54)).collect();
            let mut meminfo: Meminfo = print(&values).parse()?;

            meminfo.update(print(&changed).as_bytes())?;

            let read: Vec<u64> = meminfo.iter().map(|(_, bytes)| bytes / 1024).collect();
            prop_assert_eq!(read, changed);
        }

        #[test]
        fn never_panics(texts in prop::collection::vec("(MemFree|Node [0-9]{0,3}| |:|kB|[0-9]{1,25}|\n|\\PC){0,40}", 1..4)) {
            let mut meminfo = Meminfo::default();
            for text in texts {
                let _ = meminfo.update(text.as_bytes());
                let _ = meminfo.iter().count();
            }
        }
    }
}

//! `/proc/vmstat`: counters of pages and of events.

use std::str::FromStr;

use super::counters::{Counter, Counters};
use super::error::ParseError;
use super::lines::key_number;

/// The counters of `/proc/vmstat`, each in its own unit.
#[derive(Debug, Clone, Default)]
pub struct Vmstat(Counters);

impl Vmstat {
    /// Takes over a new text of the file.
    ///
    /// # Errors
    ///
    /// If there is no counter in it, or it was cut off.
    pub fn update(&mut self, text: &[u8]) -> Result<(), ParseError> {
        self.0
            .update(text, counter, "lines such as `nr_free_pages 1024`")
    }

    /// All counters in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter()
    }

    /// One counter; `None` if this kernel does not have it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<u64> {
        self.0.get(key)
    }
}

impl FromStr for Vmstat {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut vmstat = Self::default();
        vmstat.update(text.as_bytes())?;
        Ok(vmstat)
    }
}

/// The counter on a line.
fn counter(line: &str) -> Option<Counter> {
    let parts = key_number(0, line).filter(|parts| parts.rest.is_empty())?;
    Some(Counter {
        key: parts.key,
        digits: parts.digits,
        unit: 1,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counters_are_found_by_name() {
        let vmstat: Vmstat = "nr_free_pages 939267\nallocstall_normal 0\nbroken\n"
            .parse()
            .unwrap();

        assert_eq!(
            (vmstat.get("nr_free_pages"), vmstat.get("allocstall_normal")),
            (Some(939_267), Some(0))
        );
        assert_eq!((vmstat.get("broken"), vmstat.get("nr_free")), (None, None));
    }

    #[test]
    fn an_empty_file_is_refused() {
        let error = "".parse::<Vmstat>().unwrap_err();

        assert_eq!(error.to_string(), "it is empty");
    }

    proptest! {
        #[test]
        fn reads_back_what_the_kernel_prints(first: [u64; 9], second: [u64; 9]) {
            let print = |values: [u64; 9]| (0..9).map(|i| format!("nr_{i} {}\n", values[i])).collect::<Vec<_>>().concat();
            let mut vmstat: Vmstat = print(first).parse()?;

            vmstat.update(print(second).as_bytes())?;

            let read: Vec<u64> = vmstat.iter().map(|(_, value)| value).collect();
            prop_assert_eq!(read, second);
        }

        #[test]
        fn never_panics(text in "(nr_free| |[0-9]{1,25}|\n|\\PC){0,40}") {
            let _ = text.parse::<Vmstat>();
        }
    }
}

//! `/proc/pressure/memory`: the time that tasks have waited for memory (since 4.20, if the kernel is built so).

use std::time::Duration;

use super::error::ParseError;

/// The file of pressure stall information on memory.
pub(crate) const PRESSURE: &str = "/proc/pressure/memory";

/// The time that was lost since boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pressure {
    /// The time in which at least one task waited for memory.
    pub some: Duration,
    /// The time in which all tasks that had something to do waited for memory.
    pub full: Option<Duration>,
}

/// Reads the totals of the file: `total=` of each line, in microseconds.
///
/// # Errors
///
/// If there is no total for `some`.
pub fn pressure(text: &[u8]) -> Result<Pressure, ParseError> {
    let expected = "a line such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`";
    let Ok(text) = std::str::from_utf8(text) else {
        return Err(ParseError::new(expected, &String::from_utf8_lossy(text)));
    };
    match total(text, "some") {
        Some(some) => Ok(Pressure {
            some,
            full: total(text, "full"),
        }),
        None => Err(ParseError::new(expected, text)),
    }
}

fn total(text: &str, name: &str) -> Option<Duration> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let mut words = line.strip_prefix(' ')?.split(' ');
    let total = words.find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_totals_are_microseconds() {
        let text = "some avg10=0.00 avg60=0.12 avg300=0.00 total=12165587\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=10869707\n";

        let pressure = pressure(text.as_bytes()).unwrap();

        let totals = (pressure.some, pressure.full);
        let micros = Duration::from_micros;
        assert_eq!(totals, (micros(12_165_587), Some(micros(10_869_707))));
    }

    #[test]
    fn a_file_without_totals_is_refused_and_one_without_full_is_not() {
        assert_eq!(
            pressure(b"some avg10=0.00\n").unwrap_err().to_string(),
            "expected a line such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, found \"some avg10=0.00\""
        );
        assert_eq!(pressure(b"some total=7\n").unwrap().full, None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "(some|full|total=| |\n|[0-9]{1,25}|\\PC){0,20}") {
            let _ = pressure(text.as_bytes());
        }
    }
}

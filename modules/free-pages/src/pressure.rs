//! The time that tasks have waited for memory, from `/proc/pressure/memory`.

use core::time::Duration;

use adaptivemm_module_api::Snapshot;

/// The file, which is absent before Linux 4.20, and where it was not built in or is switched off.
pub(crate) const FILE: &str = "/proc/pressure/memory";

/// The time since boot in which at least one task waited for memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waited(pub(crate) Duration);

/// Reads the file; `None` on kernels that do not have it.
pub(crate) fn waited(snapshot: &Snapshot<'_>) -> Option<Waited> {
    let content = snapshot.file(FILE).ok()?;
    parse(core::str::from_utf8(content).ok()?)
}

/// Takes the time from `some avg10=0.00 avg60=0.00 avg300=0.00 total=12345`, in microseconds.
fn parse(text: &str) -> Option<Waited> {
    let mut fields = text
        .lines()
        .find_map(|line| line.strip_prefix("some "))?
        .split_ascii_whitespace();
    let total = fields.find_map(|field| field.strip_prefix("total="))?;
    Some(Waited(Duration::from_micros(total.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_time_is_the_total_of_some_in_microseconds() {
        let text = "some avg10=0.12 avg60=0.00 avg300=0.00 total=1500000\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";

        assert_eq!(parse(text), Some(Waited(Duration::from_millis(1500))));
    }

    #[test]
    fn what_is_no_pressure_is_absent() {
        let texts = [
            "",
            "some",
            "some avg10=1",
            "full total=7\n",
            "some total=-1",
            "some total=1.5",
        ];

        assert_eq!(texts.map(parse), [None; 6]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(some |total=|[0-9]{1,25}|\n|\\PC){0,12}") {
            let _ = parse(&text);
        }
    }
}

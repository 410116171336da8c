//! `/proc/meminfo` as an administrator reads it in a report: what changed, and how it is now.

use core::fmt;
use core::fmt::Write as _;

/// Short enough for a terminal, long enough that a report stays short.
const FIELDS_PER_LINE: usize = 4;

/// One line of `/proc/meminfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field<'a> {
    name: &'a str,
    value: u64,
    /// ` kB`, or nothing for a number of huge pages.
    unit: &'a str,
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, unit } = self;
        write!(f, "{name}: {value}{unit}")
    }
}

/// The fields that changed by more than a tenth between two readings of `/proc/meminfo`, a line each,
/// and the later reading. `span` is the time between them, as one says it.
pub(crate) fn since(before: &[u8], now: &[u8], span: &str) -> String {
    let mut lines = String::new();
    for old in fields(before) {
        let new = fields(now).find(|new| new.name == old.name);
        if let Some(new) = new.filter(|new| has_changed(old.value, new.value)) {
            // Writing to a string cannot fail.
            let _ = writeln!(
                lines,
                "{old} -> {}{} ({})",
                new.value,
                new.unit,
                change(old, new)
            );
        }
    }
    if lines.is_empty() {
        lines = format!("No field of /proc/meminfo changed by more than 10 % in these {span}\n");
    } else {
        let lead =
            format!("Fields of /proc/meminfo that changed by more than 10 % in these {span}:\n");
        lines.insert_str(0, &lead);
    }
    lines.push_str(&current(now));
    lines
}

/// A reading of `/proc/meminfo`, several fields per line.
pub(crate) fn current(now: &[u8]) -> String {
    let mut lines = "/proc/meminfo now:".to_owned();
    for (index, field) in fields(now).enumerate() {
        let separator = if index % FIELDS_PER_LINE == 0 {
            "\n"
        } else {
            ", "
        };
        // Writing to a string cannot fail.
        let _ = write!(lines, "{separator}{field}");
    }
    lines
}

/// Lines that are not a name and a number are left out.
fn fields(text: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let text = core::str::from_utf8(text).unwrap_or_default();
    text.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let value = value.trim_start();
        let (digits, unit) = value.split_at(value.find(' ').unwrap_or(value.len()));
        let value = digits.parse().ok()?;
        Some(Field { name, value, unit })
    })
}

fn has_changed(old: u64, new: u64) -> bool {
    u128::from(new.abs_diff(old)) * 10 > u128::from(old)
}

/// `+12 %`, rounded; a share of nothing has no size.
fn change(old: Field<'_>, new: Field<'_>) -> String {
    if old.value == 0 {
        return "was 0".to_owned();
    }
    let sign = if new.value < old.value { '-' } else { '+' };
    let base = u128::from(old.value);
    let percent = (u128::from(new.value.abs_diff(old.value)) * 100 + base / 2) / base;
    format!("{sign}{percent} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &[u8] = b"MemTotal:       24684092 kB\nMemFree:        1000 kB\n\
        Active(anon):         10 kB\nSUnreclaim:           1000 kB\nBounce:                0 kB\n\
        HugePages_Total:       4\n";
    const NOW: &[u8] = b"MemTotal:       24684092 kB\nMemFree:        899 kB\n\
        Active(anon):         11 kB\nSUnreclaim:           2005 kB\nBounce:                3 kB\n\
        HugePages_Total:       2\n";

    #[test]
    fn a_change_of_more_than_a_tenth_is_shown_with_both_values_and_exactly_a_tenth_is_not() {
        assert_eq!(
            since(BEFORE, NOW, "90 s"),
            "Fields of /proc/meminfo that changed by more than 10 % in these 90 s:\n\
             MemFree: 1000 kB -> 899 kB (-10 %)\n\
             SUnreclaim: 1000 kB -> 2005 kB (+101 %)\n\
             Bounce: 0 kB -> 3 kB (was 0)\n\
             HugePages_Total: 4 -> 2 (-50 %)\n\
             /proc/meminfo now:\n\
             MemTotal: 24684092 kB, MemFree: 899 kB, Active(anon): 11 kB, SUnreclaim: 2005 kB\n\
             Bounce: 3 kB, HugePages_Total: 2"
        );
    }

    #[test]
    fn a_quiet_machine_is_said_to_be_quiet() {
        assert_eq!(
            since(b"Bounce:  0 kB\n", b"Bounce:  0 kB\n", "90 s"),
            "No field of /proc/meminfo changed by more than 10 % in these 90 s\n\
             /proc/meminfo now:\n\
             Bounce: 0 kB"
        );
    }

    #[test]
    fn nonsense_is_left_out() {
        let text = b"\xff".as_slice();
        let lines = b"MemFree\nMemFree:\nMemFree: x kB\nMemFree: 99999999999999999999 kB\n: 7\n";

        assert_eq!(current(text), "/proc/meminfo now:");
        assert_eq!(current(lines), "/proc/meminfo now:\n: 7");
    }
}

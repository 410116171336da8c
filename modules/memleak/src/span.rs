//! Times and rates as one says them.

use core::time::Duration;

use adaptivemm_module_api::units::Balance;

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

/// A time: `0.4 s`, `90 s`, `45 min`, `2.5 h`, `3.0 days`.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match duration.as_secs() {
        0..=9 if duration.subsec_nanos() > 0 => format!("{seconds:.1} s"),
        secs @ 0..=599 => format!("{secs} s"),
        secs @ 600..=7199 => format!("{} min", secs / 60),
        7200..=172_799 => format!("{:.1} h", seconds / HOUR),
        172_800.. => format!("{:.1} days", seconds / DAY),
    }
}

/// A growth of so many bytes per second, in the unit that one has a feeling for: per hour if that is a
/// MiB or more, else per day.
pub(crate) fn rate(bytes_per_second: f64) -> String {
    let per_hour = bytes_per_second * HOUR;
    if per_hour >= 1_048_576.0 {
        format!("{} per hour", bytes(per_hour))
    } else {
        format!("{} per day", bytes(bytes_per_second * DAY))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
fn bytes(value: f64) -> Balance {
    Balance::new(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        let told = [90, 2700, 9000, 172_799, 259_200].map(|secs| span(Duration::from_secs(secs)));

        assert_eq!(told, ["90 s", "45 min", "2.5 h", "48.0 h", "3.0 days"]);
    }

    #[test]
    fn a_second_is_divided_where_scans_are_closer() {
        let told = [0, 400, 1500, 2000, 9960, 12_300].map(|ms| span(Duration::from_millis(ms)));

        assert_eq!(told, ["0 s", "0.4 s", "1.5 s", "2 s", "10.0 s", "12 s"]);
    }

    #[test]
    fn rates_are_told_per_hour_or_per_day() {
        let told = [1e6, 291.3, 291.0, -1e6].map(rate);

        assert_eq!(
            told,
            [
                "3.4 GiB per hour",
                "1.0 MiB per hour",
                "24.0 MiB per day",
                "-80.5 GiB per day"
            ]
        );
    }
}

//! Which time of day it was so long after boot.

use jiff::{SignedDuration, Timestamp};

use super::phrases;
use crate::base::clock::Moment;
use crate::incidents::Incident;

/// In a shorter stretch of time minutes are too coarse, in seconds.
const SHORT: f64 = 1200.0;

/// In a longer one they are too fine.
const LONG: f64 = 86_400.0;

/// Two clocks side by side. The history is kept by the one that never jumps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    /// When the machine was started, if any moment of the incident says when it was.
    boot: Option<Timestamp>,
}

impl Calendar {
    pub(super) fn of(incident: &Incident) -> Self {
        let told = incident.told.iter().map(|told| &told.at);
        let mut moments = std::iter::once(&incident.opened)
            .chain(told)
            .chain(&incident.over);
        Self {
            boot: moments.find_map(boot),
        }
    }

    /// The time of day, in UTC, so many seconds after boot.
    pub(super) fn at(self, uptime_seconds: f64) -> Option<Timestamp> {
        let since_boot = SignedDuration::try_from_secs_f64(uptime_seconds).ok()?;
        self.boot?.checked_add(since_boot).ok()
    }

    /// That in words; where nobody knows the time of day, since boot.
    pub(super) fn moment(self, uptime_seconds: f64) -> String {
        match self.at(uptime_seconds) {
            Some(at) => format!("{} UTC", phrases::moment(at)),
            None => format!("{} after boot", phrases::span(uptime_seconds)),
        }
    }

    /// A stretch of time, to the second if it is short.
    pub(super) fn stretch(self, from: f64, to: f64) -> String {
        match self.ends(from, to) {
            Some((from, to)) => joined(&from, &to),
            None => format!(
                "{} to {} after boot",
                phrases::span(from),
                phrases::span(to)
            ),
        }
    }

    /// When something is expected: seconds would be more than anybody can foresee, and the time of day, too, if it is one of
    /// several days.
    pub(super) fn expectation(self, from: f64, to: f64) -> String {
        let moment = if to - from < LONG {
            phrases::moment
        } else {
            phrases::day
        };
        match (self.at(from).map(moment), self.at(to).map(moment)) {
            (Some(from), Some(to)) if from == to => format!("about {from} UTC"),
            (Some(from), Some(to)) => joined(&from, &to),
            _ => format!("{} after boot", phrases::spans(from, Some(to))),
        }
    }

    /// Both ends of a stretch of time.
    pub(super) fn ends(self, from: f64, to: f64) -> Option<(String, String)> {
        let moment = if to - from < SHORT {
            phrases::exact_moment
        } else {
            phrases::moment
        };
        Some((moment(self.at(from)?), moment(self.at(to)?)))
    }

    /// A moment as it was noted.
    pub(super) fn noted(self, moment: &Moment) -> String {
        match moment.time.parse::<Timestamp>() {
            Ok(at) => format!("{} UTC", phrases::moment(at)),
            Err(_) => self.moment(seconds(moment.uptime_ms)),
        }
    }

    /// From when to when something is compared.
    pub(super) fn compared(self, before: &Moment, after: &Moment) -> String {
        let (from, to) = (seconds(before.uptime_ms), seconds(after.uptime_ms));
        format!("{}.", phrases::capitalised(&self.stretch(from, to)))
    }

    /// The seconds since 1970 at boot, to find round times.
    pub(super) fn epoch(self) -> Option<i64> {
        self.boot.map(Timestamp::as_second)
    }
}

/// From one moment to another, with the date of both if it is the same.
fn joined(from: &str, to: &str) -> String {
    let end = match (from.split_once(' '), to.split_once(' ')) {
        (Some((day, _)), Some((same, time))) if day == same => time,
        _ => to,
    };
    format!("{from} to {end} UTC")
}

/// Milliseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
pub(super) fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

fn boot(moment: &Moment) -> Option<Timestamp> {
    let at: Timestamp = moment.time.parse().ok()?;
    let uptime = i64::try_from(moment.uptime_ms).ok()?;
    at.checked_sub(SignedDuration::from_millis(uptime)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(boot: &str) -> Calendar {
        Calendar {
            boot: boot.parse().ok(),
        }
    }

    #[test]
    fn what_is_expected_is_told_no_more_exactly_than_it_can_be_foreseen() {
        let calendar = calendar("2026-11-28T22:00:00Z");

        assert_eq!(
            [
                (30.0, 50.0),
                (30.0, 90.0),
                (3600.0, 9000.0),
                (0.0, 172_800.0)
            ]
            .map(|(from, to)| calendar.expectation(from, to)),
            [
                "about 2026-11-28 22:00 UTC",
                "2026-11-28 22:00 to 22:01 UTC",
                "2026-11-28 23:00 to 2026-11-29 00:30 UTC",
                "2026-11-28 to 2026-11-30 UTC"
            ]
        );
    }

    #[test]
    fn without_a_time_of_day_it_is_told_since_boot() {
        let expected = calendar("nobody knows").expectation(9000.0, 36_000.0);

        assert_eq!(expected, "2.5 to 10.0 h after boot");
    }
}

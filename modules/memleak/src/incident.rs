//! What ties all words about one growth together: the name of its incident.

use core::fmt;
use core::time::Duration;

use adaptivemm_module_api::units::Uptime;

/// The name of an incident, the same in all reports of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incident {
    /// A growth that was suspected or reported at this time first.
    Growth(Uptime),
    /// The same, but of the classic formula only.
    Classic(Uptime),
    /// Memory that was lost before anybody looked.
    Level,
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Growth(since) => write!(f, "growth-{}", since.0.as_secs()),
            Self::Classic(since) => write!(f, "classic-{}", since.0.as_secs()),
            Self::Level => f.write_str("level"),
        }
    }
}

/// Something that goes on for as long as it is seen often enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lasting(pub(crate) Option<Span>);

/// From when until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) since: Uptime,
    pub(crate) until: Uptime,
}

impl Lasting {
    /// Notes that it is seen, and lasts for a while without being seen again. When it began, and whether
    /// that is now.
    pub(crate) fn see(&mut self, at: Uptime, lasts: Duration) -> (Uptime, bool) {
        let until = Uptime(at.0.saturating_add(lasts));
        let is_new = self.since(at).is_none();
        let span = self.0.get_or_insert_default();
        if is_new {
            *span = Span { since: at, until };
        }
        span.until = span.until.max(until);
        (span.since, is_new)
    }

    /// When it began, if it goes on.
    pub(crate) fn since(&self, at: Uptime) -> Option<Uptime> {
        self.0
            .filter(|span| at <= span.until)
            .map(|span| span.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: u64) -> Uptime {
        Uptime(Duration::from_secs(minutes * 60))
    }

    #[test]
    fn names_are_in_kebab_case_with_the_seconds_since_boot() {
        let names = [
            Incident::Growth(minutes(1440)),
            Incident::Classic(minutes(2)),
            Incident::Level,
        ];

        assert_eq!(
            names.map(|name| name.to_string()),
            ["growth-86400", "classic-120", "level"]
        );
    }

    #[test]
    fn what_is_seen_again_in_time_goes_on_and_what_is_not_begins_anew() {
        let mut lasting = Lasting::default();
        let mut see = |at, lasts: u64| lasting.see(minutes(at), Duration::from_secs(lasts * 60));

        assert_eq!(see(10, 20), (minutes(10), true));
        assert_eq!(see(20, 5), (minutes(10), false));
        assert_eq!(see(30, 2), (minutes(10), false));
        assert_eq!(see(33, 2), (minutes(33), true));
        assert_eq!(lasting.since(minutes(35)), Some(minutes(33)));
        assert_eq!(lasting.since(minutes(36)), None);
    }
}

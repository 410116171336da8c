//! The share of the log of each module: so much at a time, and so much as time goes by. A module that says more loses what
//! it says itself, and nothing of what others say.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use crate::modules::output::Finding;

/// The most lines at once.
const LINES: f64 = 128.0;
/// So many more in each second.
const LINES_PER_SEC: f64 = 1.0;
/// The most bytes at once: a few findings with all the details that there may be.
const BYTES: f64 = 512.0 * 1024.0;
/// So many more in each second.
const BYTES_PER_SEC: f64 = 4096.0;
/// The time after which the same is logged again.
const REMINDER: Duration = Duration::from_secs(3600);
/// The number of findings of a module that are remembered; repetitions come soon.
const MOST: usize = 128;

/// The shares of all modules.
#[derive(Debug, Default)]
pub(super) struct Shares(BTreeMap<String, Share>);

/// The share of one module.
#[derive(Debug)]
struct Share {
    lines: f64,
    bytes: f64,
    at: Duration,
    said: Vec<Said>,
}

/// A finding that was logged.
#[derive(Debug)]
struct Said {
    finding: u64,
    /// The incident that it is about; nothing if it is about none, or ends one.
    incident: Option<u64>,
    written: Duration,
    seen: Duration,
    repeated: u64,
}

/// The decision on a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is written; with the number of times that it was not since it was last written.
    Write {
        /// The number of times.
        repeated: u64,
    },
    /// The same was written within the hour.
    Repeated,
    /// The module has said too much.
    TooMuch,
}

impl Shares {
    /// Looks at a finding that would be written.
    pub(super) fn pass(&mut self, module: &str, finding: &Finding, now: Duration) -> Admission {
        let size = finding.text.len() + finding.details.len();
        let said = Said::new(finding, now);
        let hash = said.finding;
        let share = self.share(module, now);
        if finding.ends_incident {
            share.end(&said, digest(&finding.incident));
        }
        let known = share.said.iter_mut().find(|said| said.finding == hash);
        if let Some(said) = known {
            said.seen = now;
            if now.saturating_sub(said.written) < REMINDER {
                said.repeated = said.repeated.saturating_add(1);
                return Admission::Repeated;
            }
        }
        if !share.take(size) {
            return Admission::TooMuch;
        }
        let repeated = share.note(said);
        Admission::Write { repeated }
    }

    /// Returns true if a module may have another line of this size in the log.
    pub(super) fn allows(&mut self, module: &str, size: usize, now: Duration) -> bool {
        self.share(module, now).take(size)
    }

    /// Forgets what a module has said, and not how much that was.
    pub(super) fn forget(&mut self, module: &str) {
        if let Some(share) = self.0.get_mut(module) {
            share.said.clear();
        }
    }

    /// Forgets what all modules have said.
    pub(super) fn forget_all(&mut self) {
        for share in self.0.values_mut() {
            share.said.clear();
        }
    }

    fn share(&mut self, module: &str, now: Duration) -> &mut Share {
        let share = self.0.entry(module.to_owned()).or_insert_with(|| Share {
            lines: LINES,
            bytes: BYTES,
            at: now,
            said: Vec::new(),
        });
        let passed = now.saturating_sub(share.at).as_secs_f64();
        share.lines = (share.lines + passed * LINES_PER_SEC).min(LINES);
        share.bytes = (share.bytes + passed * BYTES_PER_SEC).min(BYTES);
        share.at = now;
        share
    }
}

impl Share {
    /// Forgets what was said of an incident that is over now: the same again is another one, and so is its end.
    fn end(&mut self, end: &Said, incident: u64) {
        let before = self.said.len();
        self.said.retain(|said| said.incident != Some(incident));
        if self.said.len() < before {
            self.said.retain(|said| said.finding != end.finding);
        }
    }

    /// Takes a line from what is left. One that is larger than what is left is said if anything is: it need not wait until
    /// there is room for the largest.
    fn take(&mut self, size: usize) -> bool {
        if self.lines < 1.0 || self.bytes <= 0.0 {
            return false;
        }
        self.lines -= 1.0;
        // No text is that large.
        self.bytes -= f64::from(u32::try_from(size).unwrap_or(u32::MAX));
        true
    }

    /// Remembers that something is written now. How often it was not since it last was.
    fn note(&mut self, new: Said) -> u64 {
        let known = self
            .said
            .iter_mut()
            .find(|said| said.finding == new.finding);
        if let Some(said) = known {
            said.written = new.written;
            return std::mem::take(&mut said.repeated);
        }
        if self.said.len() >= MOST {
            let oldest = self
                .said
                .iter()
                .enumerate()
                .min_by_key(|(_, said)| said.seen);
            if let Some((oldest, _)) = oldest {
                self.said.swap_remove(oldest);
            }
        }
        self.said.push(new);
        0
    }
}

impl Said {
    fn new(finding: &Finding, now: Duration) -> Self {
        let is_of_one = !finding.incident.is_empty() && !finding.ends_incident;
        Self {
            finding: hash(finding),
            incident: is_of_one.then(|| digest(&finding.incident)),
            written: now,
            seen: now,
            repeated: 0,
        }
    }
}

/// Returns a hash that is equal for findings that are the same.
fn hash(finding: &Finding) -> u64 {
    let Finding {
        severity,
        code,
        text,
        details,
        incident,
        ..
    } = finding;
    digest(&(severity.name(), code, text, details, incident))
}

fn digest(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use adaptivemm_module_api::Severity;

    use super::*;

    fn finding(text: &str) -> Finding {
        Finding {
            severity: Severity::Warning,
            verbosity: 0,
            code: "trouble".to_owned(),
            text: text.to_owned(),
            details: String::new(),
            numbers: Vec::new(),
            incident: String::new(),
            ends_incident: false,
            is_leak: false,
        }
    }

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    #[test]
    fn the_same_is_said_once_an_hour_with_a_count() {
        let mut shares = Shares::default();

        let said = [0, 1, 30, 61].map(|at| shares.pass("chaos", &finding("the same"), minutes(at)));

        assert_eq!(
            said,
            [
                Admission::Write { repeated: 0 },
                Admission::Repeated,
                Admission::Repeated,
                Admission::Write { repeated: 2 }
            ]
        );
    }

    #[test]
    fn the_same_incident_once_more_is_news_and_so_is_its_end() {
        let mut shares = Shares::default();
        let about = |code: &str, incident: &str| Finding {
            code: code.to_owned(),
            incident: incident.to_owned(),
            ..finding("the pool")
        };
        let full = about("pool-full", "pool");
        let over = Finding {
            ends_incident: true,
            ..about("pool-has-room", "pool")
        };
        let other = about("lake-full", "lake");
        let mut pass = |finding| shares.pass("chaos", finding, minutes(1));

        let said = [&full, &other, &over, &full, &full, &over, &over, &other].map(&mut pass);

        let written = Admission::Write { repeated: 0 };
        let again = Admission::Repeated;
        let expected = [
            written, written, written, written, again, written, again, again,
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_module_that_says_too_much_loses_its_own_words_until_time_has_passed() {
        let mut shares = Shares::default();
        let written = |shares: &mut Shares, now| {
            let said =
                (0..1000).map(|n| shares.pass("chaos", &finding(&format!("{now:?} {n}")), now));
            said.filter(|said| *said == Admission::Write { repeated: 0 })
                .count()
        };

        let first = written(&mut shares, minutes(1));
        let at_once = written(&mut shares, minutes(1));
        let other = shares.pass("memleak", &finding("a leak"), minutes(1));
        let later = written(&mut shares, minutes(2));

        assert_eq!((first, at_once, later), (128, 0, 60));
        assert_eq!(other, Admission::Write { repeated: 0 });
    }

    #[test]
    fn long_words_count_for_more() {
        let mut shares = Shares::default();
        let mut long = finding("with much to tell");
        long.details = "x".repeat(64 << 10);

        let said = (0..20).map(|n| {
            long.code = n.to_string();
            shares.pass("chaos", &long, minutes(1))
        });

        assert_eq!(said.filter(|said| *said != Admission::TooMuch).count(), 8);
    }
}

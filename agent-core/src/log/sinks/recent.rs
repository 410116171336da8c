//! The last errors and warnings, for whoever asks how things stand.

use std::collections::VecDeque;

use adaptivemm_module_api::Severity;
use jiff::Timestamp;

use super::line::one_line;
use crate::base::clock;

/// The number of lines that fit on half a screen.
const MOST: usize = 10;

/// An error or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The time.
    pub time: Timestamp,
    /// The severity.
    pub severity: Severity,
    /// The author.
    pub module: String,
    /// The text, on one line.
    pub text: String,
}

/// The last ones, and how much was said in all.
#[derive(Debug, Clone, Default)]
pub struct Recent {
    said: VecDeque<Said>,
    counts: [u64; 5],
}

impl Recent {
    /// The last errors and warnings, the oldest first.
    #[must_use]
    pub fn said(&self) -> impl DoubleEndedIterator<Item = &Said> {
        self.said.iter()
    }

    /// Returns the number of events of this severity that were written.
    #[must_use]
    pub fn count(&self, severity: Severity) -> u64 {
        self.counts[index(severity)]
    }

    pub(super) fn note(&mut self, severity: Severity, module: &str, text: &str) {
        let count = &mut self.counts[index(severity)];
        *count = count.saturating_add(1);
        if !matches!(severity, Severity::Error | Severity::Warning) {
            return;
        }
        if self.said.len() == MOST {
            self.said.pop_front();
        }
        self.said.push_back(Said {
            time: clock::time_of_day(),
            severity,
            module: module.to_owned(),
            text: one_line(text),
        });
    }
}

fn index(severity: Severity) -> usize {
    match severity {
        Severity::Error => 0,
        Severity::Warning => 1,
        Severity::Notice => 2,
        Severity::Info => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_errors_and_warnings_are_kept_and_everything_is_counted() {
        let mut recent = Recent::default();

        for number in 0..12 {
            recent.note(Severity::Warning, "memleak", &format!("warning {number}"));
            recent.note(Severity::Info, "core", "nothing");
        }
        recent.note(Severity::Error, "core", "two\nlines");

        let said: Vec<&str> = recent.said().map(|said| said.text.as_str()).collect();
        assert_eq!(
            (said.len(), said[0], said[9]),
            (10, "warning 3", "two lines")
        );
        assert_eq!(
            [
                Severity::Error,
                Severity::Warning,
                Severity::Info,
                Severity::Debug
            ]
            .map(|severity| recent.count(severity)),
            [1, 12, 12, 0]
        );
    }
}

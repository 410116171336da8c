//! The problems of a configuration, for the person who has to put them right.

use std::fmt;

use super::document::{Place, printable};

/// A problem of a configuration, or a note about it.
///
/// Displayed on several lines: the headline, the line of the file, carets below
/// the part that is meant, and the advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    severity: Severity,
    place: Place,
    message: String,
    hint: Option<String>,
}

/// The number of diagnostics that are shown: nobody reads more.
const MOST: usize = 50;

/// The severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is good to know.
    Note,
    /// The daemon runs, but not as the file says.
    Warning,
    /// The daemon does not start with this.
    Error,
}

impl Diagnostic {
    /// Makes a diagnostic that is a reason not to start.
    pub(crate) fn error(place: Place, message: &str) -> Self {
        Self::new(Severity::Error, place, message)
    }

    /// Makes a diagnostic of something that is not done as it was written.
    pub(crate) fn warning(place: Place, message: &str) -> Self {
        Self::new(Severity::Warning, place, message)
    }

    /// Makes a diagnostic of something that is right, but may surprise.
    pub(crate) fn note(place: Place, message: &str) -> Self {
        Self::new(Severity::Note, place, message)
    }

    fn new(severity: Severity, place: Place, message: &str) -> Self {
        Self {
            severity,
            place,
            message: printable(message),
            hint: None,
        }
    }

    /// Adds advice.
    pub(crate) fn hint(self, hint: Option<String>) -> Self {
        Self {
            hint: hint.map(|hint| printable(&hint)),
            ..self
        }
    }

    /// Makes it a warning if it is an error: in a file of a package it is no reason not to start.
    pub(crate) fn at_most_warning(self) -> Self {
        Self {
            severity: self.severity.min(Severity::Warning),
            ..self
        }
    }

    /// True if the daemon refuses to start because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// True if something is not done as it was written, but the daemon starts.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        self.severity == Severity::Warning
    }

    /// The severity.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The first line of the display, `FILE:LINE:COLUMN: SEVERITY: MESSAGE`:
    /// enough for a log.
    #[must_use]
    pub fn headline(&self) -> String {
        let place = self.place.precise();
        format!("{place}: {}: {}", self.severity, self.message)
    }

    /// Line and column, or zeros if it is about a file as a whole.
    pub(crate) fn position(&self) -> (usize, usize) {
        self.place.position()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let picture = self.place.picture(self.hint.as_deref());
        write!(f, "{}{picture}", self.headline())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// The worst of many, in their order, and the number of the others.
pub(crate) fn few(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if diagnostics.len() <= MOST {
        return diagnostics;
    }
    let mut severities: Vec<Severity> = diagnostics.iter().map(|it| it.severity).collect();
    severities.sort_unstable_by_key(|severity| std::cmp::Reverse(*severity));
    let least = severities[MOST - 1];
    // Shown are all that are worse than the least bad of these, and the first of those that are as bad.
    let worse = severities.iter().filter(|it| **it > least).count();
    let mut room = MOST - worse;
    let mut told = Vec::new();
    let mut left_out = Vec::new();
    for diagnostic in diagnostics {
        let is_told = diagnostic.severity > least || (diagnostic.severity == least && room > 0);
        if !is_told {
            left_out.push(diagnostic);
            continue;
        }
        if diagnostic.severity == least {
            room -= 1;
        }
        told.push(diagnostic);
    }
    if left_out.len() == 1 {
        told.append(&mut left_out);
        return told;
    }
    let count = left_out.len();
    let severity = left_out.iter().map(|it| it.severity).max();
    let first = left_out
        .into_iter()
        .find(|it| Some(it.severity) == severity);
    told.extend(first.map(|first| {
        let message = format!("this is the first of {count} problems that are not shown");
        Diagnostic::new(first.severity, first.place, &message)
    }));
    told
}

/// The one of `names` that was probably meant by `typed`, if any is near enough.
pub(crate) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // This is enough for a swapped pair and a slip. More would make a module that is
    // not installed look like a misspelt one.
    let tolerance = (1 + typed.len() / 4).min(3);
    let typed = typed.to_ascii_lowercase();
    let length = typed.chars().count();
    names
        // The distance is never less, and costs far more.
        .filter(|name| name.chars().count().abs_diff(length) <= tolerance)
        .map(|name| {
            let distance = strsim::damerau_levenshtein(&typed, &name.to_ascii_lowercase());
            (distance, name)
        })
        .filter(|(distance, _)| *distance <= tolerance)
        .min()
        .map(|(_, name)| name)
}

/// The question “did you mean” with the nearest of `names`.
pub(crate) fn did_you_mean<'a>(
    typed: &str,
    names: impl Iterator<Item = &'a str>,
) -> Option<String> {
    nearest(typed, names).map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_and_another_name_does_not() {
        let names = || ["memleak", "free-pages", "ENABLE_MEMLEAK_CHECK"].into_iter();
        for (typed, expected) in [
            ("memlaek", Some("memleak")),
            ("mem-leak", Some("memleak")),
            ("MEMLEAK", Some("memleak")),
            ("free-page", Some("free-pages")),
            ("enable_memleak_check", Some("ENABLE_MEMLEAK_CHECK")),
            ("compaction", None),
            ("ENABLE_COMPACTION", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names()), expected, "{typed}");
        }
    }

    #[test]
    fn the_headline_is_one_line_and_first() {
        let place = Place::command_line("-a");
        let diagnostic = Diagnostic::error(place, "a\nb").hint(Some("write 1, 2 or 3".into()));

        assert_eq!(diagnostic.headline(), "command line, -a: error: a\u{fffd}b");
        assert_eq!(
            diagnostic.to_string(),
            "command line, -a: error: a\u{fffd}b\n      write 1, 2 or 3"
        );
    }
}

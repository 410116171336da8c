//! One thing that was looked at.

use std::fmt;

use serde_json::{Value, json};

/// The verdict of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is as it should be.
    Well,
    /// It is worth knowing; nothing is wrong.
    Note,
    /// Something does not work.
    Problem,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    /// `core`, `evidence`, `others`, `daemon`, or the name of a module.
    pub(super) subject: String,
    pub(super) verdict: Verdict,
    text: String,
    remedy: Option<String>,
}

impl Check {
    fn new(subject: &str, verdict: Verdict, text: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            verdict,
            text: text.to_owned(),
            remedy: None,
        }
    }

    pub(super) fn well(subject: &str, text: &str) -> Self {
        Self::new(subject, Verdict::Well, text)
    }

    pub(super) fn note(subject: &str, text: &str) -> Self {
        Self::new(subject, Verdict::Note, text)
    }

    pub(super) fn problem(subject: &str, text: &str) -> Self {
        Self::new(subject, Verdict::Problem, text)
    }

    /// Adds a remedy.
    pub(super) fn remedy(self, remedy: &str) -> Self {
        Self {
            remedy: Some(remedy.to_owned()),
            ..self
        }
    }

    pub(super) fn is_problem(&self) -> bool {
        self.verdict == Verdict::Problem
    }

    /// Returns the check as JSON for programs; the names are stable.
    pub(super) fn object(&self) -> Value {
        json!({
            "subject": self.subject,
            "verdict": self.verdict.code(),
            "text": self.text,
            "remedy": self.remedy,
        })
    }
}

impl Verdict {
    fn code(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {:8}{}", self.verdict.code(), self.text)?;
        if let Some(remedy) = &self.remedy {
            writeln!(f, "          -> {remedy}")?;
        }
        Ok(())
    }
}

//! What was found, one line per check, for people or for programs.

use std::cell::Cell;
use std::path::Path;

use serde_json::json;

use crate::terminal::print;
use agent_core::commands::Exit;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// It works, but should not stay so.
    Warning,
    /// It breaks a rule.
    Fail,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Fail => "FAIL",
        }
    }
}

/// Tells of checks as they end, and counts them.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    told: Vec<Level>,
    /// Whether all could be printed. Whoever has seen enough counts as one who has seen all.
    is_printed: Cell<bool>,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            told: Vec::new(),
            is_printed: Cell::new(true),
        }
    }

    /// How a check of a module ended; without a name it was one of the file.
    pub(super) fn say(&mut self, level: Level, module: &str, check: &str, text: &str) {
        self.told.push(level);
        let name = level.name();
        if self.json {
            let line = json!({
                "result": name.to_lowercase(), "module": module, "check": check, "text": text
            });
            self.put(&format!("{line}\n"));
        } else {
            let gap = if module.is_empty() { "" } else { " " };
            self.put(&format!("{name:<8} {module}{gap}{check}: {text}\n"));
        }
    }

    /// Good if there is nothing to complain of, else a line for each complaint.
    pub(super) fn judge(
        &mut self,
        complaints: Vec<(Level, String)>,
        module: &str,
        check: &str,
        good: &str,
    ) {
        if complaints.iter().all(|(level, _)| *level == Level::Note) {
            self.say(Level::Ok, module, check, good);
        }
        for (level, text) in complaints {
            self.say(level, module, check, &text);
        }
    }

    /// A word of the module, as the daemon would log it.
    pub(super) fn quote(&self, t_ms: u64, module: &str, severity: &str, text: &str) {
        if self.json {
            let line =
                json!({ "t_ms": t_ms, "module": module, "severity": severity, "said": text });
            self.put(&format!("{line}\n"));
        } else {
            let (seconds, rest) = (t_ms / 1000, t_ms % 1000);
            self.put(&format!(
                "{seconds}.{rest:03} {severity} {module}: {text}\n"
            ));
        }
    }

    /// The sum of it all.
    pub(super) fn end(self, file: &Path) -> Exit {
        let count = |level| self.told.iter().filter(|told| **told == level).count();
        let (checks, warnings, failed) =
            (self.told.len(), count(Level::Warning), count(Level::Fail));
        let file = file.file_name().unwrap_or_default().to_string_lossy();
        if self.json {
            let line =
                json!({ "file": file, "checks": checks, "warnings": warnings, "failed": failed });
            self.put(&format!("{line}\n"));
        } else {
            let plural = if warnings == 1 { "" } else { "s" };
            self.put(&format!(
                "\n{file}: {checks} checks, {warnings} warning{plural}, {failed} failed\n"
            ));
        }
        if failed == 0 && self.is_printed.get() {
            Exit::Done
        } else {
            Exit::Failed
        }
    }

    fn put(&self, line: &str) {
        // That it cannot be printed need not be said for each line.
        if self.is_printed.get() {
            self.is_printed.set(print(line) == Exit::Done);
        }
    }
}

//! Machines on which something must hold: the job itself checks, and says of each check whether it does.

use super::{Bench, Errand};
use crate::cache::Tree;
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::table::Table;

/// A machine with a job that checks.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) machine: Machine,
    pub(super) script: &'static str,
    pub(super) config: String,
    pub(super) settings: Vec<(&'static str, String)>,
}

/// The daemon as it is shipped, with a short period, and with all its modules.
pub(super) const ALL_MODULES: &str = "\
ENABLE_MEMLEAK_CHECK = 1
ENABLE_FREE_PAGE_MGMT = 1
ENABLE_COMPACTION = 1
ENABLE_NEG_DENTRY_MGMT = 1
ENABLE_CACHE_PRESSURE_MGMT = 1
[core]
period-secs = 1
";

/// What came of all cases, with one row for each check.
#[derive(Debug)]
pub(super) struct Findings {
    table: Table,
    all_hold: bool,
}

impl Findings {
    pub(super) fn new() -> Self {
        Self {
            table: Table::new(&["kernel", "machine", "check", "holds"]),
            all_hold: true,
        }
    }

    /// Runs a case. A machine that does not come to its end is a check that does not hold.
    pub(super) fn run(&mut self, bench: &Bench<'_>, tree: &Tree, case: &Case) {
        let errand = Errand {
            script: case.script,
            name: &case.name,
            config: &case.config,
            settings: case.settings.clone(),
        };
        match bench.run(&case.machine, tree, &errand) {
            Ok(outcome) => self.note(tree, &case.name, &outcome),
            Err(problem) => {
                println!("{problem}");
                self.add(tree, &case.name, "it runs to its end", false);
            }
        }
    }

    pub(super) fn note(&mut self, tree: &Tree, name: &str, outcome: &Outcome) {
        let text = outcome.read_or_nothing("checks.txt");
        for (holds, what) in text.lines().filter_map(check) {
            self.add(tree, name, what, holds);
        }
        if text.is_empty() {
            self.add(tree, name, "it checks something", false);
        }
    }

    pub(super) fn add(&mut self, tree: &Tree, name: &str, what: &str, holds: bool) {
        let word = if holds { "yes" } else { "**no**" };
        self.table.row([tree.kernel.series, name, what, word]);
        self.all_hold &= holds;
    }

    /// Prints the table; whether everything held.
    pub(super) fn print(&self) -> bool {
        println!("\n{}", self.table);
        self.all_hold
    }
}

/// A line `ok WHAT` or `not ok WHAT`.
fn check(line: &str) -> Option<(bool, &str)> {
    line.strip_prefix("ok ")
        .map(|what| (true, what))
        .or_else(|| line.strip_prefix("not ok ").map(|what| (false, what)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_holds_or_does_not() {
        assert_eq!(check("ok it started"), Some((true, "it started")));
        assert_eq!(check("not ok it started"), Some((false, "it started")));
        assert_eq!(check("anything"), None);
    }
}

//! The last decisions, one line each.

use std::path::Path;

use super::table::Table;
use super::{Explained, words};
use crate::decisions::Decision;

pub(super) fn of(last: &[Explained<'_>], path: &Path) -> String {
    let path = path.display();
    if last.is_empty() {
        return format!("no decision is in {path}\n");
    }
    let mut table = Table::of_texts();
    let headings = ["id", "when (UTC)", "module", "what", "fate", "afterwards"];
    table.row(headings.map(str::to_owned));
    for Explained {
        decision,
        aftermath,
    } in last
    {
        let afterwards = match aftermath {
            Some(aftermath) => words::effect(aftermath.effect),
            None if is_followed(decision) => "not known yet",
            None => "-",
        };
        table.row([
            decision.id.to_string(),
            words::moment(decision),
            decision.module.clone(),
            words::change(decision),
            decision.fate.clone(),
            afterwards.to_owned(),
        ]);
    }
    format!("{table}\n`adaptivemmd explain ID` explains one of them. They are in {path}.\n")
}

/// Whether it is looked at what happens afterwards.
pub(super) fn is_followed(decision: &Decision) -> bool {
    decision.changed || decision.fate == "simulated"
}

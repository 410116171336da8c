//! The last decisions, one line each.

use std::path::Path;

use super::table::Table;
use super::{Explained, phrases};
use crate::decisions::Decision;

pub(super) fn render(last: &[Explained<'_>], path: &Path) -> String {
    let path = path.display();
    if last.is_empty() {
        return format!("no decisions in {path}\n");
    }
    let mut table = Table::texts();
    let headings = [
        "id",
        "when (UTC)",
        "module",
        "what",
        "outcome",
        "afterwards",
    ];
    table.row(headings.map(str::to_owned));
    for Explained {
        decision,
        follow_up,
    } in last
    {
        let afterwards = match follow_up {
            Some(follow_up) => phrases::effect(follow_up.effect),
            None if is_followed(decision) => "not known yet",
            None => "-",
        };
        table.row([
            decision.id.to_string(),
            phrases::moment(decision),
            decision.module.clone(),
            phrases::change(decision),
            decision.outcome.clone(),
            afterwards.to_owned(),
        ]);
    }
    format!("{table}\n`adaptivemmd explain ID` explains one of them. They are in {path}.\n")
}

/// Returns true if a decision is followed up.
pub(super) fn is_followed(decision: &Decision) -> bool {
    decision.changed || decision.outcome == "simulated"
}

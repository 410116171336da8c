//! The page on one decision, for a tired administrator: the answer first, then what led to it.

use std::fmt::Write;

use super::table::Table;
use super::{Asked, Explained, follow_up, list, phrases, seen};
use crate::decisions::Decision;

pub(super) fn render(explained: Explained<'_>, asked: Option<Asked<'_>>) -> String {
    let Explained {
        decision,
        follow_up,
    } = explained;
    let mut page = format!(
        "Decision {}: {}, {}\n\n",
        decision.id,
        phrases::change(decision),
        decision.outcome
    );
    page += &head(explained, asked).to_string();
    page += &weighed(decision);
    page += &seen::by_module(decision);
    page += &seen::machine(decision);
    page += &match follow_up {
        Some(follow_up) => follow_up::render(follow_up, decision),
        None if list::is_followed(decision) => {
            let text = "not known yet: the daemon looks after eight scans and at least a minute, or when it ends";
            section("What happened afterwards", &format!("  {text}\n"))
        }
        None => section(
            "What happened afterwards",
            "  not looked at, as nothing was changed\n",
        ),
    };
    if let Some(Asked { path, .. }) = asked {
        let id = decision.id;
        let _never_fails = write!(
            page,
            "\nFrom {}; `adaptivemmd explain {id} --json` prints the records.\n",
            path.display()
        );
    }
    page
}

/// A heading, and what stands below it.
pub(super) fn section(heading: &str, text: &str) -> String {
    format!("\n{heading}\n{text}")
}

/// The answer in short.
fn head(explained: Explained<'_>, asked: Option<Asked<'_>>) -> Table {
    let Explained {
        decision,
        follow_up,
    } = explained;
    let mut table = Table::texts();
    let mut say = |what: &str, text: String| table.row([what.to_owned(), text]);
    say("why", decision.reason.clone());
    if let Some(follow_up) = follow_up {
        let most_telling = follow_up.text.split("; ").next().unwrap_or_default();
        let effect = phrases::effect(follow_up.effect);
        say("afterwards", format!("{effect} ({most_telling})"));
    }
    say("outcome", decision.outcome_text.clone());
    if let Some(original) = decision.original.filter(|_| decision.changed) {
        say(
            "original",
            format!("{original}, to be restored when the daemon ends"),
        );
    }
    say("when", moments(decision, asked));
    say("module", decision.module.clone());
    for (index, (name, value)) in decision.numbers.iter().enumerate() {
        let heading = if index == 0 { "numbers" } else { "" };
        say(heading, format!("{name} {}", phrases::number(name, value)));
    }
    table
}

fn moments(decision: &Decision, asked: Option<Asked<'_>>) -> String {
    let time = decision.time.as_ref();
    let time = time.map(|_| format!("{} UTC", phrases::moment(decision)));
    let ago = asked.and_then(|asked| phrases::ago(decision, asked.now));
    let since_boot = format!("{} after boot", phrases::span(decision.uptime_seconds));
    let moments: Vec<String> = [time, ago, Some(since_boot)]
        .into_iter()
        .flatten()
        .collect();
    moments.join(", ")
}

fn weighed(decision: &Decision) -> String {
    let mut lines = String::new();
    for line in &decision.details {
        let _never_fails = writeln!(lines, "  {line}");
    }
    if lines.is_empty() {
        lines.push_str("  the module did not say\n");
    }
    section("What it weighed and rejected", &lines)
}

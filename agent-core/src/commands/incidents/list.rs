//! All incidents, a few lines each.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::incidents::best_explanation;
use crate::incidents::evidence::Certainty;
use crate::incidents::{Incident, State};

/// Renders the list for people.
pub(super) fn text(incidents: &[Incident], directory: &Path) -> String {
    if incidents.is_empty() {
        return format!("there is no incident in {}\n", directory.display());
    }
    let mut lines = String::new();
    for incident in incidents {
        let looked_at = &incident.looked_at().time;
        let state = match incident.state() {
            State::Over(over) => format!("over since {}", over.time),
            State::Open => format!("open, last looked at {looked_at}"),
            State::Restarted => {
                format!("ended with a restart of the machine, last looked at {looked_at}")
            }
        };
        let sentence = incident.headline().map_or("", |told| told.text.as_str());
        let explained = explained(incident);
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{}  {state}\n  {sentence}", incident.id);
        if let Some(explained) = explained {
            let _ = writeln!(lines, "  {explained}");
        }
    }
    lines.push_str("\n`adaptivemmd incidents show ID` shows one in full.\n");
    lines
}

/// Returns the sentence on who explains the growth, if there is anything to explain.
fn explained(incident: &Incident) -> Option<String> {
    if !incident.is_about_kernel_memory() {
        return None;
    }
    let Some(comparison) = &incident.comparison else {
        return Some("Nothing was compared.".to_owned());
    };
    Some(match best_explanation(comparison) {
        Some(first) if first.partial => format!(
            "{} may explain some of it, but was counted only in part ({}).",
            first.owner, first.source
        ),
        Some(first) if first.certainty == Certainty::AtMost => format!(
            "{} explains at most {:.0} % of it ({}).",
            first.owner, first.share_percent, first.source
        ),
        Some(first) => format!(
            "{} explains {:.0} % of it ({}).",
            first.owner, first.share_percent, first.source
        ),
        None => "Nothing that was looked into explains it.".to_owned(),
    })
}

/// Returns the state in a word.
fn state(incident: &Incident) -> &'static str {
    match incident.state() {
        State::Open => "open",
        State::Over(_) => "over",
        State::Restarted => "restarted",
    }
}

/// Renders one incident in full for programs: the record, its state, and the current holders of the memory.
pub(super) fn all_of(incident: &Incident, now: Option<Value>) -> String {
    let mut all = json!(incident);
    if let Some(object) = all.as_object_mut() {
        let first = incident.first_reported().map(|told| &told.at);
        object.insert("state".to_owned(), json!(state(incident)));
        object.insert("first_reported".to_owned(), json!(first));
        object.insert("looked_at".to_owned(), json!(incident.looked_at()));
        if let Some(now) = now {
            object.insert("now".to_owned(), now);
        }
    }
    serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
}

/// Renders the list for programs, one object per line.
pub(super) fn json(incidents: &[Incident]) -> String {
    incidents.iter().map(json_line).collect()
}

fn json_line(incident: &Incident) -> String {
    let headline = incident.headline();
    let comparison = incident.comparison.as_ref();
    let comparison = comparison.filter(|_| incident.is_about_kernel_memory());
    let explanations = comparison.map(|comparison| &comparison.explanations);
    let object = json!({
        "id": incident.id,
        "module": incident.module,
        "opened": incident.opened,
        "over": incident.over,
        "state": state(incident),
        "first_reported": incident.first_reported().map(|told| &told.at),
        "looked_at": incident.looked_at(),
        "severity": incident.severity(),
        "code": headline.map(|told| &told.code),
        "text": headline.map(|told| &told.text),
        "explanation": explanations.and_then(|all| all.first()),
    });
    object.to_string() + "\n"
}

//! All incidents, a few lines each.

use std::fmt::Write;
use std::path::Path;

use serde_json::json;

use crate::evidence::Certainty;
use crate::incidents::Incident;

/// For people.
pub(super) fn text(incidents: &[Incident], directory: &Path) -> String {
    if incidents.is_empty() {
        return format!("there is no incident in {}\n", directory.display());
    }
    let mut lines = String::new();
    for incident in incidents {
        let state = match &incident.over {
            Some(over) => format!("over since {}", over.time),
            None => "open".to_owned(),
        };
        let sentence = incident.headline().map_or("", |told| told.text.as_str());
        let explained = explained(incident);
        // Writing to a string cannot fail.
        let _ = writeln!(
            lines,
            "{}  {state}\n  {sentence}\n  {explained}",
            incident.id
        );
    }
    lines.push_str("\nadaptivemmd incidents show ID tells all about one.\n");
    lines
}

fn explained(incident: &Incident) -> String {
    let Some(comparison) = &incident.comparison else {
        return "Nothing was compared.".to_owned();
    };
    match comparison.explanations.first() {
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
    }
}

/// For programs, one object per line.
pub(super) fn json(incidents: &[Incident]) -> String {
    let line = |incident: &Incident| {
        let headline = incident.headline();
        let comparison = incident.comparison.as_ref();
        let explanations = comparison.map(|comparison| &comparison.explanations);
        let object = json!({
            "id": incident.id,
            "module": incident.module,
            "opened": incident.opened,
            "over": incident.over,
            "severity": headline.map(|told| &told.severity),
            "code": headline.map(|told| &told.code),
            "text": headline.map(|told| &told.text),
            "explanation": explanations.and_then(|all| all.first()),
        });
        object.to_string() + "\n"
    };
    incidents.iter().map(line).collect()
}

//! What is said in the log of an incident.

use crate::incidents::Incident;

/// That it is kept, and where to look.
pub(super) fn kept_in_words(incident: &Incident) -> String {
    let Incident { id, .. } = incident;
    if !incident.is_about_kernel_memory() {
        return format!("incident {id} is kept; see `adaptivemmd incidents show {id}`");
    }
    format!(
        "incident {id} is kept: {}; see `adaptivemmd incidents show {id}`",
        explained_in_words(incident)
    )
}

/// Who explains the growth, in half a sentence.
pub(super) fn explained_in_words(incident: &Incident) -> String {
    let Some(comparison) = &incident.comparison else {
        return "there is nothing to compare with".to_owned();
    };
    match comparison.explanations.first() {
        Some(first) => format!(
            "{} ({}) explains {:.0} % of the growth since the evidence of before",
            first.owner, first.source, first.share_percent
        ),
        None => "nothing that was looked into explains the growth".to_owned(),
    }
}

//! What is said in the log of an incident.

use crate::config::TellOwners;
use crate::incidents::evidence::{Certainty, Explanation, Source, SourceStatus};
use crate::incidents::{Incident, best_explanation, owner_for};

/// Who is counted by the kernel for so much is the one. A service that is charged is not yet the program in it.
const SURE_PERCENT: f64 = 50.0;
/// The service has no right to look at what programs hold, and whoever is called by its warning has.
const NOT_ALLOWED: &str = "and not all could be looked at: run `adaptivemmd incidents show` as root, which looks who holds it now";

/// That it is kept, and where to look.
pub(super) fn kept_in_words(incident: &Incident, tell: TellOwners) -> String {
    let Incident { id, .. } = incident;
    if !incident.is_about_kernel_memory() {
        return format!("incident {id} is kept; see `adaptivemmd incidents show {id}`");
    }
    format!(
        "incident {id} is kept: {}; see `adaptivemmd incidents show {id}`",
        explained_in_words(incident, tell)
    )
}

/// Who explains the growth, in half a sentence.
pub(super) fn explained_in_words(incident: &Incident, tell: TellOwners) -> String {
    let Some(comparison) = &incident.comparison else {
        return "there is nothing to compare with".to_owned();
    };
    let is_denied = |source: &Source| matches!(source.standing, SourceStatus::Denied { .. });
    let explained = match best_explanation(comparison) {
        Some(first) if first.partial => format!(
            "{} ({}) may explain some of the growth, but was counted only in part",
            owner_for(first, tell),
            first.source
        ),
        Some(first) if first.certainty == Certainty::AtMost => format!(
            "{} ({}) explains at most {:.0} % of the growth since the evidence of before",
            owner_for(first, tell),
            first.source,
            first.share_percent
        ),
        Some(first) => format!(
            "{} ({}) explains {:.0} % of the growth since the evidence of before",
            owner_for(first, tell),
            first.source,
            first.share_percent
        ),
        None => "nothing that was looked into explains the growth".to_owned(),
    };
    let is_sure = |first: &Explanation| {
        first.certainty == Certainty::Exact && first.share_percent >= SURE_PERCENT
    };
    let is_named = best_explanation(comparison).is_some_and(is_sure);
    if !is_named && comparison.sources.iter().any(is_denied) {
        return format!("{explained}, {NOT_ALLOWED}");
    }
    explained
}

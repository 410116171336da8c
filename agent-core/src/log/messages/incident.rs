//! The lines about incidents.

use crate::config::TellOwners;
use crate::incidents::evidence::Certainty;
use crate::incidents::{Attribution, IncidentEvent, StoredPart, owner_for};

/// The service has no right to look at what programs hold, and whoever is called by its warning has.
const NOT_ALLOWED: &str = "and not everything could be examined: run `adaptivemmd incidents show` as root to see who holds \
                           the memory now";

/// Returns the line about an event, with as much as somebody may know of whose memory it is.
pub(crate) fn incident_text(event: &IncidentEvent, tell: TellOwners) -> String {
    match event {
        IncidentEvent::Recorded {
            id,
            attribution: None,
        } => format!("incident {id} recorded; see `adaptivemmd incidents show {id}`"),
        IncidentEvent::Recorded {
            id,
            attribution: Some(attribution),
        } => format!(
            "incident {id} recorded: {}; see `adaptivemmd incidents show {id}`",
            attribution_text(attribution, tell)
        ),
        IncidentEvent::NotRecorded {
            id,
            directory,
            error,
            attribution,
        } => format!(
            "incident {id} cannot be written to {}: {error}; {}",
            directory.display(),
            attribution_text(attribution, tell)
        ),
        IncidentEvent::StillOpen { id, since } => format!(
            "incident {id} has been open since {since}; see `adaptivemmd incidents show {id}`"
        ),
        IncidentEvent::Over { id } => format!("incident {id} is over"),
        IncidentEvent::Failed { part, error } => failure_text(part, error),
    }
}

fn failure_text(part: &StoredPart, error: &str) -> String {
    match part {
        StoredPart::Evidence => format!("cannot write evidence: {error}"),
        StoredPart::MetricHistory => {
            format!("cannot write the metric history of the modules: {error}")
        }
        StoredPart::ScansAfter(id) => {
            format!("cannot write the scans after incident {id}: {error}")
        }
        StoredPart::Incident(id) => format!("cannot write incident {id}: {error}"),
        StoredPart::OldIncidents => format!("cannot remove old incidents: {error}"),
    }
}

/// Returns who accounts for the growth, as half a sentence.
fn attribution_text(attribution: &Attribution, tell: TellOwners) -> String {
    let Attribution::Compared { best, needs_root } = attribution else {
        return "there is no earlier evidence to compare with".to_owned();
    };
    let text = match best {
        Some(best) => {
            let owner = format!("{} ({})", owner_for(best, tell), best.source);
            let percent = best.share_percent;
            if best.partial {
                format!("{owner} may account for some of the growth, but was counted only in part")
            } else if best.certainty == Certainty::AtMost {
                format!(
                    "{owner} accounts for at most {percent:.0} % of the growth since the previous evidence"
                )
            } else {
                format!(
                    "{owner} accounts for {percent:.0} % of the growth since the previous evidence"
                )
            }
        }
        None => "nothing that was examined accounts for the growth".to_owned(),
    };
    if *needs_root {
        return format!("{text}, {NOT_ALLOWED}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::evidence::{Class, Explanation};

    fn explanation(certainty: Certainty, partial: bool) -> Explanation {
        Explanation {
            class: Class::Unaccounted,
            owner: "pipes of x (7 pipes, PID 12)".to_owned(),
            source: "/proc/PID/fd".to_owned(),
            before_bytes: 0,
            after_bytes: 1 << 20,
            explained_bytes: 1 << 20,
            share_percent: 90.4,
            certainty,
            partial,
        }
    }

    fn attribution(best: Option<Explanation>, needs_root: bool) -> Attribution {
        Attribution::Compared {
            best: best.map(Box::new),
            needs_root,
        }
    }

    #[test]
    fn who_accounts_for_the_growth_is_told_as_surely_as_it_is_known() {
        let lines = [
            Attribution::NotCompared,
            attribution(Some(explanation(Certainty::Exact, false)), false),
            attribution(Some(explanation(Certainty::AtMost, false)), false),
            attribution(Some(explanation(Certainty::Exact, true)), false),
            attribution(None, true),
        ]
        .map(|attribution| attribution_text(&attribution, TellOwners::All));

        insta::assert_snapshot!(lines.join("\n"), @r"
        there is no earlier evidence to compare with
        pipes of x (7 pipes, PID 12) (/proc/PID/fd) accounts for 90 % of the growth since the previous evidence
        pipes of x (7 pipes, PID 12) (/proc/PID/fd) accounts for at most 90 % of the growth since the previous evidence
        pipes of x (7 pipes, PID 12) (/proc/PID/fd) may account for some of the growth, but was counted only in part
        nothing that was examined accounts for the growth, and not everything could be examined: run `adaptivemmd incidents show` as root to see who holds the memory now
        ");
    }

    #[test]
    fn others_are_not_told_which_process_it_is() {
        let event = IncidentEvent::Recorded {
            id: "7".to_owned(),
            attribution: Some(attribution(
                Some(explanation(Certainty::Exact, false)),
                false,
            )),
        };

        for (tell, owner) in [
            (TellOwners::Program, "pipes of x"),
            (TellOwners::None, "pipes of a program"),
        ] {
            assert_eq!(
                incident_text(&event, tell),
                format!(
                    "incident 7 recorded: {owner} (/proc/PID/fd) accounts for 90 % of the growth since the previous \
                     evidence; see `adaptivemmd incidents show 7`"
                )
            );
        }
    }
}

//! Recent events, as far as nobody else remembers them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use adaptivemm_module_api::units::Uptime;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::summary::Requests;
use crate::actions::request_outcome::RequestOutcome;
use crate::base::clock;
use crate::config::TellOwners;
use crate::decisions::{Decision, FollowUp, Record};
use crate::incidents::IncidentMessage;
use crate::log::messages::incident_text;
use crate::scan::Round;

/// The number of decisions; the log has more of them, and each in full.
const MOST: usize = 32;
/// The number of incidents; `adaptivemmd incidents` lists all that are stored.
const MOST_INCIDENTS: usize = 16;
/// More modules than any daemon has, and all that may become of a request.
const MOST_COUNTS: usize = 1024;

/// A decision in brief; `adaptivemmd explain` has the whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecentDecision {
    /// The number of the decision.
    pub id: u64,
    /// The time in RFC 3339, UTC.
    pub time: String,
    /// The module that asked.
    pub module: String,
    /// The action.
    pub action: String,
    /// The outcome, in kebab-case.
    pub outcome: String,
    /// The outcome in words.
    pub outcome_text: String,
    /// True if the machine was changed.
    pub changed: bool,
    /// The reason.
    pub reason: String,
    /// The effect, once that is known: `better`, `unchanged`, `worse`, `quiet` or `unknown`.
    pub effect: Option<String>,
    /// The effect with its numbers.
    pub effect_text: Option<String>,
}

/// An incident in brief; `adaptivemmd incidents show` has the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentIncident {
    /// The ID under which it is kept.
    pub id: String,
    /// The time when it was last written; RFC 3339, UTC.
    pub time: String,
    /// The module that reported it.
    pub module: String,
    /// The explanation, or why it could not be kept.
    pub text: String,
    /// The text for users who must not know all of it.
    #[serde(skip)]
    pub for_others: ForOthers,
    /// The time when it was opened, if it is not over; RFC 3339, UTC.
    #[serde(default)]
    pub open_since: Option<String>,
}

/// Texts that do not say all of whose memory it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForOthers {
    /// The text with the name of the program, and neither its process nor its service.
    pub program: String,
    /// The text without any name.
    pub nameless: String,
}

/// The last reload of the configuration, and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reload {
    /// The time in RFC 3339, UTC.
    pub time: String,
    /// The reason why it was not applied.
    pub problem: Option<String>,
}

/// The recent events.
#[derive(Debug)]
pub struct Recent {
    started: Timestamp,
    started_at: Uptime,
    scanned_at: f64,
    took: Duration,
    took_in_all: Duration,
    decisions: VecDeque<RecentDecision>,
    incidents: VecDeque<RecentIncident>,
    requests: BTreeMap<(String, &'static str), u64>,
    reload: Option<Reload>,
}

impl Recent {
    /// The daemon starts now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            started: clock::time_of_day(),
            started_at: clock::uptime(),
            scanned_at: 0.0,
            took: Duration::ZERO,
            took_in_all: Duration::ZERO,
            decisions: VecDeque::new(),
            incidents: VecDeque::new(),
            requests: BTreeMap::new(),
            reload: None,
        }
    }

    /// Returns the time of the last scan, in seconds since 1970; 0 if there was none.
    #[must_use]
    pub fn scanned_at(&self) -> f64 {
        self.scanned_at
    }

    /// Takes note of a scan, and how long it took.
    pub fn note(&mut self, round: &Round<'_>, took: Duration) {
        self.scanned_at = clock::seconds_since_1970();
        self.took = took;
        self.took_in_all += took;
        for RequestOutcome {
            module, outcome, ..
        } in &round.outcomes
        {
            let is_full = self.requests.len() >= MOST_COUNTS;
            let key = (module.clone(), outcome.code());
            if !is_full || self.requests.contains_key(&key) {
                *self.requests.entry(key).or_default() += 1;
            }
        }
        for record in &round.records {
            match record {
                Record::Decision(decision) => self.decide(decision),
                Record::FollowUp(follow_up) => self.follow(follow_up),
            }
        }
    }

    fn decide(&mut self, decision: &Decision) {
        if self.decisions.len() == MOST {
            self.decisions.pop_front();
        }
        let time = decision.time.clone();
        self.decisions.push_back(RecentDecision {
            id: decision.id,
            time: time.unwrap_or_else(|| clock::time_of_day().to_string()),
            module: decision.module.clone(),
            action: decision.action.clone(),
            outcome: decision.outcome.clone(),
            outcome_text: decision.outcome_text.clone(),
            changed: decision.changed,
            reason: decision.reason.clone(),
            effect: None,
            effect_text: None,
        });
    }

    fn follow(&mut self, follow_up: &FollowUp) {
        let mut decisions = self.decisions.iter_mut();
        if let Some(decision) = decisions.find(|decision| decision.id == follow_up.id) {
            decision.effect = Some(follow_up.effect.code().to_owned());
            decision.effect_text = Some(follow_up.text.clone());
        }
    }

    /// Takes note of an incident, of which something is told once more if it is written again.
    pub fn note_incident(&mut self, message: &IncidentMessage) {
        let Some(id) = message.event.incident() else {
            return;
        };
        self.incidents.retain(|kept| kept.id != *id);
        if self.incidents.len() == MOST_INCIDENTS {
            self.incidents.pop_front();
        }
        self.incidents.push_back(RecentIncident {
            id: id.to_owned(),
            time: clock::time_of_day().to_string(),
            module: message.module.clone(),
            text: incident_text(&message.event, TellOwners::All),
            for_others: ForOthers {
                program: incident_text(&message.event, TellOwners::Program),
                nameless: incident_text(&message.event, TellOwners::None),
            },
            open_since: message.open_since.clone(),
        });
    }

    /// Takes note of a reload, and why the configuration was not taken over, if it was not.
    pub fn note_reload(&mut self, problem: Option<&str>) {
        self.reload = Some(Reload {
            time: clock::time_of_day().to_string(),
            problem: problem.map(str::to_owned),
        });
    }

    pub(super) fn started(&self) -> Timestamp {
        self.started
    }

    pub(super) fn started_at(&self) -> Uptime {
        self.started_at
    }

    pub(super) fn took(&self) -> Duration {
        self.took
    }

    pub(super) fn took_in_all(&self) -> Duration {
        self.took_in_all
    }

    pub(super) fn decisions(&self) -> impl Iterator<Item = &RecentDecision> {
        self.decisions.iter()
    }

    pub(super) fn incidents(&self) -> impl Iterator<Item = &RecentIncident> {
        self.incidents.iter()
    }

    pub(super) fn requests(&self) -> Vec<Requests> {
        let requests = self.requests.iter();
        requests
            .map(|((module, outcome), count)| Requests {
                module: module.clone(),
                outcome: (*outcome).to_owned(),
                count: *count,
            })
            .collect()
    }

    pub(super) fn reload(&self) -> Option<&Reload> {
        self.reload.as_ref()
    }
}

impl Default for Recent {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::IncidentEvent;

    #[test]
    fn the_last_incidents_are_known_each_once_and_by_what_was_said_last() {
        let mut latest = Recent::new();
        let mut note = |event: IncidentEvent| {
            latest.note_incident(&IncidentMessage {
                module: "memleak".to_owned(),
                event,
                open_since: None,
            });
        };

        for id in 0..20 {
            note(IncidentEvent::Recorded {
                id: id.to_string(),
                attribution: None,
            });
        }
        note(IncidentEvent::Over {
            id: "10".to_owned(),
        });

        let kept: Vec<&RecentIncident> = latest.incidents().collect();
        assert_eq!((kept.len(), kept[0].id.as_str()), (16, "4"));
        assert_eq!(
            (kept[15].id.as_str(), kept[15].text.as_str()),
            ("10", "incident 10 is over")
        );
    }
}

//! The owners that may explain a growth, one by one.

use std::collections::HashMap;

use adaptivemm_module_api::units::Bytes;

use super::grown::Grown;
use super::{Certainty, Class, Explanation, SourceStatus};
use crate::incidents::evidence::{Evidence, Holding, SourceKind, SourceReport};

/// A rise of less is noise.
const LEAST_BYTES: u64 = 64 << 10;

/// Somebody who holds more than before, in a class that grew.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) kind: SourceKind,
    pub(super) explanation: Explanation,
    /// The service that it belongs to.
    within: Option<String>,
}

impl Candidate {
    pub(super) fn into_explanation(self) -> Explanation {
        self.explanation
    }
}

/// Returns all candidates.
pub(super) fn all(before: &Evidence, after: &Evidence, grown: &Grown) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for now in &after.sources {
        let then = before.sources.iter().find(|seen| seen.kind == now.kind);
        if let Some(earlier) = then.and_then(Earlier::from_report) {
            let rises = now.held.iter();
            // If the same look is refused each time, what could be seen can be compared.
            let is_whole = match now.standing {
                SourceStatus::Read => earlier.is_whole,
                SourceStatus::Denied { .. } => earlier.is_denied,
                SourceStatus::Absent { .. }
                | SourceStatus::Failed { .. }
                | SourceStatus::Cut { .. } => false,
            };
            candidates.extend(
                rises.filter_map(|held| earlier.candidate(now.kind, held, grown, is_whole)),
            );
        }
    }
    corroborate(&mut candidates);
    candidates
}

/// The amounts of a source in the earlier evidence.
#[derive(Debug)]
struct Earlier<'a> {
    held: HashMap<(&'a str, Option<Class>), u64>,
    least: u64,
    is_whole: bool,
    /// True if a look was refused, so that nothing is known of some.
    is_denied: bool,
}

impl<'a> Earlier<'a> {
    /// `None` if it said nothing, so that there is nothing to compare with.
    fn from_report(seen: &'a SourceReport) -> Option<Self> {
        let is_whole = match seen.standing {
            SourceStatus::Read => true,
            SourceStatus::Cut { .. } | SourceStatus::Denied { .. } if !seen.held.is_empty() => {
                false
            }
            SourceStatus::Cut { .. }
            | SourceStatus::Denied { .. }
            | SourceStatus::Absent { .. }
            | SourceStatus::Failed { .. } => return None,
        };
        let mut held = HashMap::new();
        for each in &seen.held {
            *held.entry((each.owner.as_str(), each.class)).or_default() += each.bytes;
        }
        Some(Self {
            held,
            least: seen.least,
            is_whole,
            is_denied: matches!(seen.standing, SourceStatus::Denied { .. }),
        })
    }

    /// `is_whole` is whether both were read to the end. If not, what an owner adds up to is a part of it in one of the two,
    /// so that the difference says nothing but what the rise may be.
    fn candidate(
        &self,
        kind: SourceKind,
        held: &Holding,
        grown: &Grown,
        is_whole: bool,
    ) -> Option<Candidate> {
        let known = self.held.get(&(held.owner.as_str(), held.class)).copied();
        let before = known.unwrap_or(self.least);
        let rise = held.bytes.saturating_sub(before);
        let class = held.class.or_else(|| grown.nearest(rise))?;
        let explained = rise.min(grown.by(class));
        if explained < LEAST_BYTES {
            return None;
        }
        let explanation = Explanation {
            class,
            owner: shown(held),
            source: kind.file().to_owned(),
            before_bytes: before,
            after_bytes: held.bytes,
            explained_bytes: explained,
            share_percent: share(explained, grown.total()),
            certainty: if is_whole {
                held.certainty
            } else {
                Certainty::AtMost
            },
            partial: !is_whole,
        };
        Some(Candidate {
            kind,
            explanation,
            within: held.within.clone(),
        })
    }
}

/// A process that may hold so much, in a service that is charged for as much more, is the one.
fn corroborate(candidates: &mut [Candidate]) {
    let charged: Vec<(String, Class, u64)> = candidates
        .iter()
        .filter(|each| each.kind == SourceKind::Services && !each.explanation.partial)
        .map(|each| {
            let explanation = &each.explanation;
            (
                explanation.owner.clone(),
                explanation.class,
                explanation.explained_bytes,
            )
        })
        .collect();
    for candidate in candidates.iter_mut() {
        let explanation = &mut candidate.explanation;
        let is_charged = charged.iter().any(|(service, class, bytes)| {
            candidate.within.as_ref() == Some(service)
                && explanation.class == *class
                && *bytes >= explanation.explained_bytes / 2
        });
        if is_charged && explanation.certainty == Certainty::AtMost && !explanation.partial {
            explanation.certainty = Certainty::Charged;
        }
    }
}

/// The owner as it is shown.
fn shown(held: &Holding) -> String {
    if held.note.is_empty() {
        held.owner.clone()
    } else {
        format!("{} ({})", held.owner, held.note)
    }
}

/// Returns a share in percent, to a tenth.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    let percent = Bytes::new(part).as_f64() / Bytes::new(whole).as_f64() * 100.0;
    (percent * 10.0).round() / 10.0
}

//! A look at who holds memory now, by whoever has more rights than the daemon, kept apart from its evidence.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::ask::RIGHTS;
use super::comparison::{Certainty, Class, SourceStatus, Taken};
use super::{Evidence, Holding, SourceKind, SourceReport};

/// The number of holders that are told, those first who hold most or have grown by most.
const MOST: usize = 10;
/// A rise of less is noise.
const LEAST_BYTES: u64 = 1 << 20;

/// The holders of memory of some classes at this moment. The field names are stable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// The time of the look, and its cost.
    pub taken: Taken,
    /// The classes of memory.
    pub classes: Vec<Class>,
    /// The holders of most of it, or of more than before the incident.
    pub holders: Vec<Holder>,
    /// Files that could not be looked at, or not to their end, and why.
    pub not_asked: Vec<NotAsked>,
}

/// Somebody who holds memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    /// The owner, such as `pipes of cron`.
    pub owner: String,
    /// More about it, such as `12 pipes, PID 812`.
    pub note: String,
    /// The class of memory in which it shows; nothing if its source does not tell.
    pub class: Option<Class>,
    /// The file that says so.
    pub source: String,
    /// The amount that it holds.
    pub bytes: u64,
    /// The amount that it held in the daemon's evidence of before the incident; nothing if that is not known.
    pub before_bytes: Option<u64>,
    /// The certainty of the amount.
    pub certainty: Certainty,
}

/// A file that said nothing, or not all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotAsked {
    /// The kernel file, as on a live machine.
    pub file: String,
    /// The reason.
    pub why: String,
}

impl Now {
    /// `before` is what the daemon saw before the incident, as far as it could.
    #[must_use]
    pub fn from_evidence(before: Option<&Evidence>, now: &Evidence, classes: &[Class]) -> Self {
        let mut holders = Vec::new();
        for seen in &now.sources {
            let before = Before::from_evidence(before, seen.kind);
            let held = seen.held.iter();
            let held = held.filter(|held| held.class.is_none_or(|class| classes.contains(&class)));
            holders.extend(held.map(|held| Holder {
                owner: held.owner.clone(),
                note: held.note.clone(),
                class: held.class,
                source: seen.kind.file().to_owned(),
                bytes: held.bytes,
                before_bytes: before.bytes(held),
                certainty: match seen.standing {
                    SourceStatus::Read => held.certainty,
                    _ => Certainty::AtMost,
                },
            }));
        }
        holders.retain(|holder: &Holder| holder.grown() >= LEAST_BYTES);
        holders.sort_by_key(|holder| std::cmp::Reverse(holder.weight()));
        holders.truncate(MOST);
        Self {
            taken: now.taken.clone(),
            classes: classes.to_vec(),
            holders,
            not_asked: now.sources.iter().filter_map(not_asked).collect(),
        }
    }
}

impl Holder {
    /// Returns by how much it may have grown since: by all of it, if nothing is known of before.
    fn grown(&self) -> u64 {
        self.bytes.saturating_sub(self.before_bytes.unwrap_or(0))
    }

    /// An upper limit weighs half, as in the daemon's own evidence. A control group weighs half of that: it is known to the
    /// service already, and what is asked for is the program in it.
    fn weight(&self) -> u64 {
        let weight = match self.certainty {
            Certainty::Exact => self.grown(),
            Certainty::Charged => self.grown() / 10 * 9,
            Certainty::AtMost => self.grown() / 2,
        };
        if self.source == SourceKind::Services.file() {
            weight / 2
        } else {
            weight
        }
    }
}

/// The amounts of a source before, if it was read to its end.
struct Before<'a> {
    held: Option<HashMap<(&'a str, Option<Class>), u64>>,
    least: u64,
}

impl<'a> Before<'a> {
    fn from_evidence(before: Option<&'a Evidence>, kind: SourceKind) -> Self {
        let seen = before.and_then(|before| {
            let mut sources = before.sources.iter();
            sources.find(|seen| seen.kind == kind && seen.standing == SourceStatus::Read)
        });
        Self {
            held: seen.map(|seen| {
                let held = seen.held.iter();
                held.map(|held| ((held.owner.as_str(), held.class), held.bytes))
                    .collect()
            }),
            least: seen.map_or(0, |seen| seen.least),
        }
    }

    fn bytes(&self, held: &Holding) -> Option<u64> {
        let before = self.held.as_ref()?;
        let bytes = before.get(&(held.owner.as_str(), held.class));
        Some(bytes.copied().unwrap_or(self.least))
    }
}

fn not_asked(seen: &SourceReport) -> Option<NotAsked> {
    let why = match &seen.standing {
        SourceStatus::Read | SourceStatus::Absent { .. } => return None,
        SourceStatus::Failed { why } | SourceStatus::Cut { why } | SourceStatus::Denied { why } => {
            why
        }
    };
    Some(NotAsked {
        file: seen.kind.file().to_owned(),
        // Whoever looks has these rights.
        why: why.replace(&format!("; {RIGHTS}"), ""),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Moment;

    const MIB: u64 = 1 << 20;

    fn evidence(sources: Vec<SourceReport>) -> Evidence {
        Evidence {
            v: 1,
            taken: Taken {
                at: Moment {
                    time: String::new(),
                    uptime_ms: 0,
                },
                why: "routine".to_owned(),
                cpu_us: 0,
                read_bytes: 0,
            },
            levels: std::collections::BTreeMap::new(),
            page_size_bytes: 4096,
            modules: Vec::new(),
            sources,
        }
    }

    fn seen(
        kind: SourceKind,
        standing: SourceStatus,
        held: &[(&str, Class, Certainty, u64)],
    ) -> SourceReport {
        let held = held.iter().map(|(owner, class, certainty, mib)| Holding {
            owner: (*owner).to_owned(),
            note: String::new(),
            class: Some(*class),
            certainty: *certainty,
            bytes: mib * MIB,
            within: None,
        });
        SourceReport {
            kind,
            standing,
            cpu_us: 0,
            held: held.collect(),
            least: 0,
        }
    }

    #[test]
    fn a_program_that_the_daemon_could_not_see_is_named_before_the_service_that_it_is_in() {
        let denied = SourceStatus::Denied { why: String::new() };
        let class = Class::Unaccounted;
        let (limit, charged) = (Certainty::AtMost, Certainty::Charged);
        let before = evidence(vec![
            seen(SourceKind::Descriptors, denied, &[]),
            seen(
                SourceKind::Services,
                SourceStatus::Read,
                &[("/x.service", class, charged, 10)],
            ),
            seen(
                SourceKind::Slab,
                SourceStatus::Read,
                &[("steady", Class::Slab, Certainty::Exact, 900)],
            ),
        ]);
        let now = evidence(vec![
            seen(
                SourceKind::Descriptors,
                SourceStatus::Read,
                &[("pipes of x", class, limit, 1500)],
            ),
            seen(
                SourceKind::Services,
                SourceStatus::Read,
                &[("/x.service", class, charged, 1510)],
            ),
            seen(
                SourceKind::Slab,
                SourceStatus::Read,
                &[("steady", Class::Slab, Certainty::Exact, 900)],
            ),
        ]);

        let found = Now::from_evidence(Some(&before), &now, &[class, Class::Slab]);

        let holders: Vec<_> = found
            .holders
            .iter()
            .map(|holder| (holder.owner.as_str(), holder.before_bytes))
            .collect();
        assert_eq!(
            holders,
            [("pipes of x", None), ("/x.service", Some(10 * MIB))],
            "who holds as much as before is none"
        );
        assert!(
            Now::from_evidence(None, &now, &[Class::Stacks])
                .holders
                .is_empty()
        );
    }
}

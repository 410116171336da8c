//! Every decision is explained: what was seen, what was weighed, what was changed, and what happened
//! afterwards, under a number by which it can be asked for.
//!
//! Transitions, not states: a request that meets the same outcome as in the scan before is the same decision still,
//! unless the machine was changed by it again.

mod effect;
pub mod file;
mod history;
mod pending;
pub mod record;
mod samples;
pub mod system_counters;
mod window;
mod writer;

use std::path::{Path, PathBuf};

use crate::actions::Notice;
use crate::actions::request_outcome::RequestOutcome;
use crate::base::clock;
use crate::base::news::News;
use crate::kernel::Snapshot;
use crate::modules::output::Action;
use crate::modules::pool::ModuleHandle;

use history::History;
use pending::Pending;
pub use record::{Decision, Effect, FollowUp, Record};
pub use samples::{NodeSamples, Samples};
pub use window::{NodeState, Window};
use writer::Writer;

/// The most new decisions of one module in one scan that are recorded, besides those that changed something.
const MOST: usize = 16;

/// The decisions of this daemon, and their follow-ups.
#[derive(Debug, Default)]
pub struct Decisions {
    archive: Option<Archive>,
    last_id: u64,
    /// The modules that may change something. Without them there is nothing to remember.
    modules: Vec<String>,
    history: History,
    pending: Pending,
    /// The outcomes of the requests of the last scan.
    standing: Vec<PreviousRequest>,
}

/// The place where records are kept.
#[derive(Debug)]
struct Archive {
    state_dir: PathBuf,
    boot_id: Option<String>,
    /// The writer, once there is something to write.
    writer: Option<Writer>,
}

/// A request of the last scan.
#[derive(Debug, PartialEq)]
struct PreviousRequest {
    module: String,
    action: Action,
    outcome: &'static str,
    id: u64,
}

impl Decisions {
    /// Creates decisions that are not written, with numbers from 1: for replays and simulations.
    #[must_use]
    pub fn unkept() -> Self {
        Self::default()
    }

    /// Creates decisions whose records are written to this directory; numbers go on from there.
    #[must_use]
    pub fn kept(state_dir: &Path, boot_id: Option<String>) -> Self {
        Self {
            archive: Some(Archive {
                state_dir: state_dir.to_owned(),
                boot_id,
                writer: None,
            }),
            ..Self::default()
        }
    }

    /// These modules may change something. The directory is not even made before there is one.
    pub fn watch(&mut self, modules: Vec<String>) {
        self.modules = modules;
        let Some(archive) = &mut self.archive else {
            return;
        };
        if self.modules.is_empty() || archive.writer.is_some() {
            return;
        }
        // A file that cannot be read now is reported as soon as something is to be written.
        let known = file::last_id(&archive.state_dir).unwrap_or_default();
        self.last_id = self.last_id.max(known);
        // Without a thread decisions are only logged; a daemon that gets none has other worries.
        archive.writer = Writer::start(&archive.state_dir).ok();
    }

    /// Takes note of a scan. Gives every new decision its number, and returns what there is to tell: decisions
    /// of this scan, and what happened after earlier ones.
    pub(crate) fn follow(
        &mut self,
        snapshot: &Snapshot,
        handles: &[ModuleHandle],
        notices: &[Notice],
        outcomes: &mut [RequestOutcome],
    ) -> Vec<Record> {
        if self.modules.is_empty() {
            return Vec::new();
        }
        let modules = &self.modules;
        self.history
            .note(snapshot, handles, |name| modules.iter().any(|m| m == name));
        self.pending.hear(notices);
        let mut records = Vec::new();
        if let Some(scan) = self.history.newest() {
            let due = self.pending.due(&scan.system).into_iter();
            records.extend(due.map(|follow_up| Record::FollowUp(Box::new(follow_up))));
        }
        let before = std::mem::take(&mut self.standing);
        for settled in outcomes {
            if !settled.outcome.is_decision() {
                continue;
            }
            let same = before.iter().find(|standing| standing.is_of(settled));
            let same = same.filter(|_| !settled.outcome.is_change());
            let is_new = |record: &&Record| matches!(record, Record::Decision(new) if new.module == settled.module);
            let id = match same {
                Some(standing) => standing.id,
                // Whoever asks for too much at once does not fill the log; what was changed is in it.
                None if !settled.outcome.is_change()
                    && records.iter().filter(is_new).count() >= MOST =>
                {
                    continue;
                }
                None => self.decide(settled, snapshot, &mut records),
            };
            settled.decision = Some(id);
            self.standing.push(PreviousRequest {
                module: settled.module.clone(),
                action: settled.request.action.clone(),
                outcome: settled.outcome.code(),
                id,
            });
        }
        self.keep(&mut records);
        records
    }

    /// A new decision.
    fn decide(
        &mut self,
        settled: &RequestOutcome,
        snapshot: &Snapshot,
        records: &mut Vec<Record>,
    ) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let samples = Samples::from_history(&self.history, &settled.module);
        let decision = Decision::from_outcome(id, settled, snapshot, samples);
        if decision.changed || settled.outcome.is_simulated() {
            let action = &settled.request.action;
            self.pending.add(id, &settled.module, action, &self.history);
        }
        records.push(Record::Decision(Box::new(decision)));
        id
    }

    /// Returns what has happened after decisions so far: there are no more scans.
    pub fn cut_short(&mut self) -> Vec<Record> {
        let Some(scan) = self.history.newest() else {
            return Vec::new();
        };
        let ended = self.pending.cut_short(&scan.system).into_iter();
        let mut records = ended
            .map(|follow_up| Record::FollowUp(Box::new(follow_up)))
            .collect();
        self.keep(&mut records);
        records
    }

    /// Adds what is not known in a replay, and hands over to the thread that writes.
    fn keep(&mut self, records: &mut Vec<Record>) {
        let Some(archive) = &mut self.archive else {
            return;
        };
        if records.is_empty() {
            return;
        }
        let now = Some(clock::time_of_day().to_string());
        for record in records {
            match record {
                Record::Decision(decision) => {
                    decision.time.clone_from(&now);
                    decision.boot_id.clone_from(&archive.boot_id);
                }
                Record::FollowUp(follow_up) => follow_up.time.clone_from(&now),
            }
            if let (Some(writer), Ok(line)) = (&archive.writer, serde_json::to_string(record)) {
                writer.write(line);
            }
        }
    }

    /// Returns news if the log cannot be written, or can be again.
    pub fn news(&mut self) -> Option<News> {
        self.archive.as_mut()?.writer.as_mut()?.news()
    }

    /// Waits a moment until all is written.
    pub fn end(self) {
        if let Some(writer) = self.archive.and_then(|archive| archive.writer) {
            writer.end();
        }
    }
}

impl PreviousRequest {
    fn is_of(&self, settled: &RequestOutcome) -> bool {
        self.module == settled.module
            && self.action == settled.request.action
            && self.outcome == settled.outcome.code()
    }
}

#[cfg(test)]
mod tests;

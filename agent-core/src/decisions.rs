//! Every decision is explained: what was seen, what was weighed, what was changed, and what happened
//! afterwards, under a number by which it can be asked for.
//!
//! Transitions, not states: a request that meets the same fate as in the scan before is the same decision still,
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
use crate::actions::request_outcome::Deed;
use crate::base::clock;
use crate::base::news::News;
use crate::kernel::Snapshot;
use crate::modules::output::Action;
use crate::modules::pool::Member;

use history::History;
use pending::Pending;
pub use record::{Aftermath, Decision, Effect, Record};
pub use samples::{NodeSamples, Samples};
pub use window::{NodeState, Window};
use writer::Writer;

/// As many new decisions of one module in one scan are taken down, besides those that changed something.
const MOST: usize = 16;

/// All that is known of the decisions of this daemon.
#[derive(Debug, Default)]
pub struct Decisions {
    archive: Option<Archive>,
    last_id: u64,
    /// The modules that may change something. Without them there is nothing to remember.
    modules: Vec<String>,
    history: History,
    pending: Pending,
    /// What became of the requests of the last scan.
    standing: Vec<Standing>,
}

/// Where records are kept.
#[derive(Debug)]
struct Archive {
    state_dir: PathBuf,
    boot_id: Option<String>,
    /// Once there is something to write.
    writer: Option<Writer>,
}

/// A request of the last scan.
#[derive(Debug, PartialEq)]
struct Standing {
    module: String,
    action: Action,
    fate: &'static str,
    id: u64,
}

impl Decisions {
    /// Nothing is written, and numbers start at 1: for replays and simulations.
    #[must_use]
    pub fn unkept() -> Self {
        Self::default()
    }

    /// Records are written to this directory, and numbers go on from there.
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
        // What cannot be read now is told as soon as something is to be written.
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
        members: &[Member],
        notices: &[Notice],
        deeds: &mut [Deed],
    ) -> Vec<Record> {
        if self.modules.is_empty() {
            return Vec::new();
        }
        let modules = &self.modules;
        self.history
            .note(snapshot, members, |name| modules.iter().any(|m| m == name));
        self.pending.hear(notices);
        let mut records = Vec::new();
        if let Some(scan) = self.history.newest() {
            let due = self.pending.due(&scan.vitals).into_iter();
            records.extend(due.map(|aftermath| Record::Aftermath(Box::new(aftermath))));
        }
        let before = std::mem::take(&mut self.standing);
        for deed in deeds {
            if !deed.fate.is_decision() {
                continue;
            }
            let same = before.iter().find(|standing| standing.is_of(deed));
            let same = same.filter(|_| !deed.fate.is_change());
            let is_new = |record: &&Record| matches!(record, Record::Decision(new) if new.module == deed.module);
            let id = match same {
                Some(standing) => standing.id,
                // Whoever asks for too much at once does not fill the log; what was changed is in it.
                None if !deed.fate.is_change() && records.iter().filter(is_new).count() >= MOST => {
                    continue;
                }
                None => self.decide(deed, snapshot, &mut records),
            };
            deed.decision = Some(id);
            self.standing.push(Standing {
                module: deed.module.clone(),
                action: deed.request.action.clone(),
                fate: deed.fate.code(),
                id,
            });
        }
        self.keep(&mut records);
        records
    }

    /// A new decision.
    fn decide(&mut self, deed: &Deed, snapshot: &Snapshot, records: &mut Vec<Record>) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let samples = Samples::of(&self.history, &deed.module);
        let decision = Decision::of(id, deed, snapshot, samples);
        if decision.changed || deed.fate.is_simulated() {
            let action = &deed.request.action;
            self.pending.add(id, &deed.module, action, &self.history);
        }
        records.push(Record::Decision(Box::new(decision)));
        id
    }

    /// What happened after decisions, as far as it has: there are no more scans.
    pub fn cut_short(&mut self) -> Vec<Record> {
        let Some(scan) = self.history.newest() else {
            return Vec::new();
        };
        let ended = self.pending.cut_short(&scan.vitals).into_iter();
        let mut records = ended
            .map(|aftermath| Record::Aftermath(Box::new(aftermath)))
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
                Record::Aftermath(aftermath) => aftermath.time.clone_from(&now),
            }
            if let (Some(writer), Ok(line)) = (&archive.writer, serde_json::to_string(record)) {
                writer.write(line);
            }
        }
    }

    /// Whether the log can be written, if that has changed.
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

impl Standing {
    fn is_of(&self, deed: &Deed) -> bool {
        self.module == deed.module
            && self.action == deed.request.action
            && self.fate == deed.fate.code()
    }
}

#[cfg(test)]
mod tests;

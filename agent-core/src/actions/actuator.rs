//! Writes to the machine; no other code does.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use adaptivemm_module_api::units::Uptime;
use libc::O_NONBLOCK;

use super::compactor::Compactor;
use super::ledger::{Entry, Ledger};
use super::outcome::{ActionFailed, ActionOutcome, Notice, Restored};
use super::rate::Rate;
use crate::config::ChangeLimits;
use crate::kernel::Root;
use crate::kernel::tunables::{self, Knob};
use crate::modules::output::Action;

const NODES: &str = "/sys/devices/system/node";

/// The way in which actions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are carried out.
    Live,
    /// They are only logged, and nothing is written.
    Simulate,
    /// They are carried out on a recorded machine: its tunables get the values that are asked for, and nothing is written.
    Rehearse,
}

/// The owner of the value that a tunable has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TunableOwner {
    /// The value before our first change, if we have changed it.
    pub original: Option<i64>,
    /// True if it was changed externally after us.
    pub is_yielded: bool,
}

/// Carries out decisions, and restores the original values.
#[derive(Debug)]
pub struct Actuator {
    root: Root,
    mode: Mode,
    limits: ChangeLimits,
    ledger: Ledger,
    /// The tunables that were changed externally, and the time at which that was noticed.
    yielded: BTreeMap<String, Uptime>,
    rate: Rate,
    compactor: Compactor,
    /// The values of the tunables in a rehearsal.
    rehearsed: BTreeMap<&'static str, i64>,
    notices: Vec<Notice>,
}

impl Actuator {
    /// Makes an actuator that writes below `root`, or nowhere. Entries that are in the ledger already are restored with
    /// the rest.
    #[must_use]
    pub fn new(root: Root, mode: Mode, ledger: Ledger) -> Self {
        Self {
            root,
            mode,
            limits: ChangeLimits::default(),
            ledger,
            yielded: BTreeMap::new(),
            rate: Rate::default(),
            compactor: Compactor::default(),
            rehearsed: BTreeMap::new(),
            notices: Vec::new(),
        }
    }

    /// The tunables that are changed, and their original values.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Changes the limits.
    pub fn limit(&mut self, limits: ChangeLimits) {
        self.limits = limits;
    }

    /// Looks at the value that a tunable has in this scan: a tunable of ours that somebody else changes is theirs from then
    /// on.
    pub fn observe(&mut self, knob: &'static Knob, value: i64, now: Uptime) -> TunableOwner {
        if self.mode == Mode::Rehearse {
            self.rehearsed.insert(knob.name, value);
        }
        self.resume_in_time(knob.name, now);
        let entry = self.ledger.entry(knob.name);
        let original = entry.map(|entry| entry.original.clone());
        if let Some(original) = &original {
            if !entry.is_some_and(|entry| entry.is_ours(&value.to_string())) {
                self.yield_to_others(knob, value, original.clone(), now);
            }
        }
        let is_yielded = self.yielded.contains_key(knob.name);
        TunableOwner {
            original: original
                .filter(|_| !is_yielded)
                .and_then(|original| original.parse().ok()),
            is_yielded,
        }
    }

    fn yield_to_others(&mut self, knob: &Knob, found: i64, original: String, now: Uptime) {
        self.yielded.insert(knob.name.to_owned(), now);
        // There is nothing left to restore. If that cannot be noted, the next daemon will see the same.
        let _noted = self.ledger.disown(knob.name);
        self.notices.push(Notice::Yielded {
            tunable: knob.name.to_owned(),
            found,
            original,
            resumes_after: self.limits.resume_after,
        });
    }

    fn resume_in_time(&mut self, tunable: &str, now: Uptime) {
        let Some((since, pause)) = self.yielded.get(tunable).zip(self.limits.resume_after) else {
            return;
        };
        if now.since(*since) >= pause {
            self.resume(Some(tunable));
        }
    }

    /// Resumes the tuning of tunables that were changed externally: of this one, or of all. Their current values become
    /// their original ones. Returns the number of these tunables.
    pub fn resume(&mut self, tunable: Option<&str>) -> usize {
        let yielded = self.yielded.keys();
        let resumed: Vec<String> = yielded
            .filter(|name| tunable.is_none_or(|tunable| tunable == *name))
            .cloned()
            .collect();
        for tunable in &resumed {
            self.yielded.remove(tunable);
            self.notices.push(Notice::Resumed {
                tunable: tunable.clone(),
            });
        }
        resumed.len()
    }

    /// The observations since the last call.
    pub fn notices(&mut self) -> Vec<Notice> {
        self.notices.append(&mut self.compactor.ended());
        std::mem::take(&mut self.notices)
    }

    /// The state of the recorded machine after a rehearsed scan: the path of each tunable, and its value.
    pub fn rehearsed(&self) -> impl Iterator<Item = (&'static str, i64)> {
        let values = self.rehearsed.iter();
        values.filter_map(|(name, value)| Some((tunables::find(name)?.path, *value)))
    }

    /// Carries out one action.
    ///
    /// # Errors
    ///
    /// If the kernel refuses it, or does not have the tunable or the node.
    pub fn carry_out(
        &mut self,
        action: &Action,
        now: Uptime,
    ) -> Result<ActionOutcome, ActionFailed> {
        let outcome = match action {
            Action::Set { tunable, value } => match tunables::find(tunable) {
                Some(knob) => self.set(action, knob, *value, now),
                None => Err(ActionFailed::Write {
                    path: tunable.into(),
                    source: io::ErrorKind::Unsupported.into(),
                }),
            },
            Action::CompactNode { node } => self.compact(action, *node, now),
        }?;
        if matches!(outcome, ActionOutcome::Done { .. } | ActionOutcome::Begun) {
            self.rate.count(action, now);
        }
        Ok(outcome)
    }

    fn set(
        &mut self,
        action: &Action,
        knob: &'static Knob,
        value: i64,
        now: Uptime,
    ) -> Result<ActionOutcome, ActionFailed> {
        let found = self
            .value(knob)
            .map_err(|source| self.refused(knob, source))?;
        if self.yielded.contains_key(knob.name) {
            let found = found.to_string();
            return Ok(ActionOutcome::Yielded { found });
        }
        let before = found.to_string();
        if let Some(entry) = self.ledger.entry(knob.name).filter(|e| !e.is_ours(&before)) {
            let original = entry.original.clone();
            self.yield_to_others(knob, found, original, now);
            return Ok(ActionOutcome::Yielded { found: before });
        }
        if found == value {
            return Ok(ActionOutcome::AlreadySo);
        }
        let limit = self.limits.per_minute;
        if self.rate.is_exhausted(action, now, limit) {
            return Ok(ActionOutcome::TooOften { limit });
        }
        if self.mode == Mode::Simulate {
            return Ok(ActionOutcome::Simulated {
                before: Some(before),
            });
        }
        self.change(knob, &before, value)?;
        Ok(ActionOutcome::Done { before })
    }

    /// Notes the present value and the new one, and makes the change.
    fn change(&mut self, knob: &'static Knob, found: &str, value: i64) -> Result<(), ActionFailed> {
        let text = value.to_string();
        let noted = self.ledger.entry(knob.name).cloned();
        self.ledger
            .note(knob.name, found, &text)
            .map_err(ActionFailed::Ledger)?;
        if let Err(source) = self.write_value(knob, value) {
            // A value that the kernel refused is not ours.
            let _noted = self.ledger.revert(knob.name, noted);
            return Err(self.refused(knob, source));
        }
        let taken = self
            .value(knob)
            .map_or(text.clone(), |taken| taken.to_string());
        if taken != text {
            self.note_taken(knob, found, &text, &taken, noted)?;
        }
        let is_original = self
            .ledger
            .entry(knob.name)
            .is_some_and(|entry| entry.original == taken);
        if is_original {
            // No change of ours is left. If that cannot be noted, the next daemon will restore it once more.
            let _noted = self.ledger.forget(knob.name);
        }
        Ok(())
    }

    /// Notes a value that the kernel made of the one we wrote: that is ours, too. If that cannot be noted, the change is
    /// undone: the next daemon would take the value for an external change, and forget the original one.
    fn note_taken(
        &mut self,
        knob: &'static Knob,
        found: &str,
        text: &str,
        taken: &str,
        noted: Option<Entry>,
    ) -> Result<(), ActionFailed> {
        let Err(error) = self.ledger.note(knob.name, text, taken) else {
            return Ok(());
        };
        let found = found.parse().map_err(io::Error::other);
        match found.and_then(|found| self.write_value(knob, found)) {
            Ok(()) => {
                let _noted = self.ledger.revert(knob.name, noted);
                Err(ActionFailed::Ledger(error))
            }
            Err(source) => {
                self.ledger.assume(knob.name, taken);
                Err(self.refused(knob, source))
            }
        }
    }

    fn write_value(&mut self, knob: &'static Knob, value: i64) -> io::Result<()> {
        if self.mode == Mode::Rehearse {
            self.rehearsed.insert(knob.name, value);
            return Ok(());
        }
        write(&self.path(knob.path), &value.to_string())
    }

    fn compact(
        &mut self,
        action: &Action,
        node: u32,
        now: Uptime,
    ) -> Result<ActionOutcome, ActionFailed> {
        if self.compactor.is_busy(node) {
            return Ok(ActionOutcome::Busy);
        }
        let limit = self.limits.per_minute;
        if self.rate.is_exhausted(action, now, limit) {
            return Ok(ActionOutcome::TooOften { limit });
        }
        match self.mode {
            Mode::Simulate => return Ok(ActionOutcome::Simulated { before: None }),
            Mode::Rehearse => return Ok(ActionOutcome::Begun),
            Mode::Live => {}
        }
        let path = self.compact_file(node);
        let begun = if path.exists() {
            self.compactor.begin(node, path.clone())
        } else {
            Err(io::ErrorKind::NotFound.into())
        };
        match begun {
            Ok(()) => Ok(ActionOutcome::Begun),
            Err(source) => Err(ActionFailed::Write { path, source }),
        }
    }

    /// The file that compacts a node. A kernel without NUMA has no such file for its one node, but one for all memory.
    fn compact_file(&self, node: u32) -> PathBuf {
        let own = self.path(&format!("{NODES}/node{node}/compact"));
        if node == 0 && !own.exists() && !self.has_nodes() {
            self.path("/proc/sys/vm/compact_memory")
        } else {
            own
        }
    }

    fn has_nodes(&self) -> bool {
        let names = self.root.list(NODES).unwrap_or_default();
        names.iter().any(|name| {
            let number = name.strip_prefix("node");
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        })
    }

    /// Restores the original value of every tunable that still has ours. A tunable that cannot be restored
    /// stays in the ledger, and so does one that cannot be taken out of it.
    pub fn restore(&mut self) -> Vec<Restored> {
        self.restore_those(|_| true)
    }

    /// True as long as nobody knows what the last daemon changed: its ledger cannot be read at the moment, and until then
    /// nothing is changed.
    #[must_use]
    pub fn is_ledger_unread(&self) -> bool {
        self.ledger.is_unread()
    }

    /// Restores some of the tunables, chosen by their names.
    pub fn restore_those(&mut self, is_meant: impl Fn(&str) -> bool) -> Vec<Restored> {
        // The error was reported when the ledger was opened.
        let _still_unread = self.ledger.settle();
        let entries: Vec<(String, Entry)> = self
            .ledger
            .entries()
            .filter(|(name, _)| is_meant(name))
            .map(|(name, entry)| (name.to_owned(), entry.clone()))
            .collect();
        let restored = entries.into_iter().map(|(tunable, entry)| {
            let result = self.give_back(&tunable, &entry);
            Restored {
                tunable,
                original: entry.original,
                result,
            }
        });
        restored.collect()
    }

    /// Restores tunables at somebody's request, and leaves them alone as if they had been changed externally.
    pub fn hand_over(&mut self, tunable: Option<&str>, now: Uptime) -> Vec<Restored> {
        let restored = self.restore_those(|name| tunable.is_none_or(|meant| meant == name));
        for Restored {
            tunable, result, ..
        } in &restored
        {
            if is_settled(result) {
                self.yielded.insert(tunable.clone(), now);
            }
        }
        restored
    }

    /// The current value of a tunable; `None` if it cannot be read.
    #[must_use]
    pub fn current(&self, knob: &Knob) -> Option<i64> {
        self.value(knob).ok()
    }

    /// True if a tunable was changed externally.
    #[must_use]
    pub fn is_yielded(&self, knob: &Knob) -> bool {
        self.yielded.contains_key(knob.name)
    }

    fn give_back(&mut self, tunable: &str, entry: &Entry) -> Result<bool, ActionFailed> {
        let given_back = match tunables::find(tunable) {
            Some(knob) => {
                let found = self
                    .value(knob)
                    .map_err(|source| self.refused(knob, source))?;
                let found = found.to_string();
                // We may have died after the value was noted, and before it was written.
                let has_it = found == entry.original;
                if !has_it && entry.is_ours(&found) {
                    let original = entry.original.parse().map_err(io::Error::other);
                    original
                        .and_then(|original| self.write_value(knob, original))
                        .map_err(|source| self.refused(knob, source))?;
                }
                has_it || entry.is_ours(&found)
            }
            // This is a ledger of another version, or one that somebody has written: the tunable is not ours.
            None => false,
        };
        match self.ledger.forget(tunable) {
            Ok(()) => Ok(given_back),
            Err(error) => Err(ActionFailed::NotForgotten { given_back, error }),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.locate(path).unwrap_or_else(|| path.into())
    }

    fn refused(&self, knob: &Knob, source: io::Error) -> ActionFailed {
        let path = self.path(knob.path);
        ActionFailed::Write { path, source }
    }

    fn value(&self, knob: &Knob) -> io::Result<i64> {
        if self.mode == Mode::Rehearse {
            let value = self.rehearsed.get(knob.name).copied();
            return value.ok_or_else(|| io::ErrorKind::NotFound.into());
        }
        let text = String::from_utf8_lossy(&self.root.read(knob.path)?).into_owned();
        text.trim_end().parse().map_err(|_| {
            let what = format!("expected a whole number, found {:?}", text.trim_end());
            io::Error::new(io::ErrorKind::InvalidData, what)
        })
    }
}

/// True if nothing is left to be done to a tunable, even if that could not be noted.
fn is_settled(result: &Result<bool, ActionFailed>) -> bool {
    matches!(result, Ok(_) | Err(ActionFailed::NotForgotten { .. }))
}

/// Writes a value into a file of the kernel. Where the kernel has no such file, none is made.
pub(super) fn write(path: &Path, value: &str) -> io::Result<()> {
    // A tree that stands for a machine may have a pipe here, which is not waited for.
    let mut file = OpenOptions::new()
        .write(true)
        .custom_flags(O_NONBLOCK)
        .open(path)?;
    // The text is written at once, as the kernel takes each write for a value.
    let text = format!("{value}\n");
    file.write_all(text.as_bytes())?;
    // A file of a tree that stands for a machine is cut after that, so that it always holds a value. A file of the kernel
    // has no length.
    let length = u64::try_from(text.len()).unwrap_or_default();
    if file.metadata()?.len() > length {
        file.set_len(length)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

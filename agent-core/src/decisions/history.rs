//! The last scans: how the machine did, and the numbers that the modules took from it.

use std::collections::VecDeque;

use crate::bus::{Ending, Member};
use crate::loader::Verdict;
use crate::sampler::Snapshot;
use crate::vitals::Vitals;
use crate::words::Number;

/// So many scans are remembered.
pub(super) const DEPTH: usize = 16;

/// A ring whose buffers are used again: in the steady state it asks for no memory.
#[derive(Debug, Default)]
pub(super) struct History {
    scans: VecDeque<Scan>,
}

/// One scan.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) vitals: Vitals,
    said: Vec<Said>,
    used: usize,
}

/// The numbers of one module.
#[derive(Debug, Default)]
struct Said {
    module: String,
    numbers: Vec<Number>,
    used: usize,
}

impl History {
    /// Takes note of a scan, and forgets the oldest. The numbers of modules that may change something are kept.
    pub(super) fn note(
        &mut self,
        snapshot: &Snapshot,
        members: &[Member],
        kept: impl Fn(&str) -> bool,
    ) {
        let mut scan = if self.scans.len() < DEPTH {
            Scan::default()
        } else {
            self.scans.pop_front().unwrap_or_default()
        };
        scan.vitals.take(snapshot);
        scan.used = 0;
        let is_sound = |member: &&Member| {
            member.ending() == Ending::Answered(Verdict::Good) && kept(member.name())
        };
        for member in members.iter().filter(is_sound) {
            scan.hear(member.name(), member.words().metrics());
        }
        self.scans.push_back(scan);
    }

    /// The last scans, at most so many, the newest last.
    pub(super) fn last(&self, count: usize) -> impl ExactSizeIterator<Item = &Scan> + Clone {
        let skipped = self.scans.len().saturating_sub(count);
        self.scans.iter().skip(skipped)
    }

    /// The last scan.
    pub(super) fn newest(&self) -> Option<&Scan> {
        self.scans.back()
    }
}

impl Scan {
    fn hear(&mut self, module: &str, numbers: &[Number]) {
        if self.used == self.said.len() {
            self.said.push(Said::default());
        }
        let said = &mut self.said[self.used];
        self.used += 1;
        copy(module, &mut said.module);
        if said.numbers.len() < numbers.len() {
            said.numbers.resize_with(numbers.len(), Number::default);
        }
        said.used = numbers.len();
        for (number, kept) in numbers.iter().zip(&mut said.numbers) {
            copy(&number.name, &mut kept.name);
            kept.value = number.value;
        }
    }

    /// The numbers of a module; empty if it did not answer.
    pub(super) fn numbers(&self, module: &str) -> &[Number] {
        let said = &self.said[..self.used];
        said.iter()
            .find(|said| said.module == module)
            .map_or(&[], |said| &said.numbers[..said.used])
    }

    /// One of them.
    pub(super) fn number(&self, module: &str, name: &str) -> Option<f64> {
        let mut numbers = self.numbers(module).iter();
        numbers
            .find(|number| number.name == name)
            .map(|number| number.value)
    }
}

/// Into the buffer that is there.
fn copy(text: &str, buffer: &mut String) {
    buffer.clear();
    buffer.push_str(text);
}

#[cfg(test)]
impl History {
    /// As if these scans had been, and a module had said these numbers.
    pub(super) fn of(scans: Vec<(Vitals, &str, Vec<Number>)>) -> Self {
        let mut history = Self::default();
        for (vitals, module, numbers) in scans {
            let mut scan = Scan {
                vitals,
                ..Scan::default()
            };
            scan.hear(module, &numbers);
            history.scans.push_back(scan);
            if history.scans.len() > DEPTH {
                history.scans.pop_front();
            }
        }
        history
    }
}

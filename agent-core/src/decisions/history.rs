//! The last scans: how the machine did, and the numbers that the modules took from it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::decisions::system_counters::SystemCounters;
use crate::kernel::Snapshot;
use crate::modules::abi::CallResult;
use crate::modules::output::Number;
use crate::modules::pool::{ModuleHandle, ScanResult};

/// The number of scans that are remembered.
pub(super) const DEPTH: usize = 16;

/// The number of names above which those that no scan has any more are forgotten.
const MANY_NAMES: usize = 4096;

/// A ring whose buffers are used again: in the steady state it asks for no memory.
#[derive(Debug, Default)]
pub(super) struct History {
    scans: VecDeque<Scan>,
    names: Names,
}

/// Names of modules and of their numbers, each of them once. They come and go in any order, and a copy of each would
/// ask for memory whenever it takes the place of a shorter one.
#[derive(Debug, Default)]
struct Names(BTreeSet<Arc<str>>);

/// One scan.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) system: SystemCounters,
    said: Vec<Said>,
    used: usize,
}

/// The numbers of one module.
#[derive(Debug, Default)]
struct Said {
    module: Arc<str>,
    numbers: Vec<Kept>,
    used: usize,
}

/// A number, with its name.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) name: Arc<str>,
    value: f64,
}

impl History {
    /// Takes note of a scan, and forgets the oldest. The numbers of modules that may change something are kept.
    pub(super) fn note(
        &mut self,
        snapshot: &Snapshot,
        handles: &[ModuleHandle],
        kept: impl Fn(&str) -> bool,
    ) {
        let mut scan = if self.scans.len() < DEPTH {
            Scan::default()
        } else {
            self.scans.pop_front().unwrap_or_default()
        };
        scan.system.take(snapshot);
        scan.used = 0;
        for handle in handles {
            let is_sound = handle.ending() == ScanResult::Answered(CallResult::Good);
            if !is_sound || !kept(handle.name()) {
                continue;
            }
            scan.hear(handle.name(), handle.output().metrics(), &mut self.names);
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
    fn hear(&mut self, module: &str, numbers: &[Number], names: &mut Names) {
        if self.used == self.said.len() {
            self.said.push(Said::default());
        }
        let said = &mut self.said[self.used];
        self.used += 1;
        names.put(module, &mut said.module);
        if said.numbers.len() < numbers.len() {
            said.numbers.resize_with(numbers.len(), Kept::default);
        }
        said.used = numbers.len();
        for (number, kept) in numbers.iter().zip(&mut said.numbers) {
            names.put(&number.name, &mut kept.name);
            kept.value = number.value;
        }
    }

    /// The numbers of a module; empty if it did not answer.
    pub(super) fn numbers(&self, module: &str) -> &[Kept] {
        let said = &self.said[..self.used];
        said.iter()
            .find(|said| &*said.module == module)
            .map_or(&[], |said| &said.numbers[..said.used])
    }

    /// One of them.
    pub(super) fn number(&self, module: &str, name: &str) -> Option<f64> {
        let mut numbers = self.numbers(module).iter();
        numbers
            .find(|number| &*number.name == name)
            .map(|number| number.value)
    }
}

impl Names {
    /// Nearly always it is the name that stands there already.
    fn put(&mut self, name: &str, place: &mut Arc<str>) {
        if &**place == name {
            return;
        }
        *place = if let Some(known) = self.0.get(name) {
            Arc::clone(known)
        } else {
            if self.0.len() >= MANY_NAMES {
                self.0.retain(|name| Arc::strong_count(name) > 1);
            }
            let new: Arc<str> = name.into();
            self.0.insert(Arc::clone(&new));
            new
        };
    }
}

#[cfg(test)]
impl History {
    /// Makes the history of these scans, in which a module named these numbers.
    pub(super) fn from_scans(scans: Vec<(SystemCounters, &str, Vec<Number>)>) -> Self {
        let mut history = Self::default();
        for (system, module, numbers) in scans {
            let mut scan = Scan {
                system,
                ..Scan::default()
            };
            scan.hear(module, &numbers, &mut history.names);
            history.scans.push_back(scan);
            if history.scans.len() > DEPTH {
                history.scans.pop_front();
            }
        }
        history
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(name: String) -> Number {
        Number { name, value: 1.0 }
    }

    #[test]
    fn names_are_kept_once_and_those_of_long_ago_are_forgotten() {
        let mut names = Names::default();
        let mut scan = Scan::default();
        scan.hear(
            "module",
            &[number("a".into()), number("bb".into())],
            &mut names,
        );
        scan.used = 0;
        scan.hear(
            "module",
            &[number("bb".into()), number("a".into())],
            &mut names,
        );
        assert_eq!(names.0.len(), 3);
        assert_eq!(scan.number("module", "bb"), Some(1.0));

        for count in 0..2 * MANY_NAMES {
            scan.used = 0;
            scan.hear("module", &[number(format!("number-{count}"))], &mut names);
        }

        assert!(names.0.len() <= MANY_NAMES, "{}", names.0.len());
        let last = format!("number-{}", 2 * MANY_NAMES - 1);
        assert_eq!(scan.number("module", &last), Some(1.0));
    }
}

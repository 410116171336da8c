//! The record of an incident: `incident.json` in its directory. The field names are stable.

use std::collections::BTreeMap;
use std::ops::Not;

use serde::{Deserialize, Serialize};

use crate::base::clock::Moment;
use crate::incidents::evidence::Comparison;

/// The version of these records.
pub const VERSION: u32 = 1;

/// The module that looks after kernel memory, and says how large each class of it is.
pub(super) const KERNEL_MEMORY: &str = "memleak";
/// No more findings are kept of one incident.
const MOST_TOLD: usize = 64;
/// The rank of a notice.
const NOTICE: usize = 2;

/// A finding worth keeping evidence for, and all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// The version of the record.
    pub v: u32,
    /// The name of the incident, and of its directory: `20261128-005113-memleak`.
    pub id: String,
    /// The module whose finding it was.
    pub module: String,
    /// The name that the module gives it: findings of one name belong to one incident.
    pub name: String,
    /// The time at which it was opened.
    pub opened: Moment,
    /// The time at which the module said that it is over, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Moment>,
    /// The machine on which it happened.
    pub machine: Machine,
    /// The findings of the module, the oldest first. The first one has opened the incident.
    pub told: Vec<FindingRecord>,
    /// The number of later findings that were left out, as there were too many.
    #[serde(default)]
    pub told_more: u64,
    /// The development of the module's numbers.
    pub history: History,
    /// The changes in the kernel's files between the evidence of before and that of now. Absent as long as it is
    /// collected, or where it could not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// The reasons why there is no comparison, or not all of it.
    #[serde(default)]
    pub problems: Vec<String>,
    /// True if the machine was started anew since, which whoever reads it finds out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_earlier_boot: bool,
}

/// The state of an incident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State<'a> {
    /// Nobody has said that it is over.
    Open,
    /// The module has said so.
    Over(&'a Moment),
    /// The incident was open when the machine was started anew.
    Restarted,
}

/// A machine, as far as it matters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The host name; left out with `--redact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The release of the kernel, such as `6.1.0-56-amd64`.
    pub kernel: String,
    /// The architecture, such as `x86_64`.
    pub arch: String,
    /// The identity of the boot.
    pub boot_id: String,
    /// `MemTotal` of `/proc/meminfo`.
    pub mem_total_bytes: u64,
    /// The size of a base page.
    pub page_size_bytes: u64,
    /// The name and version of the daemon.
    pub daemon: String,
    /// The time between two scans.
    pub period_ms: u64,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// The time at which it was said.
    pub at: Moment,
    /// `error`, `warning`, `notice`, `info` or `debug`.
    pub severity: String,
    /// The kind of finding, such as `trend-leak`.
    pub code: String,
    /// The sentence for people.
    pub text: String,
    /// True if the incident is over with it.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub ends: bool,
    /// The further lines for people.
    #[serde(default)]
    pub details: Vec<String>,
    /// The numbers behind it, with their units in their names.
    pub numbers: BTreeMap<String, f64>,
}

/// Columns of numbers: the metrics of the module, from some days ago (coarsely) to now (every scan).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The time at which each row was taken: since boot, in milliseconds, rising.
    pub uptime_ms: Vec<u64>,
    /// A column per metric, by its name with its unit, as long as `uptime_ms`; `None` where it was not said.
    pub columns: BTreeMap<String, Vec<Option<f64>>>,
}

impl History {
    /// Both, as far as `earlier` is earlier. Of more rows than `most`, every second one of the older half is left out.
    #[must_use]
    pub(crate) fn after(self, earlier: &Self, most: usize) -> Self {
        let first = self.uptime_ms.first().copied().unwrap_or(u64::MAX);
        let used = earlier.uptime_ms.partition_point(|at_ms| *at_ms < first);
        let own = self.uptime_ms.len();
        let mut both = Self {
            uptime_ms: [&earlier.uptime_ms[..used], &self.uptime_ms].concat(),
            columns: BTreeMap::new(),
        };
        for name in earlier.columns.keys().chain(self.columns.keys()) {
            let column = [earlier.column(name, used), self.column(name, own)].concat();
            both.columns.insert(name.clone(), column);
        }
        if both.uptime_ms.len() > most {
            both.thin();
        }
        both
    }

    /// Returns so many rows of a column; those that it does not have are empty.
    fn column(&self, name: &str, rows: usize) -> Vec<Option<f64>> {
        let column = self.columns.get(name).map_or(&[][..], Vec::as_slice);
        let mut column = column[..column.len().min(rows)].to_vec();
        column.resize(rows, None);
        column
    }

    fn thin(&mut self) {
        let half = self.uptime_ms.len() / 2;
        let stays: Vec<bool> = (0..self.uptime_ms.len())
            .map(|row| row >= half || row % 2 == 0)
            .collect();
        let mut rows = stays.iter();
        self.uptime_ms.retain(|_| rows.next() == Some(&true));
        for column in self.columns.values_mut() {
            let mut rows = stays.iter();
            column.retain(|_| rows.next() == Some(&true));
        }
    }
}

impl Incident {
    /// The finding that the report is about: the latest one that counts. Evidence is taken with each of those, so that
    /// all of a report is of one moment.
    #[must_use]
    pub fn headline(&self) -> Option<&FindingRecord> {
        let latest = self.told.iter().rev().find(|told| told.counts());
        latest.or(self.told.last())
    }

    /// The finding with which it was reported first.
    #[must_use]
    pub fn first_reported(&self) -> Option<&FindingRecord> {
        let first = self.told.iter().find(|told| told.counts());
        first.or(self.told.first())
    }

    /// Returns true if findings of the module under this name belong to it.
    pub(super) fn is_named(&self, module: &str, name: &str) -> bool {
        self.module == module && self.name == name
    }

    /// Returns the severity of the worst finding.
    #[must_use]
    pub fn severity(&self) -> Option<&str> {
        let worst = self.told.iter().min_by_key(|told| told.rank())?;
        Some(&worst.severity)
    }

    /// Returns the state of the incident.
    #[must_use]
    pub const fn state(&self) -> State<'_> {
        match &self.over {
            Some(over) => State::Over(over),
            None if self.is_of_earlier_boot => State::Restarted,
            None => State::Open,
        }
    }

    /// Returns when the numbers were taken that the report shows.
    #[must_use]
    pub fn looked_at(&self) -> &Moment {
        match (&self.over, self.headline()) {
            (Some(over), _) => over,
            (None, Some(told)) => &told.at,
            (None, None) => &self.opened,
        }
    }

    /// Returns true if it is about the kinds of kernel memory that are compared. Other modules have incidents of their
    /// own, which such a comparison says nothing about.
    #[must_use]
    pub fn is_about_kernel_memory(&self) -> bool {
        self.module == KERNEL_MEMORY
    }

    /// Takes in what was said. The first findings and the latest ones are kept.
    pub(super) fn add(&mut self, told: FindingRecord) {
        if self.told.len() >= MOST_TOLD {
            self.told.remove(MOST_TOLD / 2);
            self.told_more += 1;
        }
        self.told.push(told);
    }
}

impl FindingRecord {
    /// Returns true if an administrator was to see it, so that evidence was taken with it.
    pub(crate) fn counts(&self) -> bool {
        self.rank() <= NOTICE && !self.ends
    }

    /// Returns the rank of its severity; 0 is worst.
    fn rank(&self) -> usize {
        let order = ["error", "warning", "notice", "info", "debug"];
        let rank = order.iter().position(|name| *name == self.severity);
        rank.unwrap_or(order.len())
    }
}

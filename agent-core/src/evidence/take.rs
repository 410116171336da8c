//! Evidence: what all sources say at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use adaptivemm_module_api::units::PageSize;
use serde::{Deserialize, Serialize};

use super::comparison::{Class, Level, Standing, Taken};
use super::holdings::Held;
use super::kind::Kind;
use super::meter::Meter;
use super::{ask, levels, modules};
use crate::base::clock::Moment;
use crate::config::EvidenceBudget;
use crate::kernel::Root;

/// The version of [`Evidence`], which is written as JSON.
pub const VERSION: u32 = 1;

/// What the kernel's files say of who holds memory at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The version of the record.
    pub v: u32,
    /// When it was taken, and at what cost.
    pub taken: Taken,
    /// The size of each class, in bytes.
    pub levels: BTreeMap<Class, i64>,
    /// The base page of the machine, in bytes.
    pub page_size_bytes: u64,
    /// The kernel modules that are loaded, by name.
    pub modules: Vec<String>,
    /// What each source said, in the order in which they were asked.
    pub sources: Vec<Seen>,
}

/// What a source said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Which.
    pub kind: Kind,
    /// How that went.
    pub standing: Standing,
    /// Of the processor.
    pub cpu_us: u64,
    /// Who holds how much: those who hold the most.
    pub held: Vec<Held>,
    /// The most that somebody holds who is left out of `held` because there were too many; else 0.
    #[serde(default)]
    pub least: u64,
}

/// Why evidence is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The daemon has started.
    Start,
    /// Now and then, so that there is something to compare with.
    Routine,
    /// A module has become suspicious.
    Suspicion,
    /// A module has reported something.
    Incident,
}

impl Why {
    /// In a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Routine => "routine",
            Self::Suspicion => "suspicion",
            Self::Incident => "incident",
        }
    }

    /// Whether the texts are kept as they were: not all the time, as they are large.
    const fn keeps_raw(self) -> bool {
        matches!(self, Self::Suspicion | Self::Incident)
    }
}

/// What is to be taken.
#[derive(Debug)]
pub struct Request<'a> {
    /// Of which machine.
    pub root: &'a Root,
    /// The size of its base page.
    pub page_size: PageSize,
    /// Now.
    pub at: Moment,
    /// Why.
    pub why: Why,
    /// The classes of memory as the module memleak has them; those that are missing are taken from meminfo.
    pub levels: Vec<Level>,
    /// What it may cost.
    pub budget: EvidenceBudget,
    /// Whether all pages are to be counted, which takes 25 to 50 ms per GB whatever the budget.
    pub wants_census: bool,
}

/// The text of a kernel file as it was read, cut where it is very long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// The file, as on a live machine.
    pub path: String,
    /// What it held.
    pub text: Vec<u8>,
}

impl Evidence {
    /// Looks at the machine. The second value are texts to be kept beside an incident, at most 8 MiB; empty unless
    /// this is taken for a suspicion or an incident.
    #[must_use]
    pub fn take(request: &Request<'_>) -> (Self, Vec<Raw>) {
        let mut meter = Meter::new(request.root, request.budget, request.why.keeps_raw());
        let levels = levels::complete(&mut meter, &request.levels);
        let modules = modules::loaded(&mut meter);
        let sources = ask::all(&mut meter, request);
        let evidence = Self {
            v: VERSION,
            taken: Taken {
                at: request.at.clone(),
                why: request.why.name().to_owned(),
                cpu_us: micros(meter.cpu()),
                read_bytes: meter.read_bytes(),
            },
            levels,
            page_size_bytes: request.page_size.bytes().get(),
            modules,
            sources,
        };
        (evidence, meter.into_raw())
    }
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod denied;
#[cfg(test)]
mod tests;

//! Evidence: what all sources say at one moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::comparison::{Class, Taken};
use super::meter::Meter;
use super::request::{EvidenceRequest, RawText, SourceReport, micros};
use super::{ask, levels, modules};

/// The version of [`Evidence`], which is written as JSON.
pub const VERSION: u32 = 1;

/// The answers of the kernel's files about who holds memory at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The version of the record.
    pub v: u32,
    /// The time at which it was taken, and its cost.
    pub taken: Taken,
    /// The size of each class, in bytes.
    pub levels: BTreeMap<Class, i64>,
    /// The base page of the machine, in bytes.
    pub page_size_bytes: u64,
    /// The kernel modules that are loaded, by name.
    pub modules: Vec<String>,
    /// The answer of each source, in the order in which they were asked.
    pub sources: Vec<SourceReport>,
}

impl Evidence {
    /// Looks at the machine. The second value are texts to be kept beside an incident, at most 8 MiB; empty unless
    /// this is taken for a suspicion or an incident.
    #[must_use]
    pub fn take(request: &EvidenceRequest<'_>) -> (Self, Vec<RawText>) {
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

#[cfg(test)]
mod denied;
#[cfg(test)]
mod tests;

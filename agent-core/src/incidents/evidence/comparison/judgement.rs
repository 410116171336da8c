//! The judgement on who explains a growth: the difference of two evidences.

use adaptivemm_module_api::units::Bytes;

use super::candidate::{self, Candidate};
use super::grown::Grown;
use super::{Certainty, Class, Comparison, Growth, Source};
use crate::incidents::evidence::{Evidence, SourceKind, SourceReport};

/// The number of explanations that are kept, the best ones.
const MOST: usize = 50;

impl Comparison {
    /// Returns what changed from one evidence to the next, and who explains it.
    ///
    /// The order of the explanations is that of the bytes they explain, less where these are known less
    /// exactly, and a little less where the owner is named less precisely.
    #[must_use]
    pub fn between(before: &Evidence, after: &Evidence) -> Self {
        let growth = growth(before, after);
        let grown = Grown::from_growth(&growth);
        let mut candidates = candidate::all(before, after, &grown);
        let unexplained_bytes = unexplained(&candidates, &grown);
        candidates.sort_by(|a, b| {
            weight(b)
                .total_cmp(&weight(a))
                .then_with(|| a.explanation.owner.cmp(&b.explanation.owner))
        });
        candidates.truncate(MOST);
        let modules = after.modules.iter();
        Self {
            before: before.taken.clone(),
            after: after.taken.clone(),
            growth_bytes: grown.total(),
            growth,
            explanations: candidates
                .into_iter()
                .map(Candidate::into_explanation)
                .collect(),
            unexplained_bytes,
            sources: after.sources.iter().map(source).collect(),
            modules_loaded: modules
                .filter(|name| !before.modules.contains(name))
                .cloned()
                .collect(),
        }
    }
}

fn growth(before: &Evidence, after: &Evidence) -> Vec<Growth> {
    let classes = Class::ALL.into_iter();
    classes
        .filter_map(|class| {
            Some(Growth {
                class,
                before_bytes: *before.levels.get(&class)?,
                after_bytes: *after.levels.get(&class)?,
            })
        })
        .collect()
}

fn source(seen: &SourceReport) -> Source {
    Source {
        file: seen.kind.file().to_owned(),
        tells: seen.kind.tells().to_owned(),
        standing: seen.standing.clone(),
        cpu_us: seen.cpu_us,
    }
}

/// Returns the weight of an explanation against others. An upper limit weighs half: an idle process may have opened as
/// many pipes as the guilty one.
fn weight(candidate: &Candidate) -> f64 {
    let explanation = &candidate.explanation;
    let certainty = match explanation.certainty {
        Certainty::Exact => 1.0,
        Certainty::Charged => 0.9,
        Certainty::AtMost if explanation.partial => 0.25,
        Certainty::AtMost => 0.5,
    };
    let vagueness = f64::from(candidate.kind.vagueness());
    // Pages by their flags name nobody, so they come last.
    let named = if candidate.kind == SourceKind::Census {
        0.0
    } else {
        1.0
    };
    Bytes::new(explanation.explained_bytes).as_f64() * certainty * (1.0 - 0.01 * vagueness) * named
}

/// Returns the part of all growth that nobody explains: for each class, what the best view of it leaves over.
fn unexplained(candidates: &[Candidate], grown: &Grown) -> u64 {
    let mut sum = 0_u64;
    for (class, rise) in grown.classes() {
        let explained = View::ALL
            .iter()
            .map(|view| view.explains(class, candidates));
        sum = sum.saturating_add(rise.saturating_sub(explained.max().unwrap_or(0)));
    }
    sum
}

/// Sources that see different memory, so that what they explain adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Allocations,
    Pages,
    Caches,
    Areas,
    /// The objects that processes hold: each descriptor is one object.
    Processes,
    Devices,
    /// DMA buffers may be of it.
    Contiguous,
    Protocols,
    Services,
}

impl View {
    const ALL: [Self; 9] = [
        Self::Allocations,
        Self::Pages,
        Self::Caches,
        Self::Areas,
        Self::Processes,
        Self::Devices,
        Self::Contiguous,
        Self::Protocols,
        Self::Services,
    ];

    /// `None` for what names no owner.
    fn for_source(kind: SourceKind) -> Option<Self> {
        Some(match kind {
            SourceKind::AllocInfo => Self::Allocations,
            SourceKind::PageOwner => Self::Pages,
            SourceKind::Slab => Self::Caches,
            SourceKind::Vmalloc => Self::Areas,
            SourceKind::Sizes
            | SourceKind::PacketRings
            | SourceKind::Processes
            | SourceKind::Descriptors
            | SourceKind::Queues => Self::Processes,
            SourceKind::DmaBuffers | SourceKind::Zram => Self::Devices,
            SourceKind::Cma => Self::Contiguous,
            SourceKind::Sockets => Self::Protocols,
            SourceKind::Services => Self::Services,
            SourceKind::Census => return None,
        })
    }

    fn explains(self, class: Class, candidates: &[Candidate]) -> u64 {
        let explained = candidates
            .iter()
            .filter(|each| Self::for_source(each.kind) == Some(self))
            .filter(|each| match each.explanation.class {
                Class::Orphans => class == Class::Unaccounted,
                other => other == class,
            })
            // An owner that was counted in part may not have grown at all.
            .filter(|each| !each.explanation.partial)
            .map(|each| each.explanation.explained_bytes);
        explained.fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests;

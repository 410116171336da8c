//! The limits of the value.

use core::fmt;

use adaptivemm_module_api::trend::of_count;
use adaptivemm_module_api::units::{Bytes, Pages};

use crate::options::{Limit, largest_of};
use crate::sample::{NodeSample, Sample, pages_in};
use crate::scale::Scale;

/// Free and reclaimable pages must stay above the low watermark by a quarter of it.
const MARGIN: f64 = 1.25;

/// The largest value that is ever set on this machine, as it is now.
///
/// Memory in huge pages cannot be reclaimed, so the gap keeps the same share of the memory outside of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ceiling {
    pub(crate) value: Scale,
    /// The ceiling without huge pages.
    whole: Scale,
    limit: Limit,
    hugepages: Bytes,
}

/// The largest value with which free pages and those that can be reclaimed stay above the low watermark of each
/// node, so that no task need be killed because of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Affordable {
    /// The value; `None` if there is none.
    pub(crate) value: Option<Scale>,
    /// The node that allows least, and its free pages with those that can be reclaimed.
    tightest: Option<(u32, Pages)>,
}

impl Ceiling {
    pub(crate) fn new(limit: Limit, sample: &Sample) -> Self {
        let managed = sample.managed();
        let whole = match limit {
            Limit::Level(level) => largest_of(level),
            Limit::Gap(gap) => {
                let gap = pages_in(gap, sample.page_size).as_f64();
                Scale::fitting(gap, managed).unwrap_or(Scale::SMALLEST)
            }
        };
        let all = managed.bytes(sample.page_size).get();
        let outside = all.saturating_sub(sample.hugepages.get());
        Self {
            value: whole.share(of_count(outside) / of_count(all.max(1))),
            whole,
            limit,
            hugepages: sample.hugepages,
        }
    }
}

impl Affordable {
    pub(crate) fn for_nodes(nodes: &[NodeSample]) -> Self {
        let nodes = nodes.iter().map(Self::for_node);
        // `None`, no value at all, is less than any value.
        nodes.min_by_key(|node| node.value).unwrap_or_default()
    }

    fn for_node(node: &NodeSample) -> Self {
        let available = node.free.saturating_add(node.reclaimable);
        let gap = available.as_f64() / MARGIN - node.min.as_f64();
        Self {
            value: Scale::fitting(gap, node.managed),
            tightest: Some((node.id, available)),
        }
    }
}

impl fmt::Display for Ceiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            value,
            whole,
            hugepages,
            ..
        } = self;
        write!(f, "ceiling {value}: ")?;
        match self.limit {
            Limit::Level(level) => write!(f, "aggressiveness {level}")?,
            Limit::Gap(gap) => write!(f, "max-gap-gib, {gap}")?,
        }
        if value < whole {
            write!(
                f,
                ", which is {whole}, lowered as {hugepages} are in huge pages"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Affordable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "memory allows {value}")?,
            None => f.write_str("memory allows no raise")?,
        }
        let Some((node, available)) = self.tightest else {
            return Ok(());
        };
        write!(
            f,
            ": {available} of node {node} are free or easily reclaimed, and must stay a quarter above its low watermark"
        )
    }
}

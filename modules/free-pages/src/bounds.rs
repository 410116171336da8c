//! How far the value may be raised.

use adaptivemm_module_api::trend::of_count;

use crate::options::Limit;
use crate::sample::{NodeSample, Sample, pages_in};
use crate::scale::Scale;

/// Free and reclaimable pages must stay above the low watermark by a quarter of them.
const MARGIN: f64 = 1.25;

/// The largest value that is ever set on this machine, as it is now.
///
/// Memory in huge pages cannot be reclaimed, so the gap keeps the same share of the memory outside of them.
pub(crate) fn ceiling(limit: Limit, sample: &Sample) -> Scale {
    let managed = sample.managed();
    let whole = match limit {
        Limit::Value(value) => value,
        Limit::Gap(gap) => {
            let gap = pages_in(gap, sample.page_size).as_f64();
            Scale::fitting(gap, managed).unwrap_or(Scale::SMALLEST)
        }
    };
    let all = managed.bytes(sample.page_size).get();
    let outside = all.saturating_sub(sample.hugepages.get());
    whole.share(of_count(outside) / of_count(all.max(1)))
}

/// The largest value with which free pages and those that can be reclaimed stay above the low watermark of each
/// node, so that no task need be killed for it. `None` if there is none.
pub(crate) fn affordable(nodes: &[NodeSample]) -> Option<Scale> {
    let of_node = |node: &NodeSample| {
        let available = node.free.saturating_add(node.reclaimable).as_f64();
        Scale::fitting(available / MARGIN - node.min.as_f64(), node.managed)
    };
    // The smallest; and no value at all is less than any value.
    nodes.iter().map(of_node).min().flatten()
}

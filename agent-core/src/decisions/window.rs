//! The machine over some scans: rates, and what was free at their end.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use adaptivemm_module_api::units::Pages;

use super::record::seconds;
use crate::decisions::system_counters::{NodeCounters, SystemCounters};

/// The machine between two moments. `None` for what the kernel does not tell, or where a counter began anew.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// The length of the window.
    pub seconds: f64,
    /// Allocations that had to reclaim memory first.
    pub allocation_stalls_per_second: Option<f64>,
    /// Reclaimed by programs that needed memory.
    pub direct_reclaim_pages_per_second: Option<f64>,
    /// Reclaimed in the background.
    pub kswapd_reclaim_pages_per_second: Option<f64>,
    /// Programs that compacted memory themselves.
    pub compaction_stalls_per_second: Option<f64>,
    /// The share of the time in which at least one task waited for memory.
    pub pressure_some_percent: Option<f64>,
    /// The share of the time in which all tasks did.
    pub pressure_full_percent: Option<f64>,
    /// The nodes at the end of the window.
    pub nodes: Vec<NodeState>,
}

/// The free memory of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeState {
    /// The number of the node.
    pub node: u32,
    /// Free pages.
    pub free_pages: Option<u64>,
    /// The low watermark.
    pub low_pages: Option<u64>,
    /// The high watermark.
    pub high_pages: Option<u64>,
    /// Free blocks of order 0, 1, 2, ...
    pub free_blocks: Vec<u64>,
}

impl Window {
    /// Returns the window from one moment to another.
    pub(super) fn between(from: &SystemCounters, to: &SystemCounters) -> Self {
        let span = to.uptime.0.checked_sub(from.uptime.0);
        let span = span.filter(|span| !span.is_zero());
        let rate = |earlier: Option<u64>, later: Option<u64>| {
            let events = later?.checked_sub(earlier?)?;
            Some(rounded(Pages::new(events).as_f64() / span?.as_secs_f64()))
        };
        let share = |earlier: Option<Duration>, later: Option<Duration>| {
            let lost = later?.checked_sub(earlier?)?;
            Some(rounded(100.0 * lost.as_secs_f64() / span?.as_secs_f64()))
        };
        let (a, b) = (&from.counters, &to.counters);
        let pages = |pages: Option<Pages>| pages.map(Pages::get);
        Self {
            seconds: seconds(span.unwrap_or_default()),
            allocation_stalls_per_second: rate(a.allocation_stalls, b.allocation_stalls),
            direct_reclaim_pages_per_second: rate(
                pages(a.direct_reclaimed),
                pages(b.direct_reclaimed),
            ),
            kswapd_reclaim_pages_per_second: rate(
                pages(a.kswapd_reclaimed),
                pages(b.kswapd_reclaimed),
            ),
            compaction_stalls_per_second: rate(a.compaction_stalls, b.compaction_stalls),
            pressure_some_percent: share(
                from.pressure.map(|pressure| pressure.some),
                to.pressure.map(|pressure| pressure.some),
            ),
            pressure_full_percent: share(
                from.pressure.and_then(|pressure| pressure.full),
                to.pressure.and_then(|pressure| pressure.full),
            ),
            nodes: to.nodes.iter().map(NodeState::from_counters).collect(),
        }
    }

    /// The state of a node at the end.
    #[must_use]
    pub fn node(&self, id: u32) -> Option<&NodeState> {
        self.nodes.iter().find(|state| state.node == id)
    }
}

impl NodeState {
    fn from_counters(node: &NodeCounters) -> Self {
        Self {
            node: node.node,
            free_pages: node.free.map(Pages::get),
            low_pages: node.low.map(Pages::get),
            high_pages: node.high.map(Pages::get),
            free_blocks: node.blocks.clone(),
        }
    }

    /// Free pages in the blocks of the two largest orders.
    pub(super) fn in_large_blocks(&self) -> Option<u64> {
        let smallest = self.free_blocks.len().checked_sub(2)?;
        let orders = self.free_blocks.iter().enumerate().skip(smallest);
        let pages = orders.map(|(order, count)| {
            let pages = 1_u64.checked_shl(u32::try_from(order).unwrap_or(u32::MAX));
            count.saturating_mul(pages.unwrap_or(u64::MAX))
        });
        Some(pages.fold(0, u64::saturating_add))
    }
}

/// More digits would only claim to be exact.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use adaptivemm_module_api::units::Uptime;

    use super::*;
    use crate::decisions::system_counters::EventCounters;
    use crate::kernel::Pressure;

    fn system(secs: u64, stalls: Option<u64>, waited_ms: u64) -> SystemCounters {
        SystemCounters {
            uptime: Uptime(Duration::from_secs(secs)),
            counters: EventCounters {
                allocation_stalls: stalls,
                direct_reclaimed: stalls.map(|stalls| Pages::new(stalls * 32)),
                ..EventCounters::default()
            },
            pressure: Some(Pressure {
                some: Duration::from_millis(waited_ms),
                full: None,
            }),
            ..SystemCounters::default()
        }
    }

    #[test]
    fn rates_are_per_second_and_pressure_is_a_share_of_the_time() {
        let window = Window::between(&system(100, Some(5), 1000), &system(160, Some(20), 4000));

        let expected = Window {
            seconds: 60.0,
            allocation_stalls_per_second: Some(0.25),
            direct_reclaim_pages_per_second: Some(8.0),
            pressure_some_percent: Some(5.0),
            ..Window::default()
        };
        assert_eq!(window, expected);
    }

    #[test]
    fn a_counter_that_began_anew_or_a_clock_that_stands_still_gives_no_rate() {
        let reset = Window::between(&system(100, Some(5), 1000), &system(160, Some(4), 999));
        let no_time = Window::between(&system(100, Some(5), 1000), &system(100, Some(6), 1001));
        let unknown = Window::between(&system(100, None, 0), &system(160, Some(4), 0));

        assert_eq!(
            reset,
            Window {
                seconds: 60.0,
                ..Window::default()
            }
        );
        assert_eq!(no_time, Window::default());
        assert_eq!(unknown.allocation_stalls_per_second, None);
    }

    #[test]
    fn large_blocks_are_those_of_the_two_largest_orders() {
        let state = |blocks: &[u64]| NodeState {
            free_blocks: blocks.to_vec(),
            ..NodeState::default()
        };

        assert_eq!(state(&[9, 1, 2, 3]).in_large_blocks(), Some(2 * 4 + 3 * 8));
        assert_eq!(state(&[9]).in_large_blocks(), None);
    }
}

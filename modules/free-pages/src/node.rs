//! The trend of the free pages of one node.

use core::time::Duration;

use adaptivemm_module_api::trend::{Window, of_count};
use adaptivemm_module_api::units::{Pages, Uptime};

use crate::sample::NodeSample;
use crate::scale::Scale;

/// The number of scans of a trend.
pub(crate) const SCANS: usize = 8;
/// The fewest scans that are enough to act upon.
const ENOUGH: usize = 3;

/// The last scans of a node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: u32,
    managed: Pages,
    free: Window,
    /// Pages reclaimed since this began.
    reclaimed: Window,
    /// The reclaimed pages less the free ones: this grows by the pages that are used, even if reclaim does not keep up.
    used: Window,
    /// The reclaimed pages that the kernel has counted on this node, if it does.
    counted: Option<u64>,
}

/// The outlook of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outlook {
    pub(crate) sample: NodeSample,
    /// Pages that are used per second, those that reclaim brings back included.
    pub(crate) rate: f64,
    /// The time until the high watermark is reached; `None` if free pages do not become fewer.
    pub(crate) time_left: Option<Duration>,
    /// The value with which the gap holds the pages that are used in the lead time; `None` if there is time enough.
    pub(crate) need: Option<Scale>,
}

/// The moment for which an outlook is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) lead: Duration,
    pub(crate) period: Duration,
    /// True if allocations had to wait since the last scan.
    pub(crate) stalled: bool,
}

impl Node {
    pub(crate) fn new(sample: &NodeSample) -> Self {
        Self {
            id: sample.id,
            managed: sample.managed,
            free: Window::new(SCANS),
            reclaimed: Window::new(SCANS),
            used: Window::new(SCANS),
            counted: None,
        }
    }

    /// Forgets the scans before a suspend, or before memory was added.
    pub(crate) fn forget(&mut self) {
        self.free.clear();
        self.reclaimed.clear();
        self.used.clear();
        self.counted = None;
    }

    /// Adds a scan. `share` is this node's part of the pages that were reclaimed since the last one, for kernels that do
    /// not say it.
    pub(crate) fn push(&mut self, at: Uptime, sample: &NodeSample, share: f64) {
        if self.managed != sample.managed {
            self.forget();
            self.managed = sample.managed;
        }
        let free = sample.free.as_f64();
        let before = core::mem::replace(&mut self.counted, sample.reclaimed);
        let own = sample.reclaimed.zip(before);
        let since = own.map_or(share, |(now, before)| of_count(now.saturating_sub(before)));
        let reclaimed = self.reclaimed.latest().unwrap_or_default() + since;
        self.free.push(at, free);
        self.reclaimed.push(at, reclaimed);
        self.used.push(at, reclaimed - free);
    }

    /// The outlook; `None` until there are scans enough.
    pub(crate) fn outlook(&self, sample: &NodeSample, moment: Moment) -> Option<Outlook> {
        if self.used.len() < ENOUGH {
            return None;
        }
        let near = sample.is_near_watermarks();
        let mut rate = self.used.line()?.slope().max(0.0);
        if moment.stalled && near {
            // The mean was not enough: it hides bursts.
            rate = rate.max(self.peak());
        }
        let time_left = time_left(sample, self.free.line()?.slope());
        let soon = time_left.is_some_and(|left| left <= moment.lead.saturating_add(moment.period));
        let is_pressed = soon || (near && self.is_reclaimed());
        let pages = rate * moment.lead.as_secs_f64();
        Some(Outlook {
            sample: *sample,
            rate,
            time_left,
            need: is_pressed.then(|| Scale::holding(pages, sample.managed)),
        })
    }

    /// The most pages per second that were used from one scan to the next.
    fn peak(&self) -> f64 {
        let later = self.used.samples().skip(1);
        let rates = self.used.samples().zip(later).map(|(before, after)| {
            let seconds = after.0.since(before.0).as_secs_f64();
            (after.1 - before.1) / seconds
        });
        rates.fold(0.0, f64::max)
    }

    fn is_reclaimed(&self) -> bool {
        let first = self.reclaimed.samples().next();
        first.map(|(_, reclaimed)| reclaimed) < self.reclaimed.latest()
    }
}

impl NodeSample {
    /// The share of the machine's reclaimed pages that counts for this node. Where the kernel does not count by
    /// node, they are divided among those nodes of `all` that are near their watermarks, by their size; or else among all.
    pub(crate) fn share_of(&self, reclaimed: u64, all: &[Self]) -> f64 {
        let candidates = size(all.iter().filter(|node| node.is_near_watermarks()));
        let total = if candidates == 0.0 {
            size(all.iter())
        } else if self.is_near_watermarks() {
            candidates
        } else {
            return 0.0;
        };
        of_count(reclaimed) * self.managed.as_f64() / total.max(1.0)
    }

    fn is_near_watermarks(&self) -> bool {
        let gap = self.high.saturating_sub(self.low);
        self.free <= self.high.saturating_add(gap)
    }
}

fn size<'a>(nodes: impl Iterator<Item = &'a NodeSample>) -> f64 {
    nodes.map(|node| node.managed.as_f64()).sum()
}

fn time_left(sample: &NodeSample, slope: f64) -> Option<Duration> {
    let distance = sample.free.saturating_sub(sample.high).as_f64();
    if distance == 0.0 {
        return Some(Duration::ZERO);
    }
    // Where free pages grow this is negative, which is refused.
    Duration::try_from_secs_f64(-distance / slope).ok()
}

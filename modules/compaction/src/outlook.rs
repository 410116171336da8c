//! When the large free blocks of a node will have run out.

use core::time::Duration;

use adaptivemm_module_api::trend::Window;
use adaptivemm_module_api::units::{Pages, Uptime};

use crate::sample::{Blocks, block};

/// Scans over which a trend is looked for.
pub(crate) const WINDOW: usize = 8;

/// Nothing is foretold beyond as many windows.
const HORIZON: u32 = 5;

/// The last free pages of a node.
#[derive(Debug)]
pub(crate) struct Outlook {
    free: Window,
    /// In blocks smaller than of order 1, 2, ...
    fragmented: Vec<Window>,
}

/// No block of an order or more is left in some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shortage {
    pub(crate) order: u32,
    /// Until then.
    pub(crate) left: Duration,
    /// All free pages now.
    pub(crate) free: Pages,
    /// Free pages in smaller blocks now.
    pub(crate) fragmented: Pages,
    /// The change of the free pages in blocks of this order or more, in pages per second; not above 0.
    pub(crate) slope: f64,
    /// The time in which that was seen.
    pub(crate) span: Duration,
}

impl Outlook {
    pub(crate) fn new() -> Self {
        Self {
            free: Window::new(WINDOW),
            fragmented: Vec::new(),
        }
    }

    /// Starts over: the node is gone.
    pub(crate) fn clear(&mut self) {
        self.free.clear();
        self.fragmented.clear();
    }

    /// Adds the free blocks of a scan, up to `max_order`.
    pub(crate) fn push(&mut self, at: Uptime, period: Duration, blocks: &Blocks, max_order: u32) {
        let longest = period.saturating_mul(5) / 2;
        let orders = 1..=max_order.min(blocks.highest_order());
        self.fragmented
            .resize_with(orders.clone().count(), || Window::new(WINDOW));
        self.free.forget_after_gap(at, longest);
        self.free.push(at, blocks.free().as_f64());
        for (window, order) in self.fragmented.iter_mut().zip(orders) {
            window.forget_after_gap(at, longest);
            window.push(at, blocks.fragmented(order).as_f64());
        }
    }

    /// The shortages within the horizon, highest order first: that is the one that comes first.
    pub(crate) fn shortages<'a>(
        &'a self,
        at: Uptime,
        blocks: &'a Blocks,
    ) -> impl Iterator<Item = Shortage> + 'a {
        let highest = u32::try_from(self.fragmented.len()).unwrap_or(0);
        let orders = self.fragmented.iter().rev().zip((1..=highest).rev());
        orders.filter_map(move |(window, order)| self.shortage(at, blocks, window, order))
    }

    /// Where the lines through all free pages and through those in smaller blocks meet. `None` if that is too far
    /// off, too little is known yet, or the number of large blocks rises.
    fn shortage(
        &self,
        at: Uptime,
        blocks: &Blocks,
        window: &Window,
        order: u32,
    ) -> Option<Shortage> {
        if !window.is_full() || !self.free.is_full() {
            return None;
        }
        let (free, fragmented) = (self.free.line()?, window.line()?);
        let slope = free.slope() - fragmented.slope();
        let span = self.free.span();
        let one = block(order);
        if slope * span.as_secs_f64() >= one.as_f64() {
            return None;
        }
        let left = if blocks.large(order) < one {
            Duration::ZERO
        } else {
            free.time_to_meet(&fragmented, at)?
        };
        (left <= span * HORIZON).then(|| Shortage {
            order,
            left,
            free: blocks.free(),
            fragmented: blocks.fragmented(order),
            slope: slope.min(0.0),
            span,
        })
    }
}

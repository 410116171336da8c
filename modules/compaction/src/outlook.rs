//! Predicts when the large free blocks of a node run out.

use core::time::Duration;

use adaptivemm_module_api::trend::Window;
use adaptivemm_module_api::units::{Pages, Uptime};

use crate::sample::{Blocks, block};

/// The number of scans over which a trend is looked for.
pub(crate) const WINDOW: usize = 8;

/// The number of windows beyond which nothing is predicted.
const HORIZON: u32 = 5;

/// The free pages of a node in the last scans.
#[derive(Debug)]
pub(crate) struct Outlook {
    free: Window,
    /// The pages in blocks smaller than those of order 1, 2, ...
    fragmented: Vec<Window>,
}

/// A time at which no block of an order or more will be left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shortage {
    pub(crate) order: u32,
    /// The time until then.
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

/// The prospect of the blocks of an order or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Prospect {
    /// There are too few scans for a trend.
    Unknown,
    /// They become more, by `slope` pages a second.
    Growing { slope: f64 },
    /// They do not become fewer.
    Lasting,
    /// They run out, but beyond the horizon.
    Later { left: Duration },
    /// They run out.
    Soon(Shortage),
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

    /// The prospect of every order, highest order first: that is the one that runs out first.
    pub(crate) fn prospects<'a>(
        &'a self,
        at: Uptime,
        blocks: &'a Blocks,
    ) -> impl Iterator<Item = (u32, Prospect)> + 'a {
        let highest = u32::try_from(self.fragmented.len()).unwrap_or(0);
        let orders = self.fragmented.iter().rev().zip((1..=highest).rev());
        orders.map(move |(window, order)| (order, self.prospect(at, blocks, window, order)))
    }

    /// The shortages within the horizon, highest order first.
    pub(crate) fn shortages<'a>(
        &'a self,
        at: Uptime,
        blocks: &'a Blocks,
    ) -> impl Iterator<Item = Shortage> + 'a {
        let prospects = self.prospects(at, blocks);
        prospects.filter_map(|(_, prospect)| prospect.shortage())
    }

    /// The point where the lines through all free pages and through those in smaller blocks meet.
    fn prospect(&self, at: Uptime, blocks: &Blocks, window: &Window, order: u32) -> Prospect {
        let lines = self.free.line().zip(window.line());
        let is_known = window.is_full() && self.free.is_full();
        let Some((free, fragmented)) = lines.filter(|_| is_known) else {
            return Prospect::Unknown;
        };
        let slope = free.slope() - fragmented.slope();
        let span = self.free.span();
        let one = block(order);
        if slope * span.as_secs_f64() >= one.as_f64() {
            return Prospect::Growing { slope };
        }
        let left = if blocks.large(order) < one {
            Duration::ZERO
        } else {
            match free.time_to_meet(&fragmented, at) {
                Some(left) => left,
                None => return Prospect::Lasting,
            }
        };
        if left > span * HORIZON {
            return Prospect::Later { left };
        }
        Prospect::Soon(Shortage {
            order,
            left,
            free: blocks.free(),
            fragmented: blocks.fragmented(order),
            slope: slope.min(0.0),
            span,
        })
    }
}

impl Prospect {
    /// The shortage, if it is within the horizon.
    pub(crate) const fn shortage(self) -> Option<Shortage> {
        match self {
            Self::Soon(shortage) => Some(shortage),
            Self::Unknown | Self::Growing { .. } | Self::Lasting | Self::Later { .. } => None,
        }
    }
}

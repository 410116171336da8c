//! One moment of the machine: the free blocks of every node.

use core::time::Duration;
use std::collections::BTreeMap;

use adaptivemm_module_api::units::{Bytes, PageSize, Pages, Uptime};
use adaptivemm_module_api::{ScanError, Snapshot, Zone};

/// The DMA zone of x86 is as small; what else is called DMA is memory like other memory.
const SMALL_DMA: Bytes = Bytes::from_kib(16 << 10);

/// What this module takes from a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) at: Uptime,
    /// Between two scans.
    pub(crate) period: Duration,
    pub(crate) page_size: PageSize,
    /// By the number of the node.
    pub(crate) nodes: BTreeMap<u32, Blocks>,
}

/// The free blocks of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    /// Of order 0, 1, 2, ...
    counts: Vec<u64>,
    /// The low watermarks of its zones.
    pub(crate) low: Pages,
}

impl Sample {
    /// # Errors
    ///
    /// If the kernel says nothing of its free blocks.
    pub(crate) fn of(snapshot: &Snapshot<'_>) -> Result<Self, ScanError> {
        let page_size = snapshot.page_size();
        let mut nodes: BTreeMap<u32, Blocks> = BTreeMap::new();
        for zone in snapshot.zones()? {
            let is_small_dma = zone.name == "DMA" && zone.present.bytes(page_size) <= SMALL_DMA;
            if !is_small_dma && zone.free_blocks().next().is_some() {
                nodes.entry(zone.node).or_default().add(&zone);
            }
        }
        if nodes.is_empty() {
            return Err(ScanError::missing("/proc/buddyinfo"));
        }
        Ok(Self {
            at: snapshot.uptime(),
            period: snapshot.period(),
            page_size,
            nodes,
        })
    }
}

impl Blocks {
    fn add(&mut self, zone: &Zone<'_>) {
        self.low = self.low.saturating_add(zone.low);
        for (order, count) in zone.free_blocks().enumerate() {
            match self.counts.get_mut(order) {
                Some(sum) => *sum = sum.saturating_add(count),
                None => self.counts.push(count),
            }
        }
    }

    /// The highest order that this kernel has.
    pub(crate) fn highest_order(&self) -> u32 {
        u32::try_from(self.counts.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// All free pages.
    pub(crate) fn free(&self) -> Pages {
        pages(self.counts.iter().zip(0..))
    }

    /// Free pages in blocks that are smaller than of this order.
    pub(crate) fn fragmented(&self, order: u32) -> Pages {
        pages(self.counts.iter().zip(0..order))
    }

    /// Free pages in blocks that are not.
    pub(crate) fn large(&self, order: u32) -> Pages {
        self.free().saturating_sub(self.fragmented(order))
    }
}

fn pages<'a>(blocks: impl Iterator<Item = (&'a u64, u32)>) -> Pages {
    let in_blocks =
        |(&count, order): (&u64, u32)| Pages::new(count.saturating_mul(block(order).get()));
    blocks
        .map(in_blocks)
        .fold(Pages::default(), Pages::saturating_add)
}

/// One block of this order.
pub(crate) fn block(order: u32) -> Pages {
    Pages::new(1_u64.checked_shl(order).unwrap_or(u64::MAX))
}

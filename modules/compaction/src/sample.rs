//! One moment of the machine: the free blocks of every node.

use core::time::Duration;

use adaptivemm_module_api::units::{Bytes, PageSize, Pages, Uptime};
use adaptivemm_module_api::{ScanError, Snapshot, Zone};

/// The size of the DMA zone of x86; a larger zone of this name is memory like other memory.
const SMALL_DMA: Bytes = Bytes::from_kib(16 << 10);

/// The most orders that are kept; kernels have 11 with pages of 4 KiB, 14 with pages of 64 KiB.
const MAX_ORDERS: usize = 32;

/// The numbers that this module takes from a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) at: Uptime,
    /// The time between two scans.
    pub(crate) period: Duration,
    pub(crate) page_size: PageSize,
    /// The nodes with their numbers, by which they are sorted.
    pub(crate) nodes: Vec<(u32, Blocks)>,
}

/// The free blocks of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    /// The blocks of order 0, 1, 2, ...
    counts: [u64; MAX_ORDERS],
    orders: usize,
    /// The low watermarks of its zones.
    pub(crate) low: Pages,
}

impl Sample {
    /// Takes the numbers from a snapshot. The nodes go into the buffer of those of the scan before.
    ///
    /// # Errors
    ///
    /// If the kernel does not tell its free blocks.
    pub(crate) fn from_snapshot(
        snapshot: &Snapshot<'_>,
        mut nodes: Vec<(u32, Blocks)>,
    ) -> Result<Self, ScanError> {
        let page_size = snapshot.page_size();
        nodes.clear();
        let mut unavailable = None;
        for zone in snapshot.zones()? {
            let is_small_dma = zone.name == "DMA"
                && zone
                    .present
                    .is_some_and(|present| present.bytes(page_size) <= SMALL_DMA);
            if is_small_dma {
                continue;
            }
            match zone.free_blocks() {
                Ok(counts) => blocks_of(zone.node, &mut nodes).add(&zone, counts)?,
                // A zone that is not populated has none.
                Err(why) => unavailable = Some(why),
            }
        }
        if nodes.is_empty() {
            return Err(unavailable.map_or_else(
                || ScanError::new("/proc/zoneinfo has no zone"),
                ScanError::from,
            ));
        }
        Ok(Self {
            at: snapshot.uptime(),
            period: snapshot.period(),
            page_size,
            nodes,
        })
    }
}

/// The blocks of a node, which is added if it is not there yet.
fn blocks_of(node: u32, nodes: &mut Vec<(u32, Blocks)>) -> &mut Blocks {
    let index = nodes
        .binary_search_by_key(&node, |(number, _)| *number)
        .unwrap_or_else(|index| {
            nodes.insert(index, (node, Blocks::default()));
            index
        });
    &mut nodes[index].1
}

impl Blocks {
    fn add(&mut self, zone: &Zone<'_>, counts: impl Iterator<Item = u64>) -> Result<(), ScanError> {
        let low = zone.low.ok_or_else(|| {
            ScanError::new("/proc/zoneinfo does not say the low watermark of a zone")
        })?;
        self.low = self.low.saturating_add(low);
        for (order, (sum, count)) in self.counts.iter_mut().zip(counts).enumerate() {
            *sum = sum.saturating_add(count);
            self.orders = self.orders.max(order + 1);
        }
        Ok(())
    }

    /// The highest order that this kernel has.
    pub(crate) fn highest_order(&self) -> u32 {
        u32::try_from(self.orders.saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// All free pages.
    pub(crate) fn free(&self) -> Pages {
        pages(self.counts.iter().zip(0..))
    }

    /// The free pages in blocks smaller than those of this order.
    pub(crate) fn fragmented(&self, order: u32) -> Pages {
        pages(self.counts.iter().zip(0..order))
    }

    /// The free pages in blocks of this order or more.
    pub(crate) fn large(&self, order: u32) -> Pages {
        self.free().saturating_sub(self.fragmented(order))
    }
}

fn pages<'a>(blocks: impl Iterator<Item = (&'a u64, u32)>) -> Pages {
    let pages = blocks.map(|(count, order)| Pages::new(count.saturating_mul(block(order).get())));
    pages.fold(Pages::default(), Pages::saturating_add)
}

/// The pages of one block of this order.
pub(crate) fn block(order: u32) -> Pages {
    Pages::new(1_u64.checked_shl(order).unwrap_or(u64::MAX))
}

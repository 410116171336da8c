//! The state of the machine: what the core itself takes from every snapshot, to tell what led to a decision and
//! what came of it.

mod counters;

use adaptivemm_module_api::units::{Pages, Uptime};

use crate::kernel::{PRESSURE, Pressure, Snapshot, Wanted, pressure};

pub use counters::EventCounters;

/// The state of one machine in one scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemCounters {
    /// The time of the scan.
    pub uptime: Uptime,
    /// Events since boot.
    pub counters: EventCounters,
    /// Time lost waiting for memory since boot; not every kernel measures it.
    pub pressure: Option<Pressure>,
    /// By node, in the order of the kernel.
    pub nodes: Vec<NodeCounters>,
    /// The tunables that some module may change, and their values.
    pub tunables: Vec<(&'static str, Option<i64>)>,
}

/// The free memory of one node: the sums of its zones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeCounters {
    /// The number of the node.
    pub node: u32,
    /// The free pages.
    pub free: Option<Pages>,
    /// The low watermark: below it kswapd starts.
    pub low: Option<Pages>,
    /// The high watermark: above it kswapd ends.
    pub high: Option<Pages>,
    /// Free blocks of order 0, 1, 2, ...; empty if the kernel does not say.
    pub blocks: Vec<u64>,
}

impl SystemCounters {
    /// Asks for the files that they are taken from.
    pub fn want(wanted: &mut Wanted) {
        wanted.vmstat = true;
        wanted.zoneinfo = true;
        wanted.buddyinfo = true;
        wanted.add_file(PRESSURE);
    }

    /// Takes over what a snapshot says, into the buffers of an earlier one.
    pub fn take(&mut self, snapshot: &Snapshot) {
        self.uptime = snapshot.uptime;
        self.counters = snapshot
            .vmstat
            .get()
            .map_or_else(EventCounters::default, EventCounters::from_vmstat);
        let text = snapshot.file(PRESSURE);
        self.pressure = text.and_then(|text| pressure(text).ok());
        let tunables = snapshot.tunables.iter();
        self.tunables.clear();
        self.tunables
            .extend(tunables.map(|tunable| (tunable.name, tunable.value)));
        self.take_nodes(snapshot);
    }

    fn take_nodes(&mut self, snapshot: &Snapshot) {
        let mut used = 0;
        if let Some(zoneinfo) = snapshot.zoneinfo.get() {
            for zone in zoneinfo.zones() {
                let node = self.node(zone.node(), &mut used);
                add(&mut node.free, zone.free());
                add(&mut node.low, zone.low());
                add(&mut node.high, zone.high());
            }
        }
        if let Some(buddyinfo) = snapshot.buddyinfo.get() {
            for (id, _, counts) in buddyinfo.zones() {
                let blocks = &mut self.node(id, &mut used).blocks;
                for (order, count) in counts.enumerate() {
                    match blocks.get_mut(order) {
                        Some(sum) => *sum = sum.saturating_add(count),
                        None => blocks.push(count),
                    }
                }
            }
        }
        self.nodes.truncate(used);
    }

    /// The node of this number, among the first `used`; a slot of an earlier scan is used again.
    fn node(&mut self, id: u32, used: &mut usize) -> &mut NodeCounters {
        let known = self.nodes[..*used].iter().position(|node| node.node == id);
        let index = known.unwrap_or_else(|| {
            if *used == self.nodes.len() {
                self.nodes.push(NodeCounters::default());
            }
            self.nodes[*used].forget(id);
            *used += 1;
            *used - 1
        });
        &mut self.nodes[index]
    }

    /// The value of a tunable; `None` if it was not read.
    #[must_use]
    pub fn tunable(&self, name: &str) -> Option<i64> {
        let (_, value) = self.tunables.iter().find(|(known, _)| *known == name)?;
        *value
    }

    /// The free memory of a node.
    #[must_use]
    pub fn node_of(&self, id: u32) -> Option<&NodeCounters> {
        self.nodes.iter().find(|node| node.node == id)
    }
}

impl NodeCounters {
    /// Starts anew, with the buffers of another.
    fn forget(&mut self, id: u32) {
        self.node = id;
        self.free = None;
        self.low = None;
        self.high = None;
        self.blocks.clear();
    }
}

/// A sum is known as soon as one of its parts is.
fn add(sum: &mut Option<Pages>, part: Option<Pages>) {
    if let Some(part) = part {
        *sum = Some(sum.unwrap_or_default().saturating_add(part));
    }
}

#[cfg(test)]
mod tests;

//! The scans before a decision: one column per number, one row per scan, the newest last.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use adaptivemm_module_api::units::Pages;

use super::history::{History, Scan};
use super::record::seconds;
use crate::decisions::system_counters::SystemCounters;
use crate::modules::output::numbers::number_value;

/// The number of scans that are kept with a decision.
pub(super) const SCANS: usize = 8;

/// The last scans, in columns of equal length.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// The time of each scan, since boot.
    pub uptime_seconds: Vec<f64>,
    /// The numbers of the module that asked, an array each; `null` in scans in which it did not name it.
    pub metrics: Map<String, Value>,
    /// Since boot, `null` where the kernel does not count it, and so on for the others.
    pub allocation_stalls: Vec<Option<u64>>,
    /// Since boot.
    pub direct_reclaim_pages: Vec<Option<u64>>,
    /// Since boot.
    pub kswapd_reclaim_pages: Vec<Option<u64>>,
    /// Since boot.
    pub compaction_stalls: Vec<Option<u64>>,
    /// Since boot.
    pub pressure_some_us: Vec<Option<u64>>,
    /// Since boot.
    pub pressure_full_us: Vec<Option<u64>>,
    /// Their free memory; watermarks and blocks as they were in the last scan.
    pub nodes: Vec<NodeSamples>,
}

/// The free memory of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeSamples {
    /// The number of the node.
    pub node: u32,
    /// One per scan.
    pub free_pages: Vec<Option<u64>>,
    /// The low watermark.
    pub low_pages: Option<u64>,
    /// The high watermark.
    pub high_pages: Option<u64>,
    /// Free blocks of order 0, 1, 2, ...
    pub free_blocks: Vec<u64>,
}

impl Samples {
    /// Takes the last scans, as this module saw them.
    pub(super) fn from_history(history: &History, module: &str) -> Self {
        let scans = history.last(SCANS);
        let column = |value: fn(&SystemCounters) -> Option<u64>| -> Vec<Option<u64>> {
            scans.clone().map(|scan| value(&scan.system)).collect()
        };
        let newest = history.newest();
        let nodes = newest.map_or(&[][..], |scan| &scan.system.nodes);
        Self {
            uptime_seconds: scans
                .clone()
                .map(|scan| seconds(scan.system.uptime.0))
                .collect(),
            metrics: metrics(&scans, module),
            allocation_stalls: column(|system| system.counters.allocation_stalls),
            direct_reclaim_pages: column(|system| system.counters.direct_reclaimed.map(Pages::get)),
            kswapd_reclaim_pages: column(|system| system.counters.kswapd_reclaimed.map(Pages::get)),
            compaction_stalls: column(|system| system.counters.compaction_stalls),
            pressure_some_us: column(|system| {
                system.pressure.map(|pressure| micros(pressure.some))
            }),
            pressure_full_us: column(|system| system.pressure?.full.map(micros)),
            nodes: nodes
                .iter()
                .map(|node| NodeSamples {
                    node: node.node,
                    free_pages: scans
                        .clone()
                        .map(|scan| scan.system.node_of(node.node)?.free.map(Pages::get))
                        .collect(),
                    low_pages: node.low.map(Pages::get),
                    high_pages: node.high.map(Pages::get),
                    free_blocks: node.blocks.clone(),
                })
                .collect(),
        }
    }
}

/// Returns all numbers that the module named in one of these scans.
fn metrics<'a>(
    scans: &(impl Iterator<Item = &'a Scan> + Clone),
    module: &str,
) -> Map<String, Value> {
    let mut columns = Map::new();
    for number in scans.clone().flat_map(|scan| scan.numbers(module)) {
        if columns.contains_key(&*number.name) {
            continue;
        }
        let column: Value = scans
            .clone()
            .map(|scan| {
                scan.number(module, &number.name)
                    .map_or(Value::Null, number_value)
            })
            .collect();
        columns.insert(number.name.to_string(), column);
    }
    columns
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

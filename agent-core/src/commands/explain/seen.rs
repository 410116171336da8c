//! The scans before a decision.

use adaptivemm_module_api::units::Bytes;
use serde_json::Value;

use super::page::section;
use super::phrases::{self, UNKNOWN};
use super::table::Table;
use crate::decisions::{Decision, Samples};

/// The legend of the columns, for people who do not read them every day.
const LEGEND: &str = "  stalls: allocations that had to reclaim memory first; direct, kswapd: pages that were reclaimed by\n  \
                      programs and in the background; some, full: of the time, in which tasks waited for memory (PSI)\n";

/// A line has room for so many nodes.
const NODES: usize = 4;

/// The module's own numbers: a line each, as their names are long, and a column per scan.
pub(super) fn by_module(decision: &Decision) -> String {
    let samples = &decision.samples;
    let mut moving = Table::numbers();
    let mut still = Table::texts();
    for (name, column) in &samples.metrics {
        let values = column.as_array().map_or(&[][..], Vec::as_slice);
        let mut texts = values.iter().map(|value| phrases::number(name, value));
        if values.windows(2).all(|two| two[0] == two[1]) {
            let value = texts.next().unwrap_or_default();
            still.row([name.clone(), value]);
            continue;
        }
        if moving.is_empty() {
            let ages = ages(samples).into_iter();
            moving.row(std::iter::once("seconds before".to_owned()).chain(ages));
        }
        moving.row(std::iter::once(name.clone()).chain(texts));
    }
    let mut text = moving.to_string();
    if !still.is_empty() {
        let scans = samples.uptime_seconds.len();
        if !moving.is_empty() {
            text += "\n";
        }
        if scans > 1 {
            text += "  the same in each of these scans:\n";
        }
        text += &still.to_string();
    }
    if text.is_empty() {
        text.push_str("  it named no numbers\n");
    }
    section(
        &format!("What {} saw, scan by scan", decision.module),
        &text,
    )
}

/// The core's own numbers, a line per scan. Rates are those since the scan before.
pub(super) fn machine(decision: &Decision) -> String {
    let samples = &decision.samples;
    let mut table = Table::numbers();
    let nodes = shown_nodes(samples);
    let headings = ["stalls/s", "direct/s", "kswapd/s", "some %", "full %"];
    let first = std::iter::once("seconds before".to_owned());
    let columns = nodes.iter().map(|(name, _)| name.clone());
    table.row(
        first
            .chain(columns)
            .chain(headings.iter().map(|heading| (*heading).to_owned())),
    );
    for (index, age) in ages(samples).into_iter().enumerate() {
        let free = |(_, free): &(String, Vec<Option<u64>>)| {
            phrases::count(free.get(index).copied().flatten())
        };
        let rate = |column: &[Option<u64>], unit: f64| {
            index
                .checked_sub(1)
                .and_then(|before| rate(samples, column, before))
                .map_or_else(|| UNKNOWN.to_owned(), |rate| phrases::float(rate * unit))
        };
        // Microseconds per second, as a share of it.
        let percent = 1e-4;
        let rates = [
            rate(&samples.allocation_stalls, 1.0),
            rate(&samples.direct_reclaim_pages, 1.0),
            rate(&samples.kswapd_reclaim_pages, 1.0),
            rate(&samples.pressure_some_us, percent),
            rate(&samples.pressure_full_us, percent),
        ];
        table.row(
            std::iter::once(age)
                .chain(nodes.iter().map(free))
                .chain(rates),
        );
    }
    let text = format!("{table}{}{LEGEND}", watermarks(samples));
    let page_size = Bytes::new(decision.page_size_bytes);
    section(
        &format!("How the machine did meanwhile, in pages of {page_size}"),
        &text,
    )
}

fn watermarks(samples: &Samples) -> String {
    let line = |node: &crate::decisions::NodeSamples| {
        format!(
            "  node {}: low watermark {}, high watermark {}\n",
            node.node,
            phrases::count(node.low_pages),
            phrases::count(node.high_pages)
        )
    };
    samples.nodes.iter().take(NODES).map(line).collect()
}

/// Free pages of each node, or of all together if they are too many for a line.
fn shown_nodes(samples: &Samples) -> Vec<(String, Vec<Option<u64>>)> {
    if samples.nodes.len() <= NODES {
        let nodes = samples.nodes.iter();
        return nodes
            .map(|node| (format!("free, node {}", node.node), node.free_pages.clone()))
            .collect();
    }
    let sum = |index: usize| {
        let free = samples
            .nodes
            .iter()
            .map(|node| node.free_pages.get(index).copied().flatten());
        free.sum::<Option<u64>>()
    };
    let sums = (0..samples.uptime_seconds.len()).map(sum).collect();
    vec![(format!("free, {} nodes", samples.nodes.len()), sums)]
}

/// Returns by how much a counter grew per second from one scan to the next.
fn rate(samples: &Samples, column: &[Option<u64>], before: usize) -> Option<f64> {
    let value = |index: usize| column.get(index).copied().flatten();
    let events = value(before + 1)?.checked_sub(value(before)?)?;
    let times = &samples.uptime_seconds;
    let seconds = times.get(before + 1)? - times.get(before)?;
    let events = Value::from(events).as_f64()?;
    (seconds > 0.0).then(|| events / seconds)
}

/// Returns the time between each scan and the decision.
fn ages(samples: &Samples) -> Vec<String> {
    let times = &samples.uptime_seconds;
    let last = times.last().copied().unwrap_or_default();
    times
        .iter()
        .map(|time| phrases::float(last - time))
        .collect()
}

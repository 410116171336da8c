//! The time after a decision: before and after, side by side.

use std::fmt::Write;

use super::page::section;
use super::phrases;
use super::table::Table;
use crate::decisions::{Decision, FollowUp, NodeState};

/// The most nodes that are shown; more would be no help.
const NODES: usize = 8;
const OTHERS: usize = 8;

pub(super) fn render(follow_up: &FollowUp, decision: &Decision) -> String {
    let (before, after) = (&follow_up.before, &follow_up.after);
    let mut table = Table::numbers();
    let heading = |seconds: f64, word: &str| format!("{} {word}", phrases::span(seconds));
    table.row([
        String::new(),
        heading(before.seconds, "before"),
        heading(after.seconds, "since"),
    ]);
    let mut rate = |name: &str, before: Option<f64>, after: Option<f64>| {
        table.row([
            name.to_owned(),
            phrases::known(before),
            phrases::known(after),
        ]);
    };
    rate(
        "allocation stalls per second",
        before.allocation_stalls_per_second,
        after.allocation_stalls_per_second,
    );
    rate(
        "direct reclaim, pages per second",
        before.direct_reclaim_pages_per_second,
        after.direct_reclaim_pages_per_second,
    );
    rate(
        "kswapd reclaim, pages per second",
        before.kswapd_reclaim_pages_per_second,
        after.kswapd_reclaim_pages_per_second,
    );
    rate(
        "compaction stalls per second",
        before.compaction_stalls_per_second,
        after.compaction_stalls_per_second,
    );
    rate(
        "PSI some, % of the time",
        before.pressure_some_percent,
        after.pressure_some_percent,
    );
    rate(
        "PSI full, % of the time",
        before.pressure_full_percent,
        after.pressure_full_percent,
    );
    let mut blocks = Table::numbers();
    for state in before.nodes.iter().take(NODES) {
        let later = after.node(state.node);
        nodes(&mut table, state, later);
        blocks_of(&mut blocks, state, later);
    }
    let mut text = table.to_string();
    if !blocks.is_empty() {
        let _never_fails = write!(text, "\n{blocks}");
    }
    text += &remarks(follow_up, decision);
    section("What happened afterwards", &text)
}

fn nodes(table: &mut Table, before: &NodeState, after: Option<&NodeState>) {
    let node = before.node;
    let mut pages = |what: &str, pages: fn(&NodeState) -> Option<u64>| {
        table.row([
            format!("node {node}: {what}, pages"),
            phrases::count(pages(before)),
            phrases::count(after.and_then(pages)),
        ]);
    };
    pages("free", |state| state.free_pages);
    pages("low watermark", |state| state.low_pages);
    pages("high watermark", |state| state.high_pages);
}

fn blocks_of(table: &mut Table, before: &NodeState, after: Option<&NodeState>) {
    let later = after.map_or(&[][..], |state| &state.free_blocks);
    let orders = before.free_blocks.len().max(later.len());
    if orders == 0 {
        return;
    }
    if table.is_empty() {
        let orders = (0..orders).map(|order| order.to_string());
        table.row(std::iter::once("free blocks of order".to_owned()).chain(orders));
    }
    let mut row = |when: &str, blocks: &[u64]| {
        let cells = blocks.iter().map(u64::to_string);
        table.row(std::iter::once(format!("node {}, {when}", before.node)).chain(cells));
    };
    row("before", &before.free_blocks);
    row("since", later);
}

fn remarks(follow_up: &FollowUp, decision: &Decision) -> String {
    let mut text = String::new();
    let mut remark = |remark: &str| {
        let _never_fails = writeln!(text, "  {remark}");
    };
    if let (Some(tunable), Some(now)) = (&decision.tunable, follow_up.value_now) {
        remark(&format!("{tunable} was {now} at the end of this time."));
    }
    for event in &follow_up.meanwhile {
        remark(&format!("Meanwhile: {event}."));
    }
    if !decision.changed {
        remark("It was only simulated: this is what happened without it.");
    }
    if follow_up.cut_short {
        remark("The daemon, or the recording, ended before the time was over.");
    }
    if !follow_up.others.is_empty() {
        let shown = follow_up.others.iter().take(OTHERS);
        let mut others = shown.map(u64::to_string).collect::<Vec<_>>().join(", ");
        if follow_up.others.len() > OTHERS {
            others += " and more";
        }
        remark(&format!(
            "Other decisions changed something in the same time: {others}. Nobody can tell their effects apart."
        ));
    }
    if follow_up.before.nodes.len() > NODES {
        remark("There are more nodes; --json prints all.");
    }
    if text.is_empty() {
        text
    } else {
        format!("\n{text}")
    }
}

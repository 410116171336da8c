//! Compacts memory before its large free blocks run out.
//!
//! Memory can be free and still of no use to whoever needs a large block: it is in pieces. This module looks, for
//! every node, where the lines through all free pages and through those in small blocks meet. If that is sooner than
//! compaction can help, it asks for it. Afterwards it looks whether that was so, and where it was not, it asks
//! ever more rarely.

mod benefit;
mod detector;
mod options;
mod outlook;
mod sample;
mod weighed;

use core::fmt::Write as _;

use adaptivemm_module_api::units::Pages;
use adaptivemm_module_api::{
    Action, Config, ConfigProblems, Finding, Info, Module, Need, Number, Out, Request, ScanError,
    Severity, Snapshot, register,
};

use crate::benefit::Effect;
use crate::detector::{Compaction, Detector, Observation};
use crate::options::Options;
use crate::sample::{Blocks, Sample};

/// The module.
#[derive(Debug)]
pub struct MemoryCompaction {
    options: Options,
    detector: Detector,
    /// The nodes and the observations of the last scan, kept for their buffers.
    nodes: Vec<(u32, Blocks)>,
    observations: Vec<Observation>,
    /// The status line, kept for its buffer.
    line: String,
}

register!(MemoryCompaction);

impl Module for MemoryCompaction {
    const INFO: Info = Info {
        flag: "ENABLE_COMPACTION",
        needs: &[Need::ZONEINFO, Need::BUDDYINFO],
        writes: &[Action::COMPACT_NODE],
        options: &[
            &options::AGGRESSIVENESS,
            &options::MAX_ORDER,
            &options::COOL_DOWN,
        ],
        ..Info::new(
            "compaction",
            env!("CARGO_PKG_VERSION"),
            "Compacts the memory of a node before its large free blocks run out",
        )
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        let options = Options::read(config);
        Ok(Self {
            options,
            detector: Detector::new(options),
            nodes: Vec::new(),
            observations: Vec::new(),
            line: String::new(),
        })
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let sample = Sample::from_snapshot(snapshot, core::mem::take(&mut self.nodes))?;
        self.detector.observe(&sample, &mut self.observations);
        for observation in &self.observations {
            if let Some(effect) = &observation.effect {
                say(observation.node, effect, out);
            }
            if let Some(compaction) = &observation.compaction {
                ask(observation.node, compaction, out);
            }
        }
        self.publish(&sample, out);
        self.nodes = sample.nodes;
        Ok(())
    }
}

impl MemoryCompaction {
    fn publish(&mut self, sample: &Sample, out: &mut Out<'_>) {
        let Self {
            line, observations, ..
        } = self;
        line.clear();
        let (mut free, mut fragmented) = (Pages::default(), Pages::default());
        for ((_, blocks), observation) in sample.nodes.iter().zip(&*observations) {
            let order = self.options.max_order.min(blocks.highest_order());
            free = free.saturating_add(blocks.free());
            fragmented = fragmented.saturating_add(blocks.fragmented(order));
            let separator = if line.is_empty() { "" } else { "; " };
            // Writing to a string cannot fail.
            let _ = write!(
                line,
                "{separator}node {}: {} of {} free pages are in blocks smaller than order {order}",
                observation.node,
                blocks.fragmented(order).get(),
                blocks.free().get(),
            );
            if let Some(shortage) = &observation.shortage {
                let _ = write!(
                    line,
                    ", and larger ones run out in {:.0} s",
                    shortage.left.as_secs_f64()
                );
            }
        }
        out.metric("free_bytes", free.bytes(sample.page_size).as_f64());
        out.metric(
            "fragmented_bytes",
            fragmented.bytes(sample.page_size).as_f64(),
        );
        let shortages = observations.iter().filter_map(|each| each.shortage);
        if let Some(left) = shortages.map(|shortage| shortage.left).min() {
            out.metric("time_left_seconds", left.as_secs_f64());
        }
        out.status(line);
    }
}

fn ask(node: u32, compaction: &Compaction, out: &mut Out<'_>) {
    let shortage = &compaction.shortage;
    let numbers = [
        Number::new("order", f64::from(shortage.order)),
        Number::new("time_left_seconds", shortage.left.as_secs_f64()),
        Number::new("lead_seconds", compaction.lead.as_secs_f64()),
        Number::new("free_pages", shortage.free.as_f64()),
        Number::new("fragmented_pages", shortage.fragmented.as_f64()),
        Number::new("large_pages_per_second", shortage.slope),
        Number::new("compaction_pages_per_second", compaction.rate),
    ];
    let reason = compaction.to_string();
    let details = compaction.weighed.to_string();
    let request = Request::compact_node(node, &reason).details(&details);
    // The core reports a refusal itself. Then the compaction will not help, and is asked for ever more rarely.
    let _refused = out.request(&request.numbers(&numbers));
}

fn say(node: u32, effect: &Effect, out: &mut Out<'_>) {
    let Effect {
        order,
        before,
        gained,
        needed,
        ..
    } = effect;
    let after = effect.after.as_secs_f64();
    let pause = effect.pause.as_secs_f64();
    let (severity, code, text) = if effect.has_helped() {
        (
            Severity::Debug,
            "helped",
            format!(
                "compacting node {node} helped: {after:.0} s later, blocks of order {order} or more held {gained:.0} \
                 pages more than the trend predicted ({} before)",
                before.get()
            ),
        )
    } else {
        (
            Severity::Info,
            "no-help",
            format!(
                "compacting node {node} did not help: blocks of order {order} or more held {gained:.0} pages more than \
                 the trend predicted, and {needed:.0} would have been worth it ({} before); it is not repeated for \
                 {pause:.0} s",
                before.get()
            ),
        )
    };
    let numbers = [
        Number::new("gained_pages", *gained),
        Number::new("before_pages", before.as_f64()),
        Number::new("pause_seconds", pause),
    ];
    out.finding(&Finding::new(severity, code, &text).numbers(&numbers));
}

#[cfg(test)]
mod tests;

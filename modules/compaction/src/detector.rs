//! Decides which nodes are to be compacted, and why.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use adaptivemm_module_api::units::Pages;

use crate::benefit::{Benefit, Effect};
use crate::options::Options;
use crate::outlook::{Outlook, Prospect, Shortage};
use crate::sample::{Blocks, Sample};
use crate::weighed::{Candidate, Judgement, Weighed};

/// Follows the free blocks of every node that there ever was: a node that comes back still has its cool-down.
#[derive(Debug)]
pub(crate) struct Detector {
    options: Options,
    nodes: BTreeMap<u32, Node>,
}

#[derive(Debug)]
struct Node {
    outlook: Outlook,
    benefit: Benefit,
}

/// The result of a scan of a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Observation {
    pub(crate) node: u32,
    /// The next shortage within the horizon.
    pub(crate) shortage: Option<Shortage>,
    pub(crate) effect: Option<Effect>,
    pub(crate) compaction: Option<Compaction>,
}

/// A node that should be compacted now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compaction {
    pub(crate) shortage: Shortage,
    /// The pages per second that it is expected to turn into large blocks.
    pub(crate) rate: f64,
    /// The time before the shortage at which it must begin: the time that it takes, and that until the next scan.
    pub(crate) lead: Duration,
    pub(crate) weighed: Weighed,
}

impl Detector {
    pub(crate) const fn new(options: Options) -> Self {
        Self {
            options,
            nodes: BTreeMap::new(),
        }
    }

    /// Looks at the machine. The new observations replace the old ones.
    pub(crate) fn observe(&mut self, sample: &Sample, observations: &mut Vec<Observation>) {
        for (number, node) in &mut self.nodes {
            if !sample.nodes.iter().any(|(there, _)| there == number) {
                node.outlook.clear();
                node.benefit.abandon();
            }
        }
        observations.clear();
        for (number, blocks) in &sample.nodes {
            let node = self.nodes.entry(*number).or_insert_with(Node::new);
            observations.push(node.observe(*number, sample, blocks, &self.options));
        }
    }
}

impl Node {
    fn new() -> Self {
        Self {
            outlook: Outlook::new(),
            benefit: Benefit::default(),
        }
    }

    fn observe(
        &mut self,
        number: u32,
        sample: &Sample,
        blocks: &Blocks,
        options: &Options,
    ) -> Observation {
        let Options {
            max_order,
            cool_down,
        } = *options;
        let at = sample.at;
        self.outlook.push(at, sample.period, blocks, max_order);
        let effect = self.benefit.observe(at, blocks, cool_down);
        let compaction = if self.benefit.is_ready(at, cool_down) {
            self.compaction(sample, blocks, cool_down)
        } else {
            None
        };
        if let Some(compaction) = &compaction {
            self.benefit.begin(at, &compaction.shortage, blocks);
        }
        Observation {
            node: number,
            shortage: self.outlook.shortages(at, blocks).next(),
            effect,
            compaction,
        }
    }

    /// The first shortage, highest order first, that compaction can still be ahead of.
    fn compaction(
        &self,
        sample: &Sample,
        blocks: &Blocks,
        cool_down: Duration,
    ) -> Option<Compaction> {
        let rate = self.benefit.rate(sample.at, sample.page_size);
        let mut due = self.outlook.prospects(sample.at, blocks);
        let (shortage, lead) =
            due.find_map(
                |(_, prospect)| match judgement(prospect, blocks, rate, sample.period) {
                    Judgement::Due { lead } => Some((prospect.shortage()?, lead)),
                    Judgement::NotSoon
                    | Judgement::NothingToGain
                    | Judgement::TimeEnough { .. } => None,
                },
            )?;
        let prospects = self.outlook.prospects(sample.at, blocks);
        let candidates = prospects.map(|(order, prospect)| Candidate {
            order,
            large: blocks.large(order),
            prospect,
            judgement: judgement(prospect, blocks, rate, sample.period),
        });
        Some(Compaction {
            shortage,
            rate,
            lead,
            weighed: Weighed {
                candidates: candidates.collect(),
                spare: spare(blocks),
                rate,
                record: self.benefit.record(sample.at, cool_down),
            },
        })
    }
}

/// Judges a prospect. `rate` is the speed of compaction, in pages per second.
fn judgement(prospect: Prospect, blocks: &Blocks, rate: f64, period: Duration) -> Judgement {
    let Some(shortage) = prospect.shortage() else {
        return Judgement::NotSoon;
    };
    if !can_help(&shortage, blocks) {
        return Judgement::NothingToGain;
    }
    let seconds = shortage.fragmented.as_f64() / rate;
    let work = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    let lead = work.saturating_add(period);
    if shortage.left > lead {
        Judgement::TimeEnough { lead }
    } else {
        Judgement::Due { lead }
    }
}

/// True if there is something to gain: pages are moved to free ones, and a block is made of free ones.
fn can_help(shortage: &Shortage, blocks: &Blocks) -> bool {
    let block = crate::sample::block(shortage.order);
    spare(blocks) >= block.saturating_add(block) && shortage.fragmented >= block
}

/// The free pages above the low watermarks.
fn spare(blocks: &Blocks) -> Pages {
    blocks.free().saturating_sub(blocks.low)
}

impl fmt::Display for Compaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            shortage,
            rate,
            lead,
            ..
        } = self;
        write!(
            f,
            "{shortage}; compaction must begin {:.0} s before that, as it turns about {rate:.0} pages/s into large blocks",
            lead.as_secs_f64()
        )
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            order,
            left,
            free,
            fragmented,
            slope,
            span,
        } = self;
        if left.is_zero() {
            write!(f, "no block of order {order} or more is left")?;
        } else {
            write!(
                f,
                "blocks of order {order} or more run out in {:.0} s",
                left.as_secs_f64()
            )?;
        }
        write!(
            f,
            ": {} of {} free pages are in smaller blocks, and the rest changed by {slope:.1} pages/s in {:.0} s",
            fragmented.get(),
            free.get(),
            span.as_secs_f64()
        )
    }
}

//! Decides on one value for the whole machine, from the trends of the free pages of every node.

use core::cmp::Reverse;
use core::time::Duration;

use adaptivemm_module_api::units::{Bytes, Uptime};

use crate::bounds::{Affordable, Ceiling};
use crate::knob::{Bounds, Knob, Seen, Step};
use crate::node::{Moment, Node, Outlook};
use crate::options::Options;
use crate::sample::{Counts, NodeSample, Sample};
use crate::trial::{Judge, Record, Verdict};

/// The longest time between two scans that are compared, in halves of a period.
const LONGEST_GAP_HALVES: u32 = 5;

/// Watches the nodes and decides on the value.
#[derive(Debug)]
pub(crate) struct Detector {
    options: Options,
    nodes: Vec<Node>,
    /// The outlooks of the last scan, kept for their buffer.
    outlooks: Vec<(NodeSample, Option<Outlook>)>,
    last: Option<Last>,
    knob: Option<Knob>,
    judge: Judge,
    is_held_back: bool,
}

/// The numbers of the last scan, which are compared with those of the next.
#[derive(Debug, Clone, Copy)]
struct Last {
    at: Uptime,
    counts: Counts,
    hugepages: Bytes,
}

impl Last {
    /// True if the changes since are due to the load of the machine: not to a suspend, or to memory that was set aside.
    fn is_comparable_with(&self, sample: &Sample) -> bool {
        let longest = sample.period.saturating_mul(LONGEST_GAP_HALVES) / 2;
        sample.at > self.at
            && sample.at.since(self.at) <= longest
            && sample.counts.reclaimed >= self.counts.reclaimed
            && sample.hugepages == self.hugepages
    }
}

/// The result of one scan.
#[derive(Debug)]
pub(crate) struct Observation {
    pub(crate) knob: Knob,
    pub(crate) ceiling: Ceiling,
    pub(crate) affordable: Affordable,
    /// The outlook of every node; `None` until there are scans enough.
    pub(crate) nodes: Vec<(NodeSample, Option<Outlook>)>,
    /// The outlook of the node whose need is largest, or else of the one that is first to run short.
    pub(crate) worst: Option<Outlook>,
    pub(crate) stalls: f64,
    pub(crate) seen: Option<Seen>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) step: Option<Step>,
    /// True if memory has just become too short to raise the value as much as needed.
    pub(crate) held_back: bool,
    pub(crate) record: Record,
}

impl Detector {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            nodes: Vec::new(),
            outlooks: Vec::new(),
            last: None,
            knob: None,
            judge: Judge::new(),
            is_held_back: false,
        }
    }

    pub(crate) fn observe(&mut self, sample: &Sample) -> Observation {
        let stalled = self.follow(sample);
        let seen = self.see(sample);
        let verdict = self.judge.observe(sample);
        let record = self.judge.record(sample.at);
        let moment = Moment {
            lead: self.options.lead,
            period: sample.period,
            stalled,
        };
        let mut nodes = core::mem::take(&mut self.outlooks);
        nodes.clear();
        nodes.extend(outlooks(&self.nodes, sample, moment));
        let worst = worst(&nodes);
        let ceiling = Ceiling::new(self.options.limit, sample);
        let affordable = Affordable::for_nodes(&sample.nodes);
        let knob = self.knob.get_or_insert(Knob::new(sample.setting));
        let before = *knob;
        let mut need = worst.and_then(|outlook| outlook.need);
        if record.paused.is_some() {
            need = None;
        } else if record.capped.is_some() {
            need = need.map(|need| need.min(knob.current()));
        }
        let bounds = Bounds {
            ceiling: ceiling.value,
            affordable: affordable.value,
        };
        let step = knob.choose(sample.at, need, bounds);
        let is_held_back = !knob.is_yielded()
            && need
                .map(|need| need.min(ceiling.value))
                .is_some_and(|need| need > knob.current() && Some(need) > affordable.value);
        let was_held_back = core::mem::replace(&mut self.is_held_back, is_held_back);
        Observation {
            knob: before,
            ceiling,
            affordable,
            nodes,
            worst,
            stalls: self.judge.stalls(),
            seen,
            verdict,
            step,
            held_back: is_held_back && !was_held_back,
            record,
        }
    }

    /// Keeps the buffer of an observation for the next scan.
    pub(crate) fn reuse(&mut self, observation: Observation) {
        self.outlooks = observation.nodes;
    }

    /// Looks at the tunable, and returns its change since the last scan.
    fn see(&mut self, sample: &Sample) -> Option<Seen> {
        let found = sample.setting;
        let Some(knob) = &mut self.knob else {
            self.knob = Some(Knob::new(found));
            return found
                .is_yielded
                .then_some(Seen::Yielded { to: found.value });
        };
        let seen = knob.see(sample.at, found);
        match seen {
            Some(Seen::Taken { from, to }) if to > from => self.judge.raised(from, to),
            Some(Seen::Yielded { .. } | Seen::Resumed { .. } | Seen::Changed { .. }) => {
                self.judge.start_over();
            }
            Some(Seen::Taken { .. } | Seen::NotTaken { .. }) | None => {}
        }
        seen
    }

    /// Adds the scan to the nodes. Returns true if allocations had to wait since the last one.
    fn follow(&mut self, sample: &Sample) -> bool {
        let last = self.last.replace(Last {
            at: sample.at,
            counts: sample.counts,
            hugepages: sample.hugepages,
        });
        let last = last.filter(|last| last.is_comparable_with(sample));
        if last.is_none() {
            self.nodes.iter_mut().for_each(Node::forget);
        }
        self.nodes
            .retain(|node| sample.nodes.iter().any(|there| there.id == node.id));
        let reclaimed = last.map_or(0, |last| sample.counts.reclaimed - last.counts.reclaimed);
        for there in &sample.nodes {
            let index = self.nodes.iter().position(|node| node.id == there.id);
            let index = index.unwrap_or_else(|| {
                self.nodes.push(Node::new(there));
                self.nodes.len() - 1
            });
            let share = there.share_of(reclaimed, &sample.nodes);
            self.nodes[index].push(sample.at, there, share);
        }
        last.is_some_and(|last| sample.counts.stalls > last.counts.stalls)
    }
}

fn outlooks(
    nodes: &[Node],
    sample: &Sample,
    moment: Moment,
) -> impl Iterator<Item = (NodeSample, Option<Outlook>)> {
    sample.nodes.iter().map(move |there| {
        let node = nodes.iter().find(|node| node.id == there.id);
        (*there, node.and_then(|node| node.outlook(there, moment)))
    })
}

/// The node that needs most; of those that need nothing, the one that is first to run short.
fn worst(nodes: &[(NodeSample, Option<Outlook>)]) -> Option<Outlook> {
    let outlooks = nodes.iter().filter_map(|(_, outlook)| *outlook);
    outlooks.max_by_key(|outlook| {
        let time_left = outlook.time_left.unwrap_or(Duration::MAX);
        (outlook.need, Reverse(time_left))
    })
}

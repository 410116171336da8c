//! The facts behind a request, a line each, which `adaptivemmd explain` shows.

use core::fmt;
use core::time::Duration;

use adaptivemm_module_api::units::{Bytes, PageSize};

use crate::detector::Observation;
use crate::knob::Step;
use crate::node::Outlook;
use crate::sample::NodeSample;

/// Everything that led to a step, and the alternatives that were rejected.
pub(super) struct Weighed<'a> {
    pub(super) observation: &'a Observation,
    pub(super) step: Step,
    pub(super) lead: Duration,
    pub(super) page_size: PageSize,
}

impl fmt::Display for Weighed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Observation {
            knob,
            ceiling,
            affordable,
            nodes,
            worst,
            record,
            ..
        } = self.observation;
        for (sample, outlook) in nodes {
            self.write_node(f, sample, outlook.as_ref())?;
        }
        let need = worst.as_ref().and_then(|outlook| outlook.need);
        let lead = self.lead.as_secs_f64();
        let original = knob.original();
        match need.filter(|need| *need > original) {
            Some(need) => writeln!(
                f,
                "the largest need counts: {need}, a gap that lasts {lead:.1} s, in parts of 10000 of the node"
            )?,
            None => writeln!(f, "no node needs more than the original value, {original}")?,
        }
        write!(f, "{ceiling}")?;
        if ceiling.value < original {
            f.write_str("; the original value is above it, and stays")?;
        } else if need.is_some_and(|need| need > ceiling.value) {
            f.write_str("; that cuts the need")?;
        }
        write!(f, "\n{affordable}")?;
        let raise = matches!(self.step, Step::Raise(_)).then_some(self.step.value());
        if raise.is_some_and(|raise| need.is_some_and(|need| need.min(ceiling.value) > raise)) {
            f.write_str("; that cuts the need")?;
        }
        write!(f, "\n{record}\n{knob}")
    }
}

impl Weighed<'_> {
    fn write_node(
        &self,
        f: &mut fmt::Formatter<'_>,
        sample: &NodeSample,
        outlook: Option<&Outlook>,
    ) -> fmt::Result {
        let NodeSample { id, free, high, .. } = sample;
        write!(f, "node {id}: {free} free, high watermark {high}, ")?;
        let Some(outlook) = outlook else {
            return writeln!(f, "too few scans for a trend");
        };
        // A percentage of a byte is the way from a number to bytes.
        let bytes = Bytes::new(1).percent(outlook.rate * self.page_size.bytes().as_f64() * 100.0);
        write!(f, "{:.0} pages/s ({bytes}/s) used, ", outlook.rate)?;
        match outlook.time_left {
            Some(Duration::ZERO) => f.write_str("below its high watermark")?,
            Some(left) => write!(f, "{:.1} s left", left.as_secs_f64())?,
            None => f.write_str("free pages do not become fewer")?,
        }
        match outlook.need {
            Some(need) => writeln!(f, ": needs {need}"),
            None => writeln!(f, ": needs nothing"),
        }
    }
}

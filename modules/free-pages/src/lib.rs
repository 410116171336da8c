//! Keeps enough memory free for allocations not to stall.
//!
//! When free pages of a node fall to its low watermark, the kernel wakes kswapd, which reclaims pages until the
//! high watermark is reached. If pages are used faster than kswapd gets going, tasks have to reclaim them
//! themselves, and stall. `vm.watermark_scale_factor` is the gap between the watermarks: this module makes it as
//! large as the pages that are used in the time that kswapd needs to be ahead, and no larger.
//!
//! For every node it follows how fast pages are used, those that reclaim brings back included, and how long it is
//! until the high watermark is reached. It raises the value in time, looks afterwards whether that helped, and
//! gives it back, step by step, when the need is gone: never below the value that the administrator chose.

mod bounds;
mod detector;
mod knob;
mod node;
mod options;
mod pressure;
mod report;
mod sample;
mod scale;
mod trial;

use core::fmt::Write as _;

use adaptivemm_module_api::{
    Action, Config, ConfigProblems, Finding, Info, Module, Need, Out, ScanError, Severity,
    Snapshot, Unavailable, register,
};

use crate::detector::{Detector, Observation};
use crate::options::Options;
use crate::report::Status;
use crate::sample::{NodeSample, Sample};

/// The finding on a kernel without the tunable; every kernel since 4.6 has it.
const ABSENT: &str = "this kernel has no vm.watermark_scale_factor: there is nothing to tune";

/// The module.
#[derive(Debug)]
pub struct FreePages {
    options: Options,
    detector: Detector,
    /// True if it was said that there is nothing to tune.
    is_idle: bool,
    /// The nodes of the last scan, kept for their buffer.
    nodes: Vec<NodeSample>,
    /// The status line, kept for its buffer.
    line: String,
}

register!(FreePages);

impl Module for FreePages {
    const INFO: Info = Info {
        flag: "ENABLE_FREE_PAGE_MGMT",
        needs: &[
            Need::MEMINFO,
            Need::VMSTAT,
            Need::ZONEINFO,
            Need::file(pressure::FILE),
        ],
        writes: &[Action::set(scale::TUNABLE)],
        options: &[&options::AGGRESSIVENESS, &options::MAX_GAP, &options::LEAD],
        ..Info::new(
            "free-pages",
            env!("CARGO_PKG_VERSION"),
            "Keeps enough memory free that allocations do not stall",
        )
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        let options = Options::read(config);
        Ok(Self {
            options,
            detector: Detector::new(options),
            is_idle: false,
            nodes: Vec::new(),
            line: String::with_capacity(256),
        })
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let setting = match snapshot.tunable(scale::TUNABLE) {
            Ok(setting) => setting,
            Err(Unavailable::Absent(_)) => {
                self.idle(out);
                return Ok(());
            }
            Err(other) => return Err(other.into()),
        };
        self.is_idle = false;
        let sample = Sample::from_snapshot(snapshot, setting, core::mem::take(&mut self.nodes))?;
        let observation = self.detector.observe(&sample);
        report::say(&observation, self.options.lead, sample.page_size, out);
        self.publish(&sample, &observation, out);
        self.detector.reuse(observation);
        self.nodes = sample.nodes;
        Ok(())
    }
}

impl FreePages {
    fn idle(&mut self, out: &mut Out<'_>) {
        if !self.is_idle {
            out.finding(&Finding::new(Severity::Info, "no-scale", ABSENT));
        }
        self.is_idle = true;
        out.status("idle: this kernel has no vm.watermark_scale_factor");
    }

    fn publish(&mut self, sample: &Sample, observation: &Observation, out: &mut Out<'_>) {
        let Observation {
            knob,
            ceiling,
            worst,
            stalls,
            ..
        } = observation;
        out.metric("scale", knob.current().as_f64());
        out.metric("original_scale", knob.original().as_f64());
        let ceiling = ceiling.value.max(knob.original());
        out.metric("ceiling_scale", ceiling.as_f64());
        out.metric("stalls_per_second", *stalls);
        if let Some(outlook) = worst {
            out.metric("used_pages_per_second", outlook.rate);
            if let Some(left) = outlook.time_left {
                out.metric("time_left_seconds", left.as_secs_f64());
            }
            let need = outlook.need.unwrap_or(knob.original());
            out.metric("needed_scale", need.as_f64());
        }
        let status = Status {
            observation,
            page_size: sample.page_size,
        };
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.line, "{status}");
        out.status(&self.line);
    }
}

#[cfg(test)]
mod tests;

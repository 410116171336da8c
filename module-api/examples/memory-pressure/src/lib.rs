//! Warns when tasks wait for memory.
//!
//! A machine that is short of memory slows down long before it runs out: tasks wait while the kernel reclaims
//! pages, or reads back those that it took too early. The kernel measures that as pressure stall information
//! (PSI), in `/proc/pressure/memory`: the time in which at least one task waited (`some`), and the time in which
//! all did (`full`), so that nothing was done at all. This module warns, once, when a share of time stays above
//! its limit, and says when it is back to normal.
//!
//! It computes the share from the totals of two scans, not from the averages that the kernel prints with
//! them. `avg10` tells of the last 10 seconds: of a scan every 30 s it misses two thirds, and a moment just before
//! the scan counts for all of it. The totals miss nothing, whatever the period.

mod detector;
mod options;
mod report;
mod sample;

use core::fmt::Write as _;

use adaptivemm_module_api::{
    Config, ConfigProblems, Info, Module, Need, Out, ScanError, Snapshot, register,
};

use crate::detector::{Detector, Observation};
use crate::options::Options;
use crate::report::{Line, Status};
use crate::sample::Sample;

/// The module.
#[derive(Debug)]
struct MemoryPressure {
    options: Options,
    detector: Detector,
    /// The status line, kept for its buffer.
    line: String,
}

register!(MemoryPressure);

impl Module for MemoryPressure {
    const INFO: Info = Info {
        flag: "ENABLE_MEMORY_PRESSURE_CHECK",
        needs: &[Need::file(sample::PATH)],
        options: &[
            &options::SOME_PERCENT,
            &options::FULL_PERCENT,
            &options::FOR_SECS,
        ],
        ..Info::new(
            "memory-pressure",
            env!("CARGO_PKG_VERSION"),
            "Warns when tasks wait for memory for a large share of time",
        )
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        let options = Options::read(config);
        Ok(Self {
            options,
            detector: Detector::new(options),
            line: String::with_capacity(256),
        })
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let sample = Sample::of(snapshot)?;
        let observation = self.detector.observe(&sample);
        let Options { some, full, .. } = self.options;
        if let Some(event) = observation.some.event {
            report::say(Line::Some, event, some, sample.text, out);
        }
        if let Some(event) = observation.full.event {
            report::say(Line::Full, event, full, sample.text, out);
        }
        self.publish(&sample, &observation, out);
        Ok(())
    }
}

impl MemoryPressure {
    fn publish(&mut self, sample: &Sample<'_>, observation: &Observation, out: &mut Out<'_>) {
        let Sample { some, full, .. } = sample;
        if let Some(interval) = observation.some.interval {
            out.metric("some_stalled_percent", interval.share().percent());
        }
        if let Some(interval) = observation.full.interval {
            out.metric("full_stalled_percent", interval.share().percent());
        }
        out.metric("some_avg10_percent", some.avg10.percent());
        out.metric("full_avg10_percent", full.avg10.percent());
        out.metric("some_stalled_seconds_total", some.stalled.as_secs_f64());
        out.metric("full_stalled_seconds_total", full.stalled.as_secs_f64());
        let status = Status {
            observation,
            options: &self.options,
        };
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.line, "{status}");
        out.status(&self.line);
    }
}

#[cfg(test)]
mod tests;

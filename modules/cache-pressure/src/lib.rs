//! Tunes how readily the kernel reclaims dentries and inodes.
//!
//! Whether names and attributes of files or their contents are worth more memory depends on what a machine
//! does. The administrator says which is to be kept; this module looks where the numbers of dentries and inodes are
//! heading and moves `vm.vfs_cache_pressure` by a tenth at a time, while a trend lasts. When nothing trends it
//! returns to the value that it found.

mod course;
mod detector;
mod options;
mod pressure;
mod sample;
mod status;
mod weighed;

use adaptivemm_module_api::trend::of_count;
use adaptivemm_module_api::units::Balance;
use adaptivemm_module_api::{
    Action, Config, ConfigProblems, Finding, Info, Module, Need, Number, Out, Request, ScanError,
    Severity, Snapshot, register,
};

use crate::detector::{Adjustment, Detector, Observation, State};
use crate::options::Options;
use crate::pressure::{MAX, MIN, Seen};
use crate::sample::{PRESSURE, Sample};
use crate::status::Status;
use crate::weighed::Weighed;

/// The module.
#[derive(Debug)]
pub struct CachePressure {
    detector: Detector,
    /// The state in the last scan.
    state: State,
}

register!(CachePressure);

impl Module for CachePressure {
    const INFO: Info = Info {
        flag: "ENABLE_CACHE_PRESSURE_MGMT",
        enabled: false,
        needs: &[
            Need::file(sample::DENTRY_STATE),
            Need::file(sample::INODE_NR),
        ],
        writes: &[Action::set(PRESSURE)],
        options: &[&options::PREFER_OBJECT_CACHING, &options::DEAD_BAND],
        ..Info::new(
            "cache-pressure",
            env!("CARGO_PKG_VERSION"),
            "Tunes how readily dentries and inodes are reclaimed, by the trend of their numbers",
        )
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self {
            detector: Detector::new(Options::read(config)),
            state: State::Tuning,
        })
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let sample = Sample::from_snapshot(snapshot)?;
        let observation = self.detector.observe(&sample);
        self.say_what_changed(&sample, &observation, out);
        if let Some(adjustment) = &observation.adjustment {
            ask(adjustment, out);
        }
        publish(&sample, &observation, out);
        Ok(())
    }
}

impl CachePressure {
    fn say_what_changed(&mut self, sample: &Sample, observation: &Observation, out: &mut Out<'_>) {
        if let Some(seen) = observation.seen {
            say_seen(seen, out);
        }
        let before = core::mem::replace(&mut self.state, observation.state);
        if observation.state == before {
            return;
        }
        let pressure = sample.pressure.value;
        let (code, text) = match observation.state {
            State::OutOfBounds => (
                "out-of-bounds",
                format!("{PRESSURE} is {pressure}; only values from {MIN} to {MAX} are tuned"),
            ),
            State::Pausing => (
                "not-taken",
                format!(
                    "{PRESSURE} is still {pressure} after a request for another value; requests become rarer until one \
                     takes effect"
                ),
            ),
            // Changes and their authors are reported elsewhere.
            State::Tuning | State::Yielded => return,
        };
        out.finding(&Finding::new(Severity::Info, code, &text));
    }
}

fn say_seen(seen: Seen, out: &mut Out<'_>) {
    let (code, text) = match seen {
        Seen::Yielded { to } => (
            "yielded",
            format!(
                "{PRESSURE} was changed externally to {to}; tuning is paused until `adaptivemmd resume`"
            ),
        ),
        Seen::Resumed { original } => (
            "resumed",
            format!("tuning of {PRESSURE} resumed; its original value is now {original}"),
        ),
        Seen::Changed { from, to } => (
            "changed-by-others",
            format!(
                "{PRESSURE} was changed externally; its original value is now {to}, and no longer {from}"
            ),
        ),
    };
    out.finding(&Finding::new(Severity::Info, code, &text));
}

fn ask(adjustment: &Adjustment, out: &mut Out<'_>) {
    let Adjustment {
        dentries, inodes, ..
    } = adjustment;
    let numbers = [
        Number::new("before_percent", Balance::new(adjustment.from).as_f64()),
        Number::new(
            "original_percent",
            Balance::new(adjustment.original).as_f64(),
        ),
        Number::new("dentries_change_percent", dentries.percent()),
        Number::new("inodes_change_percent", inodes.percent()),
        Number::new("window_seconds", dentries.span.as_secs_f64()),
    ];
    let reason = adjustment.to_string();
    let details = Weighed(adjustment).to_string();
    let request = Request::set(PRESSURE, adjustment.to, &reason)
        .details(&details)
        .numbers(&numbers);
    // The core reports a refusal itself; the next scan sees that nothing happened.
    let _refused = out.request(&request);
}

fn publish(sample: &Sample, observation: &Observation, out: &mut Out<'_>) {
    out.metric("dentries", of_count(sample.dentries));
    out.metric("inodes", of_count(sample.inodes));
    out.metric(
        "pressure_percent",
        Balance::new(sample.pressure.value).as_f64(),
    );
    if let Some((dentries, inodes)) = observation.course {
        out.metric("dentries_change_percent", dentries.percent());
        out.metric("inodes_change_percent", inodes.percent());
    }
    let status = Status {
        sample,
        observation,
    };
    out.status(&status.to_string());
}

#[cfg(test)]
mod tests;

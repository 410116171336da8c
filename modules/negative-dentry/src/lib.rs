//! Keeps names of files that do not exist from filling memory.
//!
//! The kernel remembers in a *negative dentry* that a file was looked for and is not there. Programs that look
//! for ever new names make ever more of them. Kernels of Oracle's UEK have a limit for that,
//! `fs.negative-dentry-limit`, in thousandths of memory. But huge pages cannot hold dentries, so this module
//! gives it a share of the rest, and sets it anew when huge pages or memory come or go.

mod detector;
mod options;
mod sample;
mod weighed;

use core::fmt::Write as _;

use adaptivemm_module_api::units::Balance;
use adaptivemm_module_api::{
    Action, Config, ConfigProblems, Finding, Info, Module, Need, Number, Out, Request, ScanError,
    Severity, Snapshot, Tunable, register,
};

use crate::detector::{Change, Detector};
use crate::options::Options;
use crate::sample::{LIMIT, Sample};
use crate::weighed::Weighed;

/// The finding on most machines, where there is nothing to do.
const ABSENT: &str = "this kernel has no fs.negative-dentry-limit, which only kernels of Oracle's UEK have: \
                      negative dentries are not limited";

/// The status on most machines.
const IDLE: &str =
    "idle: this kernel has no fs.negative-dentry-limit, which only kernels of Oracle's UEK have";

/// The module.
#[derive(Debug)]
pub struct NegativeDentry {
    detector: Detector,
    /// True if it was said that this kernel has no limit.
    is_idle: bool,
    /// True if the limit was changed externally.
    is_yielded: bool,
    /// The status line, kept for its buffer.
    line: String,
}

register!(NegativeDentry);

impl Module for NegativeDentry {
    const INFO: Info = Info {
        flag: "ENABLE_NEG_DENTRY_MGMT",
        needs: &[Need::ZONEINFO, Need::HUGEPAGES],
        writes: &[Action::set(LIMIT)],
        options: &[&options::CAP],
        ..Info::new(
            "negative-dentry",
            env!("CARGO_PKG_VERSION"),
            "Limits the memory that negative dentries take, on kernels that have a limit for them",
        )
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self {
            detector: Detector::new(Options::read(config).cap),
            is_idle: false,
            is_yielded: false,
            line: String::new(),
        })
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let Some(sample) = Sample::from_snapshot(snapshot)? else {
            self.idle(out);
            return Ok(());
        };
        self.is_idle = false;
        self.say_whose(&sample, out);
        if let Some(change) = self.detector.decide(&sample) {
            ask(&change, out);
        }
        self.publish(&sample, out);
        Ok(())
    }
}

impl NegativeDentry {
    fn idle(&mut self, out: &mut Out<'_>) {
        if !self.is_idle {
            // This is no problem: most machines have no limit.
            out.finding(&Finding::new(Severity::Info, "no-limit", ABSENT).from_verbosity(1));
        }
        self.is_idle = true;
        out.status(IDLE);
    }

    fn say_whose(&mut self, sample: &Sample, out: &mut Out<'_>) {
        let Tunable {
            value, is_yielded, ..
        } = sample.limit;
        let was_yielded = core::mem::replace(&mut self.is_yielded, is_yielded);
        let (code, text) = match (was_yielded, is_yielded) {
            (false, true) => (
                "yielded",
                format!(
                    "{LIMIT} was changed externally to {value}; tuning is paused until `adaptivemmd resume`"
                ),
            ),
            (true, false) => ("resumed", format!("tuning of {LIMIT} resumed")),
            (true, true) | (false, false) => return,
        };
        out.finding(&Finding::new(Severity::Info, code, &text));
    }

    fn publish(&mut self, sample: &Sample, out: &mut Out<'_>) {
        let Sample { limit, memory } = sample;
        let wanted = self.detector.wanted(*memory);
        let value = limit.value;
        out.metric("limit_permille", Balance::new(value).as_f64());
        out.metric("wanted_permille", Balance::new(wanted).as_f64());
        out.metric("managed_bytes", memory.managed.as_f64());
        out.metric("hugepages_bytes", memory.hugepages.as_f64());
        let whose = if limit.is_yielded {
            "; it was changed externally, and tuning is paused until `adaptivemmd resume`"
        } else {
            ""
        };
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = write!(
            self.line,
            "negative dentries may take {value} thousandths of {}; {wanted} would fit the {} that are not in huge pages\
             {whose}",
            memory.managed,
            memory.usable(),
        );
        out.status(&self.line);
    }
}

fn ask(change: &Change, out: &mut Out<'_>) {
    let Tunable {
        value, original, ..
    } = change.limit;
    let numbers = [
        Number::new("before_permille", Balance::new(value).as_f64()),
        Number::new("original_permille", Balance::new(original).as_f64()),
        Number::new("cap_permille", Balance::new(change.cap).as_f64()),
        Number::new("managed_bytes", change.memory.managed.as_f64()),
        Number::new("hugepages_bytes", change.memory.hugepages.as_f64()),
    ];
    let reason = change.to_string();
    let details = Weighed(change).to_string();
    let request = Request::set(LIMIT, change.to, &reason)
        .details(&details)
        .numbers(&numbers);
    // The core reports a refusal itself; the limit stays as it was, and is asked for again after a while.
    let _refused = out.request(&request);
}

#[cfg(test)]
mod tests;

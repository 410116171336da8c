//! What an administrator is told about pressure, with the numbers that led to it.

use core::fmt;
use core::time::Duration;

use adaptivemm_module_api::{Finding, Number, Out, Severity};

use crate::detector::{Event, Observation};
use crate::options::Options;
use crate::sample::Share;

/// A line of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Some,
    Full,
}

impl Line {
    /// The codes of its beginning and its end, for programs.
    const fn codes(self) -> [&'static str; 2] {
        match self {
            Self::Some => ["some-pressure", "some-normal"],
            Self::Full => ["full-pressure", "full-normal"],
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Some => "at least one task",
            Self::Full => "all tasks at once",
        })
    }
}

/// Hands an event to the core. `evidence` is the file as the kernel printed it.
pub(crate) fn say(line: Line, event: Event, limit: Share, evidence: &str, out: &mut Out<'_>) {
    let [began, ended] = line.codes();
    let (severity, code, interval, text, details) = match event {
        Event::Began(interval) => {
            let (share, time) = (interval.share(), Secs(interval.length));
            let text = format!(
                "Memory pressure: {line} waited for memory {share} of the last {time}, limit {limit}"
            );
            (Severity::Warning, began, interval, text, evidence)
        }
        Event::Ended { calm, lasted } => {
            let (share, time) = (calm.share(), Secs(calm.length));
            let text = format!(
                "Memory pressure is over after {}: {line} waited for memory {share} of the last {time}",
                Secs(lasted)
            );
            (Severity::Info, ended, calm, text, "")
        }
    };
    let numbers = [
        Number::new("stalled_percent", interval.share().percent()),
        Number::new("limit_percent", limit.percent()),
        Number::new("duration_seconds", interval.length.as_secs_f64()),
        Number::new("stalled_seconds", interval.stalled.as_secs_f64()),
    ];
    let finding = Finding::new(severity, code, &text)
        .details(details)
        .numbers(&numbers);
    out.finding(&finding);
}

/// A time in whole seconds.
struct Secs(Duration);

impl fmt::Display for Secs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} s", self.0.as_secs_f64())
    }
}

/// How things stand after a scan.
#[derive(Debug)]
pub(crate) struct Status<'a> {
    pub(crate) observation: &'a Observation,
    pub(crate) options: &'a Options,
}

impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Observation { some, full } = self.observation;
        let (Some(of_some), Some(of_full)) = (some.interval, full.interval) else {
            return f.write_str("waiting for the next scan, to compare with");
        };
        let Options {
            some: some_limit,
            full: full_limit,
            ..
        } = self.options;
        write!(
            f,
            "{} waited for memory {} of the last {} (limit {some_limit}), {} {} (limit {full_limit})",
            Line::Some,
            of_some.share(),
            Secs(of_some.length),
            Line::Full,
            of_full.share(),
        )?;
        match some.under_pressure.max(full.under_pressure) {
            Some(lasted) => write!(f, "; under pressure for {}", Secs(lasted)),
            None => Ok(()),
        }
    }
}

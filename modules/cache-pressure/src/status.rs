//! The status of the module, in one line.

use core::fmt;

use adaptivemm_module_api::Tunable;

use crate::course::Heading;
use crate::detector::{Observation, State};
use crate::pressure::{MAX, MIN};
use crate::sample::{PRESSURE, Sample};

/// The status after a scan.
#[derive(Debug)]
pub(crate) struct Status<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) observation: &'a Observation,
}

impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sample {
            pressure,
            dentries,
            inodes,
            ..
        } = self.sample;
        let Tunable {
            value, original, ..
        } = pressure;
        write!(
            f,
            "{PRESSURE} {value} (originally {original}); {dentries} dentries, {inodes} inodes"
        )?;
        match (self.observation.course, self.observation.heading) {
            (None, _) => f.write_str(", too few scans for a trend")?,
            (Some(_), Heading::Up) => f.write_str(", growing")?,
            (Some(_), Heading::Down) => f.write_str(", shrinking")?,
            (Some(_), Heading::Level) => f.write_str(", no trend")?,
        }
        match self.observation.state {
            State::Tuning => Ok(()),
            State::Pausing => f.write_str("; the last request did not take effect"),
            State::Yielded => f.write_str(
                "; it was changed externally, and tuning is paused until `adaptivemmd resume`",
            ),
            State::OutOfBounds => write!(f, "; only values from {MIN} to {MAX} are tuned"),
        }
    }
}

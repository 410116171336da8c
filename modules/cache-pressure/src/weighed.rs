//! The facts behind an adjustment, a line each, which `adaptivemmd explain` shows.

use core::fmt;

use crate::detector::{AGREEING, Adjustment, Ground};
use crate::options::Preference;
use crate::pressure::{MAX, MIN, Step};

/// Everything that led to an adjustment.
pub(crate) struct Weighed<'a>(pub(crate) &'a Adjustment);

impl fmt::Display for Weighed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Adjustment {
            from,
            to,
            original,
            dentries,
            inodes,
            step,
            options,
            agreed,
            objects,
            ground,
        } = self.0;
        let band = options.dead_band_percent;
        for (name, change) in [("dentries", dentries), ("inodes", inodes)] {
            writeln!(
                f,
                "{name} {change} in {:.0} s: {}",
                change.span.as_secs_f64(),
                change.assessed(band)
            )?;
        }
        writeln!(
            f,
            "that was so in {agreed} scans in a row, and {AGREEING} are needed"
        )?;
        match options.preference {
            Preference::Objects => f.write_str(
                "dentries and inodes are preferred: growth lowers the value, shrinking raises it",
            )?,
            Preference::Pages => f.write_str(
                "page cache is preferred: growth raises the value, shrinking lowers it",
            )?,
        }
        match ground {
            None => f.write_str("\nno step was taken before, or all were taken back")?,
            Some(Ground { least, most }) => write!(
                f,
                "\nsteps were taken before at {least:.0} to {most:.0} dentries and inodes; there are {objects:.0} now"
            )?,
        }
        write!(f, "\nthe value was {from}, originally {original}; ")?;
        match step {
            Step::Return => write!(f, "a tenth back towards that is {to}"),
            Step::Lower | Step::Raise => write!(f, "a tenth, between {MIN} and {MAX}, makes {to}"),
        }
    }
}

//! The facts behind a compaction, a line each, which `adaptivemmd explain` shows.

use core::fmt;
use core::time::Duration;

use adaptivemm_module_api::units::Pages;

use crate::benefit::Record;
use crate::outlook::Prospect;

/// Everything that led to a compaction, or spoke against it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weighed {
    /// The orders that are looked after, highest first.
    pub(crate) candidates: Vec<Candidate>,
    /// The free pages above the low watermarks.
    pub(crate) spare: Pages,
    /// The pages per second that compaction is expected to turn into large blocks.
    pub(crate) rate: f64,
    pub(crate) record: Record,
}

/// The blocks of an order or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) order: u32,
    /// The pages in them.
    pub(crate) large: Pages,
    pub(crate) prospect: Prospect,
    pub(crate) judgement: Judgement,
}

/// The judgement on an order as a reason to compact now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Judgement {
    /// Its blocks do not run out, or that cannot be predicted.
    NotSoon,
    /// Too few pages are free, or too few of them in smaller blocks, to make a block of.
    NothingToGain,
    /// It is soon enough to begin `lead` before.
    TimeEnough { lead: Duration },
    /// Compaction must begin `lead` before, which is now.
    Due { lead: Duration },
}

impl fmt::Display for Weighed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for candidate in &self.candidates {
            writeln!(f, "{candidate}")?;
        }
        writeln!(f, "{} free above the low watermarks", self.spare)?;
        write!(
            f,
            "compaction turns about {:.0} pages/s into large blocks: ",
            self.rate
        )?;
        match self.record.measured {
            Some(age) => writeln!(
                f,
                "this was measured {} s ago, and counts less as time passes",
                age.as_secs()
            )?,
            None => f.write_str("this is assumed, and not measured on this node yet\n")?,
        }
        write!(f, "{}", self.record)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pause = self.pause.as_secs();
        match self.last {
            None => write!(f, "it was not compacted before; the cool-down is {pause} s"),
            Some(last) => write!(
                f,
                "it was compacted {} s ago, the cool-down of {pause} s is over",
                last.as_secs()
            ),
        }?;
        if self.useless > 0 {
            write!(
                f,
                "; longer than usual, as the last {} did not help",
                self.useless
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            order,
            large,
            prospect,
            judgement,
        } = self;
        write!(f, "order {order} or more: {large}, {prospect}; {judgement}")
    }
}

impl fmt::Display for Prospect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("too few scans for a trend"),
            Self::Growing { slope } => write!(f, "{slope:.1} pages/s more"),
            Self::Lasting => f.write_str("they do not become fewer"),
            Self::Later { left } => write!(f, "they last {:.0} s", left.as_secs_f64()),
            Self::Soon(shortage) if shortage.left.is_zero() => f.write_str("no block is left"),
            Self::Soon(shortage) => {
                let (left, slope) = (shortage.left.as_secs_f64(), shortage.slope);
                write!(f, "{slope:.1} pages/s, so they run out in {left:.0} s")
            }
        }
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSoon => f.write_str("not due"),
            Self::NothingToGain => f.write_str("not due, as there is nothing to make a block of"),
            Self::TimeEnough { lead } => write!(f, "due only {:.0} s before", lead.as_secs_f64()),
            Self::Due { lead } => write!(f, "due {:.0} s before: now", lead.as_secs_f64()),
        }
    }
}

//! Finds leaks of kernel memory.
//!
//! Memory that the kernel hands out page by page appears in no statistics: if it is never given
//! back, it is simply gone. So this module adds up, in every scan, all memory that the kernel's
//! files do account for, and looks at how the rest develops. It keeps two accounts. The classic
//! formula is that of adaptivemm 2.1, whose warnings administrators know; the exact accounting counts
//! every page once, so that little but real leaks moves it.
//!
//! - The *classic* detector reports that the rest by the classic formula grew by more than 10 % in
//!   each of 10 scans (a slow leak) or more than doubled within 3 (a sudden one), and says whether the
//!   exact accounting confirms it.
//! - The *level* detector reports, once, that much memory is exactly accounted for by nothing: a leak
//!   that is older than the daemon.
//!
//! Where the kernel's files contradict each other, as in some containers, it says so and abstains.

mod accounting;
mod classic;
mod evidence;
mod level;
mod options;
mod report;
mod sample;
mod sources;
mod status;

use core::fmt::Write as _;

use adaptivemm_module_api::units::Balance;
use adaptivemm_module_api::{
    Config, ConfigProblems, Finding, Info, Module, Need, Out, ScanError, Severity, Snapshot,
    register,
};

use crate::classic::{Classic, Verdict};
use crate::level::Level;
use crate::options::Options;
use crate::report::Report;
use crate::sample::Sample;
use crate::sources::Sources;
use crate::status::Status;

/// The module.
#[derive(Debug)]
pub struct Memleak {
    options: Options,
    classic: Classic,
    level: Level,
    /// As they were in the last scan.
    sources: Sources,
    /// The status line, kept for its buffer.
    line: String,
}

register!(Memleak);

impl Module for Memleak {
    const INFO: Info = Info {
        flag: "ENABLE_MEMLEAK_CHECK",
        needs: &[Need::MEMINFO, Need::VMSTAT, Need::ZONEINFO, Need::HUGEPAGES],
        options: &[
            options::CLASSIC.declaration(),
            options::MIN_GROWTH.declaration(),
            options::LEVEL.declaration(),
            options::LEVEL_PERCENT.declaration(),
        ],
        ..Info::new(
            "memleak",
            env!("CARGO_PKG_VERSION"),
            "Finds leaks of kernel memory by adding up what the kernel accounts for",
        )
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        let options = Options::read(config);
        Ok(Self {
            options,
            classic: Classic::new(options.min_growth_percent),
            level: Level::new(options.level_percent),
            sources: Sources::default(),
            line: String::with_capacity(512),
        })
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let sample = Sample::of(snapshot)?;
        let sources = Sources::of(&sample, self.sources);
        sources.say_change_from(self.sources, out);
        self.sources = sources;
        match sources {
            Sources::Agree(_) | Sources::Incomplete(_) => self.detect(&sample, out),
            Sources::Disagree(_) => {
                self.classic.start_again();
                self.level.start_again();
            }
        }
        self.publish(&sample, out);
        Ok(())
    }
}

impl Memleak {
    fn detect(&mut self, sample: &Sample<'_>, out: &mut Out<'_>) {
        let verdict = self.classic.observe(sample);
        say_what_moved(&verdict, sample.unaccounted, out);
        if self.options.classic {
            if let Some(growth) = verdict.slow {
                Report::slow(&growth).say(out);
            }
            if let Some(growth) = verdict.sudden {
                Report::sudden(&growth).say(out);
            }
        }
        let baseline = verdict.baseline;
        match sample.exact {
            Ok(exact) if self.options.level && sample.is_steady => {
                let excess = self
                    .level
                    .observe(sample.at, exact.unaccounted, sample.total);
                if let Some(excess) = excess {
                    Report::level(sample, &exact, &excess, baseline).say(out);
                }
            }
            // Switched off, or too unsteady a scan to count for or against a leak.
            Ok(_) => {}
            Err(_) => self.level.start_again(),
        }
    }

    fn publish(&mut self, sample: &Sample<'_>, out: &mut Out<'_>) {
        let baseline = self.classic.baseline();
        out.metric("unaccounted_bytes", sample.unaccounted.as_f64());
        if let Some(baseline) = baseline {
            out.metric("baseline_bytes", baseline.as_f64());
        }
        if let Sources::Agree(exact) = self.sources {
            out.metric("unaccounted_exact_bytes", exact.unaccounted.as_f64());
            out.metric("orphans_bytes", exact.orphans.as_f64());
            out.metric("accounted_bytes", exact.parts.sum().as_f64());
            out.metric("per_cpu_free_bytes", exact.per_cpu.as_f64());
        }
        let status = Status {
            sample,
            sources: self.sources,
            baseline,
        };
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.line, "{status}");
        out.status(&self.line);
    }
}

/// What the detector saw on the way, for higher verbosities.
fn say_what_moved(verdict: &Verdict<'_>, now: Balance, out: &mut Out<'_>) {
    if verdict.is_baseline_lower {
        let text = format!("Base memory consumption updated to {} K", now.kib());
        out.finding(&Finding::new(Severity::Debug, "baseline", &text).from_verbosity(5));
    }
    if let Some(before) = verdict.changed_from {
        let text = format!(
            "Unaccounted memory changed by more than 10 % since the last scan, from {before} to {now}"
        );
        out.finding(&Finding::new(Severity::Debug, "unaccounted-changed", &text));
    }
}

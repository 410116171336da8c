//! Finds leaks of kernel memory.
//!
//! Memory that the kernel hands out page by page appears in no statistics: if it is never given
//! back, it is simply gone. So this module adds up, in every scan, all memory that the kernel's
//! files do account for, and looks at how the rest develops. It keeps two accounts. The classic
//! formula is that of adaptivemm 2.1, whose warnings administrators know; the exact accounting counts
//! every page once, so that little but real leaks moves it.
//!
//! - The *classic* detector reports that the rest by the classic formula grew by more than 10 % in
//!   each of 10 scans (a slow leak) or more than doubled within 3 and stayed so (a sudden one), and
//!   says whether the exact accounting confirms it.
//! - The *trend* detector reports that the floor of the exact rest, or of memory that the kernel accounts
//!   for and only a leak makes grow, has risen steadily over an hour, six hours, a day or a week.
//! - The *jump* detector reports that the exact rest is much more than at any time in the hour before.
//! - The *level* detector reports, once, that much memory is exactly accounted for by nothing: a leak
//!   that is older than the daemon.
//!
//! Several detectors that see the same growth make one report, and further evidence aside.
//!
//! Where the kernel's files contradict each other, as in some containers, it says so and abstains.

mod accounting;
mod circumstances;
mod classic;
mod detection;
mod episode;
mod evidence;
mod horizon;
mod incident;
mod jump;
mod level;
mod options;
mod report;
mod ring;
mod sample;
mod series;
mod setup;
mod sources;
mod span;
mod state;
mod status;
mod trend;

use core::fmt::Write as _;

use adaptivemm_module_api::units::Balance;
use adaptivemm_module_api::{
    Config, ConfigProblems, Finding, Info, MAX_STATE, Module, Need, Out, ScanError, Severity,
    Snapshot, register,
};

use crate::detection::Detection;
use crate::options::Options;
use crate::sample::Sample;
use crate::series::{Levels, Series};
use crate::sources::Sources;
use crate::state::Refused;
use crate::status::Status;

/// The module.
#[derive(Debug)]
pub struct Memleak {
    detection: Detection,
    /// As they were in the last scan.
    sources: Sources,
    /// The status line, kept for its buffer.
    line: String,
    /// What is kept for the next instance: a buffer, too.
    state: Vec<u8>,
    /// Why this instance remembers nothing of the one before, to be said once.
    forgot: Option<Refused>,
}

register!(Memleak);

impl Module for Memleak {
    const INFO: Info = Info {
        flag: "ENABLE_MEMLEAK_CHECK",
        needs: &[Need::MEMINFO, Need::VMSTAT, Need::ZONEINFO, Need::HUGEPAGES],
        options: &[
            &options::CLASSIC,
            &options::MIN_GROWTH,
            &options::TREND,
            &options::TREND_MIN_GROWTH,
            &options::TREND_HORIZONS_LEFT,
            &options::JUMP,
            &options::JUMP_MIN_GROWTH,
            &options::JUMP_PERCENT,
            &options::LEVEL,
            &options::LEVEL_PERCENT,
        ],
        ..Info::new(
            "memleak",
            env!("CARGO_PKG_VERSION"),
            "Finds leaks of kernel memory by adding up what the kernel accounts for",
        )
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        let options = Options::read(config);
        let mut detection = Detection::new(options);
        let remembered = config
            .state()
            .map(|state| state::read(&mut detection, state));
        let forgot = remembered.and_then(Result::err);
        if forgot.is_some() {
            detection = Detection::new(options);
        }
        Ok(Self {
            detection,
            forgot,
            state: Vec::with_capacity(MAX_STATE),
            sources: Sources::default(),
            line: String::with_capacity(512),
        })
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        self.say_what_was_forgotten(out);
        let sample = Sample::of(snapshot)?;
        let sources = Sources::of(&sample, &self.sources);
        sources.say_change_from(&self.sources, out);
        self.sources = sources;
        match self.sources {
            Sources::Agree(_) | Sources::Incomplete(_) => self.detection.observe(&sample, out),
            Sources::Disagree(_) => self.detection.start_again(),
        }
        self.publish(&sample, out);
        self.keep(out);
        Ok(())
    }
}

impl Memleak {
    fn say_what_was_forgotten(&mut self, out: &mut Out<'_>) {
        if let Some(why) = self.forgot.take() {
            let text = format!(
                "Memory is looked at afresh, as what was seen before a restart cannot be used: {why}"
            );
            out.finding(&Finding::new(Severity::Info, "state-refused", &text));
        }
    }

    fn keep(&mut self, out: &mut Out<'_>) {
        state::write(&self.detection, &mut self.state);
        // A core that keeps nothing has modules that start afresh.
        let _lost = out.keep(&self.state);
    }

    fn publish(&mut self, sample: &Sample<'_>, out: &mut Out<'_>) {
        let baseline = self.detection.baseline();
        out.metric("unaccounted_bytes", sample.unaccounted.as_f64());
        if let Some(baseline) = baseline {
            out.metric("baseline_bytes", baseline.as_f64());
        }
        if let Sources::Agree(exact) = self.sources {
            out.metric("accounted_bytes", exact.parts.sum().as_f64());
            out.metric("per_cpu_free_bytes", exact.per_cpu.as_f64());
        }
        out.metric("available_bytes", sample.available.as_f64());
        publish_levels(&sample.levels, out);
        let growth = self.detection.growth(sample);
        out.metric("reported_growth_bytes", growth.as_f64());
        let status = Status {
            sample,
            sources: &self.sources,
            baseline,
        };
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.line, "{status}");
        out.status(&self.line);
    }
}

/// The amounts in which a leak shows, as far as this kernel counts them.
fn publish_levels(levels: &Levels, out: &mut Out<'_>) {
    let level = |series| levels.get(series).map(Balance::as_f64);
    if let Some(unaccounted) = level(Series::Unaccounted) {
        out.metric("unaccounted_exact_bytes", unaccounted);
    }
    if let Some(orphans) = level(Series::Orphans) {
        out.metric("orphans_bytes", orphans);
    }
    if let Some(slab) = level(Series::Slab) {
        out.metric("slab_bytes", slab);
    }
    if let Some(vmalloc) = level(Series::Vmalloc) {
        out.metric("vmalloc_bytes", vmalloc);
    }
    if let Some(per_cpu) = level(Series::PerCpu) {
        out.metric("per_cpu_bytes", per_cpu);
    }
    if let Some(page_tables) = level(Series::PageTables) {
        out.metric("page_tables_bytes", page_tables);
    }
    if let Some(stacks) = level(Series::Stacks) {
        out.metric("stacks_bytes", stacks);
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

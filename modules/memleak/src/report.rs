//! What an administrator is told about a possible leak, with the numbers that led to it.

pub(crate) mod growth;

use core::time::Duration;

use adaptivemm_module_api::units::{Balance, Uptime};
use adaptivemm_module_api::{Finding, Number, Out, Severity};

use crate::accounting::Exact;
use crate::classic::{Growth, SUDDEN_SCANS};
use crate::episode::{Heard, Over, Telling};
use crate::evidence;
use crate::horizon::Grade;
use crate::incident::Incident;
use crate::level::Excess;
use crate::ring::Rise;
use crate::sample::Sample;
use crate::series::{Members, Series};
use crate::span::span;

/// A possible leak.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    severity: Severity,
    code: &'static str,
    text: String,
    details: String,
    numbers: Vec<(&'static str, f64)>,
    /// Nobody should be woken by it.
    is_doubtful: bool,
    /// It may be gone again soon, and then was not worth evidence.
    is_small: bool,
}

impl Report {
    /// The same, as one that nobody should be woken by.
    pub(crate) fn doubtful(self) -> Self {
        Self {
            is_doubtful: true,
            ..self
        }
    }

    /// The same, as one of little memory, in which sockets and drivers come and go: a notice, until there is more of it.
    pub(crate) fn small(self) -> Self {
        Self {
            severity: Severity::Notice,
            is_small: true,
            ..self
        }
    }

    /// How much it counts.
    pub(crate) const fn grade(&self) -> Grade {
        if self.is_small {
            Grade::Note
        } else {
            Grade::Warning
        }
    }

    /// Memory grew in every scan of a streak.
    pub(crate) fn slow(growth: &Growth<'_>) -> Self {
        let lead = format!(
            "Possible slow memory leak: unaccounted memory grew by more than 10 % in each of {} scans",
            growth.scans
        );
        Self::of_growth("slow-leak", &lead, growth)
    }

    /// Memory doubled.
    pub(crate) fn sudden(growth: &Growth<'_>) -> Self {
        let often = if growth.scans > SUDDEN_SCANS {
            ", and stayed so"
        } else {
            ""
        };
        let lead = format!(
            "Possible sudden memory leak: unaccounted memory more than doubled within {SUDDEN_SCANS} scans{often}"
        );
        Self::of_growth("sudden-leak", &lead, growth)
    }

    /// Memory has been missing for a while; most of it may have gone by a rise that was seen.
    pub(crate) fn level(
        sample: &Sample<'_>,
        exact: &Exact,
        excess: &Excess,
        (baseline, watched): (Balance, Duration),
        rise: Option<Balance>,
    ) -> Self {
        let missing = exact.unaccounted;
        let since_when = rise.map_or_else(
            || "lost before that, or held by a driver that counts it nowhere".to_owned(),
            |rise| format!("{rise} of it since then"),
        );
        let text = format!(
            "Possible memory leak (level): {missing} of {} accounted for by nothing, limit {}; never seen \
             at less than {} in the last {}; {since_when}; classic formula {}, {}",
            sample.total,
            excess.limit,
            excess.least,
            span(watched),
            sample.unaccounted,
            baseline_in_words(baseline),
        );
        let numbers = vec![
            ("unaccounted_bytes", sample.unaccounted.as_f64()),
            ("baseline_bytes", baseline.as_f64()),
            ("unaccounted_exact_bytes", missing.as_f64()),
            ("orphans_bytes", exact.orphans.as_f64()),
            ("limit_bytes", excess.limit.as_f64()),
            ("least_bytes", excess.least.as_f64()),
            ("scans", f64::from(excess.scans)),
            ("duration_seconds", excess.lasted.as_secs_f64()),
        ];
        Self {
            severity: severity(excess.grade),
            code: "level-leak",
            text,
            details: evidence::current(sample.meminfo),
            numbers,
            is_doubtful: false,
            is_small: false,
        }
    }

    /// Hands it to the core.
    pub(crate) fn say(&self, heard: Heard, at: Uptime, out: &mut Out<'_>) {
        if let Some(over) = &heard.replaced {
            say_over(over, at, out);
        }
        // What is doubtful, or may be gone soon, is not worth evidence.
        let is_kept = !(self.is_doubtful || self.is_small) || heard.telling != Telling::Aloud;
        let incident = is_kept.then(|| heard.incident.to_string());
        let number = |&(name, value)| Number::new(name, value);
        let numbers: Vec<_> = self.numbers.iter().map(number).collect();
        let told;
        let finding = match heard.telling {
            Telling::Aloud if self.is_doubtful => {
                Finding::new(Severity::Info, self.code, &self.text).from_verbosity(1)
            }
            Telling::Aloud => Finding::new(self.severity, self.code, &self.text),
            Telling::Aside(opened) => {
                told = format!(
                    "More evidence of the leak reported {} ago: {}",
                    span(at.since(opened)),
                    self.text
                );
                Finding::new(Severity::Info, self.code, &told).from_verbosity(1)
            }
        };
        let finding = finding.leak().details(&self.details).numbers(&numbers);
        out.finding(&finding.incident(&incident.unwrap_or_default()));
    }

    fn of_growth(code: &'static str, lead: &str, growth: &Growth<'_>) -> Self {
        let Growth {
            from,
            now,
            baseline,
            ..
        } = growth;
        let text = format!(
            "{lead}, from {} to {} (+{}) in {}; {}; {}",
            from.unaccounted,
            now.unaccounted,
            growth.amount(),
            span(now.at.since(from.at)),
            baseline_in_words(*baseline),
            opinion(growth),
        );
        Self {
            severity: Severity::Warning,
            code,
            text,
            details: scan_by_scan(growth)
                + &evidence::since(&from.meminfo, &now.meminfo, &span(now.at.since(from.at))),
            numbers: numbers(growth),
            is_doubtful: false,
            is_small: false,
        }
    }
}

const fn severity(grade: Grade) -> Severity {
    match grade {
        Grade::Warning => Severity::Warning,
        Grade::Note | Grade::Nothing => Severity::Notice,
    }
}

/// Says that a growth is over.
pub(crate) fn say_over(over: &Over, at: Uptime, out: &mut Out<'_>) {
    let lead = if over.is_left() {
        "Another growth begins"
    } else {
        "Probably no leak"
    };
    let text = format!(
        "{lead}: of the growth by {} that was reported {} ago, {} is left",
        over.told,
        span(at.since(over.opened)),
        over.left,
    );
    let numbers = [
        Number::new("growth_bytes", over.told.as_f64()),
        Number::new("growth_left_bytes", over.left.as_f64()),
    ];
    let incident = over.incident.to_string();
    let finding = Finding::new(Severity::Info, "leak-over", &text).numbers(&numbers);
    out.finding(&finding.end_of_incident(&incident));
}

/// Says that some memory rises, of which nobody is sure yet.
pub(crate) fn say_suspicion(
    incident: Incident,
    series: Series,
    length: Duration,
    rise: &Rise,
    out: &mut Out<'_>,
) {
    let text = format!(
        "The floor of {} rose from {} to {} (+{}) in {}; if that goes on, it will be reported",
        series.name(),
        rise.from,
        rise.to,
        rise.amount(),
        span(length),
    );
    let numbers = [
        Number::new("growth_bytes", rise.amount().as_f64()),
        Number::new("duration_seconds", length.as_secs_f64()),
    ];
    let incident = incident.to_string();
    let finding = Finding::new(Severity::Debug, "trend-suspicion", &text).numbers(&numbers);
    out.finding(&finding.incident(&incident));
}

/// What the exact accounting makes of a growth of the classic formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opinion {
    /// There is none.
    Unknown,
    /// It misses at least half as much.
    Confirmed,
    /// At least half of it is kernel memory that only a leak makes grow for long.
    Kernel(Series),
    /// Most of it is memory that is in good hands, such as free pages on the lists of the CPUs.
    Explained,
}

impl Opinion {
    pub(crate) fn of(growth: &Growth<'_>) -> Self {
        let (Some(before), Some(now)) = (growth.from.exact, growth.now.exact) else {
            return Self::Unknown;
        };
        let is_half = |rise: Balance| rise.get().saturating_mul(2) >= growth.amount().get();
        if is_half(now.unaccounted.since(before.unaccounted)) {
            return Self::Confirmed;
        }
        let rise = |series: &Series| growth.now.levels.rise(&growth.from.levels, *series);
        let kernel = Series::ALL
            .into_iter()
            .filter(|series| series.is_accounted());
        match kernel.max_by_key(rise) {
            Some(series) if is_half(rise(&series)) => Self::Kernel(series),
            Some(_) | None => Self::Explained,
        }
    }

    /// The series that it is about.
    pub(crate) const fn members(self) -> Option<Members> {
        match self {
            Self::Confirmed => Some(Members::of(Series::Unaccounted)),
            Self::Kernel(series) => Some(Members::of(series)),
            Self::Unknown | Self::Explained => None,
        }
    }
}

/// The least unaccounted memory so far. The formula counts mlocked memory twice, so it can be less than
/// nothing, which is of no use to a reader.
fn baseline_in_words(baseline: Balance) -> String {
    if baseline.get() < 0 {
        "baseline below zero, as the classic formula counts mlocked memory twice".to_owned()
    } else {
        format!("baseline {baseline}")
    }
}

/// The opinion in words.
fn opinion(growth: &Growth<'_>) -> String {
    let (Some(before), Some(now)) = (growth.from.exact, growth.now.exact) else {
        return "less sure than usual, because there is no exact accounting".to_owned();
    };
    let change = format!("{} -> {}", before.unaccounted, now.unaccounted);
    match Opinion::of(growth) {
        Opinion::Confirmed | Opinion::Unknown => {
            format!("the exact accounting confirms it ({change})")
        }
        Opinion::Kernel(series) => {
            let rise = growth.now.levels.rise(&growth.from.levels, series);
            format!(
                "the exact accounting finds {rise} of it in {}, which grows for long only by a leak (unaccounted {change})",
                series.name()
            )
        }
        Opinion::Explained => format!(
            "probably no leak: the exact accounting explains most of it (unaccounted {change}, free on per-CPU lists {} -> {})",
            before.per_cpu, now.per_cpu,
        ),
    }
}

/// The numbers that led to the report, in the unit of `/proc/meminfo`.
fn scan_by_scan(growth: &Growth<'_>) -> String {
    let values: Vec<String> = growth
        .history
        .iter()
        .map(|value| value.kib().to_string())
        .collect();
    format!(
        "Unaccounted memory by the classic formula in the last {} scans (kB): {}; baseline {}\n",
        values.len(),
        values.join(", "),
        growth.baseline.kib(),
    )
}

fn numbers(growth: &Growth<'_>) -> Vec<(&'static str, f64)> {
    let Growth {
        from,
        now,
        scans,
        baseline,
        history: _,
    } = growth;
    let mut numbers = vec![
        ("unaccounted_bytes", now.unaccounted.as_f64()),
        ("unaccounted_before_bytes", from.unaccounted.as_f64()),
        ("growth_bytes", growth.amount().as_f64()),
        ("baseline_bytes", baseline.as_f64()),
        ("scans", f64::from(*scans)),
        ("duration_seconds", now.at.since(from.at).as_secs_f64()),
    ];
    if let Some(exact) = now.exact {
        numbers.push(("unaccounted_exact_bytes", exact.unaccounted.as_f64()));
        numbers.push(("per_cpu_free_bytes", exact.per_cpu.as_f64()));
    }
    if let Some(exact) = from.exact {
        numbers.push(("unaccounted_exact_before_bytes", exact.unaccounted.as_f64()));
        numbers.push(("per_cpu_free_before_bytes", exact.per_cpu.as_f64()));
    }
    numbers
}

#[cfg(test)]
mod tests;

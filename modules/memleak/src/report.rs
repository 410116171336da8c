//! What an administrator is told about a possible leak, with the numbers that led to it.

use core::time::Duration;

use adaptivemm_module_api::units::Balance;
use adaptivemm_module_api::{Finding, Number, Out, Severity};

use crate::accounting::Exact;
use crate::classic::Growth;
use crate::evidence;
use crate::level::Excess;
use crate::sample::Sample;

/// A possible leak.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    code: &'static str,
    text: String,
    details: String,
    numbers: Vec<(&'static str, f64)>,
}

impl Report {
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
        let lead = format!(
            "Possible sudden memory leak: unaccounted memory more than doubled within {} scans",
            growth.scans
        );
        Self::of_growth("sudden-leak", &lead, growth)
    }

    /// Memory has been missing for a while.
    pub(crate) fn level(
        sample: &Sample<'_>,
        exact: &Exact,
        excess: &Excess,
        baseline: Balance,
    ) -> Self {
        let missing = exact.unaccounted;
        let text = format!(
            "Possible memory leak (level): {missing} of {} accounted for by nothing for {} scans ({}), limit {}; \
             lost before the daemon started, or held by a driver that counts it nowhere; \
             classic formula {}, {}",
            sample.total,
            excess.scans,
            span(excess.lasted),
            excess.limit,
            sample.unaccounted,
            baseline_in_words(baseline),
        );
        let numbers = vec![
            ("unaccounted_bytes", sample.unaccounted.as_f64()),
            ("baseline_bytes", baseline.as_f64()),
            ("unaccounted_exact_bytes", missing.as_f64()),
            ("orphans_bytes", exact.orphans.as_f64()),
            ("limit_bytes", excess.limit.as_f64()),
            ("scans", f64::from(excess.scans)),
            ("duration_seconds", excess.lasted.as_secs_f64()),
        ];
        Self {
            code: "level-leak",
            text,
            details: evidence::current(sample.meminfo),
            numbers,
        }
    }

    /// Hands it to the core.
    pub(crate) fn say(&self, out: &mut Out<'_>) {
        let number = |&(name, value)| Number::new(name, value);
        let numbers: Vec<_> = self.numbers.iter().map(number).collect();
        let finding = Finding::new(Severity::Warning, self.code, &self.text)
            .details(&self.details)
            .numbers(&numbers);
        out.finding(&finding);
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
            code,
            text,
            details: scan_by_scan(growth)
                + &evidence::since(&from.meminfo, &now.meminfo, &span(now.at.since(from.at))),
            numbers: numbers(growth),
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

/// What the exact accounting makes of the growth.
fn opinion(growth: &Growth<'_>) -> String {
    let (Some(before), Some(now)) = (growth.from.exact, growth.now.exact) else {
        return "less sure than usual, because there is no exact accounting".to_owned();
    };
    let exact = now.unaccounted.since(before.unaccounted);
    let change = format!("{} -> {}", before.unaccounted, now.unaccounted);
    if exact.get().saturating_mul(2) >= growth.amount().get() {
        return format!("the exact accounting confirms it ({change})");
    }
    format!(
        "probably no leak: the exact accounting explains most of it (unaccounted {change}, free on per-CPU lists {} -> {})",
        before.per_cpu, now.per_cpu,
    )
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

/// A time as one says it: `90 s`, `45 min`, `2.5 h`.
fn span(duration: Duration) -> String {
    match duration.as_secs() {
        secs @ 0..=599 => format!("{secs} s"),
        secs @ 600..=7199 => format!("{} min", secs / 60),
        7200.. => format!("{:.1} h", duration.as_secs_f64() / 3600.0),
    }
}

#[cfg(test)]
mod tests;

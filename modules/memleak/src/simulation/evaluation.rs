//! How well the trend detector does on made-up machines.
//!
//! `cargo test --release -p memleak evaluation -- --ignored --nocapture` prints the tables.

use std::collections::BTreeMap;

use adaptivemm_module_api::Severity;
use adaptivemm_module_api::testing::{Machine as Files, Rig, Zone};
use adaptivemm_module_api::units::{Bytes, Pages};

use super::{Chance, DAY, HOUR, Kind, MIB, Machine};
use crate::horizon::Grade;
use crate::sample::Sample;
use crate::series::Series;
use crate::trend::{Choices, Trend};

const DAYS_A_MONTH: u32 = 30;

fn trend() -> Trend {
    Trend::new(Choices {
        least: Bytes::from_kib(32 << 10),
        horizons_left: 24,
    })
}

/// Warnings and notes on a machine that leaks nothing.
fn false_alarms(kind: Kind, seed: u64, days: u32) -> (u32, u32) {
    let (mut trend, mut machine) = (trend(), Machine::new(kind, seed));
    let (mut warnings, mut notes) = (0, 0);
    while f64::from(machine.now) < f64::from(days) * DAY {
        match trend
            .observe(&machine.scan())
            .rising
            .map(|rising| rising.alarm.grade)
        {
            Some(Grade::Warning) => warnings += 1,
            Some(Grade::Note) => notes += 1,
            Some(Grade::Nothing) | None => {}
        }
    }
    (warnings, notes)
}

/// Hours after which a leak that begins after ten days is first told, with a warning or a note, and those
/// after which it is warned of. `None` if it is not within `days`.
fn delays(kind: Kind, seed: u64, mib_per_hour: f64, days: f64) -> (Option<f64>, Option<f64>) {
    delays_from(10.0 * DAY, kind, seed, mib_per_hour, days)
}

/// The same of a leak that begins after so many seconds.
fn delays_from(
    start: f64,
    kind: Kind,
    seed: u64,
    mib_per_hour: f64,
    days: f64,
) -> (Option<f64>, Option<f64>) {
    let (mut trend, mut machine) = (trend(), Machine::new(kind, seed));
    machine.leak = Some((mib_per_hour * MIB / HOUR, start));
    let (mut told, mut warned) = (None, None);
    while f64::from(machine.now) < start + days * DAY && warned.is_none() {
        let hours = (f64::from(machine.now) - start) / HOUR;
        let rising = trend.observe(&machine.scan()).rising;
        if let Some(rising) = rising.filter(|_| hours > 0.0) {
            told = told.or(Some(hours));
            warned = (rising.alarm.grade == Grade::Warning).then_some(hours);
        }
    }
    (told, warned)
}

#[test]
fn machines_that_leak_nothing_are_not_warned_of() {
    let mut warnings = Vec::new();
    for kind in Kind::ALL {
        for seed in 0..2 {
            if false_alarms(kind, seed, DAYS_A_MONTH).0 > 0 {
                warnings.push((kind, seed));
            }
        }
    }

    assert_eq!(warnings, []);
}

#[test]
fn leaks_are_found_as_soon_as_promised() {
    let within = |start, mib_per_hour, hours: f64| {
        let (told, _) = delays_from(start, Kind::Idle, 0, mib_per_hour, 3.0);
        assert!(
            told.is_some_and(|told| told <= hours),
            "{mib_per_hour} MiB per hour: {told:?}"
        );
    };

    let with_a_stretch = 10.0 * DAY;
    within(with_a_stretch, 1024.0, 1.0);
    within(with_a_stretch, 100.0, 6.0);
    // Up to a stretch of 2 h longer, the sooner the leak begins in one: what it adds to that does not count.
    within(with_a_stretch, 10.0, 18.0 + 2.0);
    within(with_a_stretch - 300.0, 10.0, 18.1);
}

/// Warnings, right and wrong.
#[derive(Debug, Default, Clone, Copy)]
struct Score {
    months: u32,
    false_warnings: u32,
    false_notes: u32,
    leaks: u32,
    found: u32,
}

impl Score {
    fn and(self, other: Self) -> Self {
        Self {
            months: self.months + other.months,
            false_warnings: self.false_warnings + other.false_warnings,
            false_notes: self.false_notes + other.false_notes,
            leaks: self.leaks + other.leaks,
            found: self.found + other.found,
        }
    }

    fn precision(self) -> f64 {
        f64::from(self.found) / f64::from(self.found + self.false_warnings)
    }

    fn recall(self) -> f64 {
        f64::from(self.found) / f64::from(self.leaks)
    }

    fn false_warnings_per_year(self) -> f64 {
        f64::from(self.false_warnings) / f64::from(self.months * DAYS_A_MONTH) * 365.0
    }
}

/// A month without a leak, and another machine that leaks after ten days, 30 MiB to 4 GiB per hour. It is to be warned
/// of within four days, and before nine tenths of what is available are gone.
fn score(kind: Kind, seed: u64) -> Score {
    let rate = 30.0 * (4096.0_f64 / 30.0).powf(Chance::new(seed).uniform(0.0, 1.0));
    let left = 0.9 * 0.6 * 24.0 * 1024.0 / rate / 24.0;
    let (before, _) = false_alarms(kind, seed + 500, 10);
    let (false_warnings, false_notes) = false_alarms(kind, seed, DAYS_A_MONTH);
    let (_, warned) = delays(kind, seed + 500, rate, left.min(4.0));
    Score {
        months: 1,
        false_warnings: false_warnings + before,
        false_notes,
        leaks: 1,
        found: u32::from(warned.is_some()),
    }
}

#[test]
fn warnings_are_right_and_leaks_are_warned_of() {
    let mut all = Score::default();
    for kind in Kind::ALL {
        for seed in 0..4 {
            all = all.and(score(kind, seed));
        }
    }

    assert!(all.precision() >= 0.95, "{all:?}");
    assert!(all.recall() >= 0.95, "{all:?}");
}

#[test]
#[ignore = "needs minutes, in a release build: prints how well leaks are found"]
#[expect(clippy::print_stdout, reason = "the tables are the result")]
fn evaluation() {
    for seeds in [0..60, 1000..1060, 2000..2060] {
        println!("| seeds {seeds:?} | months | false warnings | false notes | leaks | found |");
        println!("| --- | --- | --- | --- | --- | --- |");
        let mut all = Score::default();
        for kind in Kind::ALL {
            let scores = seeds.clone().map(|seed| score(kind, seed));
            let sum = scores.reduce(Score::and).unwrap();
            let Score {
                months,
                false_warnings,
                false_notes,
                leaks,
                found,
            } = sum;
            println!(
                "| {kind:?} | {months} | {false_warnings} | {false_notes} | {leaks} | {found} |"
            );
            all = all.and(sum);
        }
        println!(
            "\n{} false warnings and {} notes in {} machine-months, {:.2} warnings per machine-year; precision {:.3}, recall {:.3}\n",
            all.false_warnings,
            all.false_notes,
            all.months,
            all.false_warnings_per_year(),
            all.precision(),
            all.recall(),
        );
    }
}

/// The warnings of the whole module, by incident: the code of the first of each, and its day.
fn warnings_of_all(
    kind: Kind,
    seed: u64,
    leak: Option<(f64, f64)>,
    days: f64,
) -> Vec<(String, f64)> {
    let mut rig = Rig::create::<crate::Memleak>(&[]).unwrap();
    let mut machine = Machine::new(kind, seed);
    machine.leak = leak;
    let mut warnings: Vec<(String, String, f64)> = Vec::new();
    while f64::from(machine.now) < days * DAY {
        let day = f64::from(machine.now) / DAY;
        for finding in rig.scan(&files(&machine.scan())).findings {
            let is_known = warnings
                .iter()
                .any(|(incident, ..)| *incident == finding.incident);
            if finding.severity == Severity::Warning && !is_known {
                warnings.push((finding.incident, finding.code, day));
            }
        }
    }
    warnings
        .into_iter()
        .map(|(_, code, day)| (code, day))
        .collect()
}

/// The files of a machine that lacks as much as the sample says.
fn files(sample: &Sample<'_>) -> Files {
    let total = sample.total.get();
    let missing = sample.levels.get(Series::Unaccounted).unwrap_or_default();
    let free = total / 10 * 6 - missing.get().unsigned_abs();
    let programs = total / 10 * 4;
    let meminfo = [
        ("MemTotal", total),
        ("MemFree", free),
        ("MemAvailable", free),
        ("Buffers", 0),
        ("Cached", 0),
        ("Active(anon)", programs),
        ("Inactive(anon)", 0),
        ("Active(file)", 0),
        ("Inactive(file)", 0),
        ("Unevictable", 0),
        ("AnonPages", programs),
        ("SReclaimable", 0),
        ("SUnreclaim", 0),
        ("KernelStack", 0),
        ("PageTables", 0),
    ];
    let zone = Zone {
        managed: Some(Pages::new(total / 4096)),
        ..Zone::new(0, "Normal")
    };
    Files::new()
        .period(sample.period)
        .uptime(sample.at.0)
        .meminfo(&meminfo)
        .vmstat(&[])
        .zone(zone)
}

#[test]
#[ignore = "needs minutes, in a release build: prints what all detectors together say"]
#[expect(clippy::print_stdout, reason = "the table is the result")]
fn all_detectors() {
    println!(
        "| machine | months | false incidents, by what told them first |\n| --- | --- | --- |"
    );
    for kind in Kind::ALL {
        let seeds = 3000..3012;
        let mut codes = BTreeMap::new();
        for seed in seeds.clone() {
            for (code, _) in warnings_of_all(kind, seed, None, 30.0) {
                *codes.entry(code).or_insert(0) += 1;
            }
        }
        println!("| {kind:?} | {} | {codes:?} |", seeds.count());
    }
}

#[test]
#[ignore = "needs a minute, in a release build: prints how soon leaks are found"]
#[expect(clippy::print_stdout, reason = "the table is the result")]
fn promptness() {
    println!("| MiB per hour | machine | told | median hours | last | warned | median hours |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for rate in [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1024.0, 4096.0] {
        for kind in [
            Kind::Idle,
            Kind::PerCpuLists,
            Kind::Sockets,
            Kind::Week,
            Kind::Mix,
        ] {
            let runs: Vec<_> = (0..20).map(|seed| delays(kind, seed, rate, 30.0)).collect();
            let (told, last) = median(runs.iter().filter_map(|run| run.0).collect());
            let (warned, _) = median(runs.iter().filter_map(|run| run.1).collect());
            let count = |of: fn(&(Option<f64>, Option<f64>)) -> bool| {
                runs.iter().filter(|run| of(run)).count()
            };
            println!(
                "| {rate} | {kind:?} | {} of 20 | {told} | {last} | {} of 20 | {warned} |",
                count(|run| run.0.is_some()),
                count(|run| run.1.is_some()),
            );
        }
    }
}

/// And the greatest.
fn median(mut hours: Vec<f64>) -> (String, String) {
    hours.sort_by(f64::total_cmp);
    let middle = hours
        .get(hours.len() / 2)
        .map_or("-".to_owned(), |hours| format!("{hours:.1}"));
    let last = hours
        .last()
        .map_or("-".to_owned(), |hours| format!("{hours:.1}"));
    (middle, last)
}

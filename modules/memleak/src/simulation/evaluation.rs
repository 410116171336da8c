//! How well the trend detector does on made-up machines.
//!
//! `cargo test --release -p memleak evaluation -- --ignored --nocapture` prints a table.

use adaptivemm_module_api::units::Bytes;

use super::{DAY, HOUR, Kind, MIB, Machine};
use crate::horizon::Grade;
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
    let (mut trend, mut machine) = (trend(), Machine::new(kind, seed));
    let start = 10.0 * DAY;
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
    // Up to a stretch longer if the leak begins with a stretch, as here: 2 h on the horizon of a day.
    let within = |mib_per_hour, hours: f64| {
        let (told, _) = delays(Kind::Idle, 0, mib_per_hour, 3.0);
        assert!(
            told.is_some_and(|told| told <= hours),
            "{mib_per_hour} MiB per hour: {told:?}"
        );
    };

    within(1024.0, 1.0);
    within(100.0, 6.0);
    within(10.0, 18.0 + 2.0);
}

#[test]
#[ignore = "needs a minute, in a release build: prints how well leaks are found"]
#[expect(clippy::print_stdout, reason = "the tables are the result")]
fn evaluation() {
    let seeds = 60_u32;
    let (mut all, mut months) = (0, 0);
    println!("| machine | months | warnings | notes |\n| --- | --- | --- | --- |");
    for kind in Kind::ALL {
        let (mut warnings, mut notes) = (0, 0);
        for seed in 0..seeds {
            let alarms = false_alarms(kind, seed.into(), DAYS_A_MONTH);
            warnings += alarms.0;
            notes += alarms.1;
        }
        println!("| {kind:?} | {seeds} | {warnings} | {notes} |");
        all += warnings;
        months += seeds;
    }
    let years = f64::from(months * DAYS_A_MONTH) / 365.0;
    let per_year = f64::from(all) / years;
    println!("\n{all} false warnings in {months} machine-months: {per_year:.2} per machine-year\n");
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

//! What the detectors cost.
//!
//! `cargo test --release -p memleak cost -- --ignored --nocapture` prints the time of a scan.

use core::time::Duration;
use std::time::Instant;

use adaptivemm_module_api::MAX_STATE;
use adaptivemm_module_api::testing::{Machine, Rig};
use adaptivemm_module_api::units::{Balance, Bytes, Uptime};

use crate::detection::Detection;
use crate::options::Options;
use crate::sample::{Reading, Sample};
use crate::series::Series;
use crate::state;
use crate::trend::{Choices, HORIZONS, Trend};

const SCANS: u32 = 1_000_000;

fn trend() -> Trend {
    Trend::new(Choices {
        least: Bytes::from_kib(32 << 10),
        horizons_left: 24,
    })
}

/// Nanoseconds of a scan in which all seven series rise, when scans are so far apart.
#[expect(clippy::disallowed_methods, reason = "measures time")]
fn nanoseconds(period: Duration) -> f64 {
    let (mut trend, mut sample) = (trend(), Sample::quiet());
    let start = Instant::now();
    for scan in 0..SCANS {
        sample.at = Uptime(period.saturating_mul(scan));
        for series in Series::ALL {
            let level = Balance::new(i64::from(scan) << 20);
            sample.levels.set(series, Some(level));
        }
        std::hint::black_box(trend.observe(&sample));
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(SCANS)
}

#[test]
#[ignore = "needs a release build: prints the time of a scan"]
#[expect(clippy::print_stdout, reason = "the table is the result")]
fn cost() {
    let (usual, worst) = (Duration::from_secs(30), Duration::from_secs(300));
    let (each, length) = keeping();
    println!("{each:.0} ns for writing down what is remembered, {length} bytes");
    println!("| scans apart | ns per scan, 7 series, 4 horizons |\n| --- | --- |");
    println!("| 30 s | {:.0} |", nanoseconds(usual));
    println!(
        "| 300 s: each ends a stretch and is judged | {:.0} |",
        nanoseconds(worst)
    );
}

/// Nanoseconds for writing down all that is remembered, and its length.
#[expect(clippy::disallowed_methods, reason = "measures time")]
fn keeping() -> (f64, usize) {
    const TIMES: u32 = 10_000;
    let mut rig = Rig::create::<crate::Memleak>(&[]).unwrap();
    let text = "MemTotal:       24675328 kB\n".repeat(55);
    let machine = Machine::new().file("/proc/meminfo", text);
    let meminfo = ["MemTotal", "MemFree"].map(|name| (name, 1 << 34));
    let kept = (0..5).map(|_| rig.scan(&machine.clone().meminfo(&meminfo)).kept);
    let kept = kept.flatten().last().unwrap();
    let mut detection = Detection::new(options());
    state::read(&mut detection, &kept).unwrap();
    let mut bytes = Vec::with_capacity(MAX_STATE);
    let start = Instant::now();
    for _ in 0..TIMES {
        state::write(std::hint::black_box(&detection), &mut bytes);
    }
    let each = start.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES);
    (each, bytes.len())
}

fn options() -> Options {
    Options {
        classic: true,
        min_growth_percent: 1.0,
        trend: true,
        trend_min_growth: Bytes::from_kib(32 << 10),
        trend_horizons_left: 24,
        jump: true,
        jump_min_growth: Bytes::from_kib(256 << 10),
        jump_percent: 5.0,
        level: true,
        level_percent: 10.0,
    }
}

#[test]
fn all_that_is_remembered_fits_into_64_kib() {
    let texts = (HORIZONS + 6) * Reading::empty().meminfo.capacity();

    assert!(size_of::<crate::Memleak>() + texts <= 64 << 10);
}

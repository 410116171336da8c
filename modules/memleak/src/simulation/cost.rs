//! What the detectors cost.
//!
//! `cargo test --release -p memleak cost -- --ignored --nocapture` prints the time of a scan.

use core::time::Duration;

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

/// Nanoseconds that this thread has been on a CPU: others may run meanwhile.
#[expect(clippy::disallowed_methods, reason = "measures time")]
fn on_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Nanoseconds of a scan in which all seven series rise, when scans are so far apart.
fn nanoseconds(period: Duration) -> f64 {
    let (mut trend, mut sample) = (trend(), Sample::quiet());
    let start = on_cpu();
    for scan in 0..SCANS {
        sample.at = Uptime(period.saturating_mul(scan));
        for series in Series::ALL {
            let level = Balance::new(i64::from(scan) << 20);
            sample.levels.set(series, Some(level));
        }
        std::hint::black_box(trend.observe(&sample));
    }
    (on_cpu() - start) / f64::from(SCANS)
}

#[test]
#[ignore = "needs a release build: prints the time of a scan"]
#[expect(clippy::print_stdout, reason = "the table is the result")]
fn cost() {
    let (usual, worst) = (Duration::from_secs(30), Duration::from_secs(300));
    let (each, length) = keeping();
    println!("{} bytes for all that is remembered", remembered());
    println!("{each:.0} ns for writing down what is remembered, {length} bytes");
    println!("| scans apart | ns per scan, 7 series, 4 horizons |\n| --- | --- |");
    println!("| 30 s | {:.0} |", nanoseconds(usual));
    println!(
        "| 300 s: each ends a stretch and is judged | {:.0} |",
        nanoseconds(worst)
    );
}

/// Nanoseconds for writing down all that is remembered, and its length.
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
    let start = on_cpu();
    for _ in 0..TIMES {
        state::write(std::hint::black_box(&detection), &mut bytes);
    }
    let each = (on_cpu() - start) / f64::from(TIMES);
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

/// Bytes, with room for the texts of `/proc/meminfo` that are kept as evidence.
fn remembered() -> usize {
    let texts = (HORIZONS + 6) * Reading::empty().meminfo.capacity();
    size_of::<crate::Memleak>() + texts
}

#[test]
fn all_that_is_remembered_fits_into_64_kib() {
    assert!(remembered() <= 64 << 10);
}

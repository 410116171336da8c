//! Incidents as they could have been.

pub(crate) mod evidence;
mod history;
pub(crate) mod leaks;
pub(crate) mod odd;

use agent_core::base::clock::Moment;
use agent_core::incidents::{FindingRecord, History, Incident, Machine, VERSION};
use jiff::{SignedDuration, Timestamp};

pub(crate) const MIB: f64 = 1_048_576.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

/// How long after boot the incident was opened, in seconds.
pub(crate) const OPENED: f64 = 20.0 * DAY;

/// A moment, so many seconds after the incident was opened.
pub(crate) fn moment(after: f64) -> Moment {
    let opened: Timestamp = "2026-11-28T00:51:13Z".parse().unwrap();
    let at = opened + SignedDuration::from_secs_f64(after);
    Moment {
        time: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        uptime_ms: millis(OPENED + after),
    }
}

pub(crate) fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0) as u64
}

/// An incident of which nothing is known but the machine.
pub(crate) fn bare() -> Incident {
    Incident {
        v: VERSION,
        id: "20261128-005113-memleak".to_owned(),
        module: "memleak".to_owned(),
        name: "leak".to_owned(),
        opened: moment(0.0),
        over: None,
        machine: Machine {
            host: Some("db7.example.org".to_owned()),
            kernel: "6.12.48+deb13-amd64".to_owned(),
            arch: "x86_64".to_owned(),
            boot_id: "6f2b7f6c-6f0a-4a7e-8f2d-2f4a3c1d9e10".to_owned(),
            mem_total_bytes: 64 << 30,
            page_size_bytes: 4096,
            daemon: "adaptivemmd 0.1.0".to_owned(),
            period_ms: 30_000,
        },
        told: Vec::new(),
        told_more: 0,
        history: History::default(),
        comparison: None,
        problems: Vec::new(),
        is_of_earlier_boot: false,
    }
}

pub(crate) fn told(
    after: f64,
    severity: &str,
    code: &str,
    text: &str,
    numbers: &[(&str, f64)],
) -> FindingRecord {
    FindingRecord {
        at: moment(after),
        severity: severity.to_owned(),
        code: code.to_owned(),
        text: text.to_owned(),
        ends: code == "leak-over",
        details: MEMINFO.lines().map(str::to_owned).collect(),
        numbers: numbers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect(),
    }
}

const MEMINFO: &str = "/proc/meminfo now:
MemTotal: 65790012 kB, MemFree: 2310044 kB, MemAvailable: 11743240 kB, Buffers: 190232 kB
Cached: 9300116 kB, SwapCached: 0 kB, Active: 31420412 kB, Inactive: 12400128 kB
Unevictable: 24 kB, Mlocked: 24 kB, SwapTotal: 0 kB, SwapFree: 0 kB
AnonPages: 34330192 kB, Mapped: 1811240 kB, Shmem: 520112 kB, KReclaimable: 1311200 kB
Slab: 2111416 kB, SReclaimable: 1311200 kB, SUnreclaim: 800216 kB, KernelStack: 24112 kB";

/// All of them, by name.
pub(crate) fn all() -> Vec<(&'static str, Incident)> {
    vec![
        ("pages", leaks::pages()),
        ("sudden", leaks::sudden()),
        ("slab", leaks::slab()),
        ("over", leaks::over()),
        ("short", leaks::short()),
        ("unexplained", leaks::unexplained()),
        ("level", leaks::level()),
        ("bare", bare()),
        ("zram", super::standing::zram()),
        ("extreme", odd::extreme()),
        ("one-point", odd::one_point()),
        ("long", odd::long()),
    ]
}

//! Many scans: they keep their pace, and nothing piles up.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::daemon::QUICK_AND_OPEN;
use crate::daemon::process::Home;

#[test]
fn scans_do_not_drift() {
    let home = Home::new(&format!("{QUICK_AND_OPEN}\nverbosity = 4"), "");
    let mut daemon = home.start(&["--foreground"]);
    daemon.until("core: scan 1 took ");
    let start = Instant::now();

    let mut scans = 0;
    while start.elapsed() < Duration::from_secs(3) {
        daemon.until("core: scan ");
        scans += 1;
    }

    // A busy machine leaves some out; none is made up for.
    assert!((10..=32).contains(&scans), "{scans} scans in 3 s");
}

#[test]
fn frames_are_stamped_on_a_grid() {
    let trace = Home::new("", "")
        .command(&["record", "--period-ms", "100", "--frames", "20", "-"])
        .output()
        .unwrap();

    let text = String::from_utf8(trace.stdout).unwrap();
    let frames = text
        .lines()
        .skip(1)
        .map(|line| line.parse::<Value>().unwrap());
    let stamps: Vec<u64> = frames
        .map(|frame| frame["t_ms"].as_u64().unwrap())
        .collect();
    let gaps = stamps.windows(2).map(|pair| pair[1] - pair[0]);
    // A machine that is busy elsewhere may miss a point of the grid, but never leave the grid.
    let points: u64 = gaps.clone().map(|gap| (gap + 50) / 100).sum();
    let whole = stamps[19] - stamps[0];

    assert_eq!((stamps.len(), stamps[0]), (20, 0));
    assert!((19..=21).contains(&points), "{stamps:?}");
    assert!((points * 98..=points * 102).contains(&whole), "{stamps:?}");
}

#[test]
fn each_kernel_file_is_open_once_and_nothing_piles_up() {
    // Without evidence, which is taken by a thread of its own: its files are open for a moment.
    let core = format!("{QUICK_AND_OPEN}\nverbosity = 4\nmax-incidents = 0");
    let home = Home::new(&core, "");
    let mut daemon = home.start(&["--foreground"]);
    daemon.until("core: scan 1 took ");
    let early = descriptors(daemon.pid());

    daemon.until("core: scan 20 took ");
    let late = descriptors(daemon.pid());

    assert_eq!(early, late);
    for file in ["/proc/meminfo", "/proc/vmstat", "/proc/zoneinfo"] {
        assert_eq!(late.get(file), Some(&1), "{late:?}");
    }
    let kernel_files = late
        .iter()
        .filter(|(path, _)| path.starts_with("/proc/") || path.starts_with("/sys/"));
    assert!(
        kernel_files.clone().all(|(_, count)| *count == 1),
        "{late:?}"
    );
}

/// What a process has open, and how often.
fn descriptors(number: u32) -> BTreeMap<String, usize> {
    let mut open = BTreeMap::new();
    for entry in fs::read_dir(Path::new("/proc").join(number.to_string()).join("fd")).unwrap() {
        let entry = entry.unwrap();
        let path = fs::read_link(entry.path())
            .unwrap()
            .to_string_lossy()
            .into_owned();
        *open.entry(path).or_default() += 1;
    }
    open
}

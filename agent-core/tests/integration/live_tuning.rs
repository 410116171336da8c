//! All modules on the real kernel, under load, for ten minutes: whatever they change is as it was when they are done.
//!
//! Run as root, on a machine with time to spare: `cargo test --release --test integration live_tuning:: -- --ignored --nocapture`.
//! `MINUTES=2` makes it shorter. It fills the page cache, and takes 1 GiB at a time beside it.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "works on the live machine, and shows what was done"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::daemon::process::{Home, proc_file};
use rustix::process::geteuid;

const GIB: usize = 1 << 30;
const CHUNK: usize = 1 << 20;
const PAGE: usize = 4096;

/// Every setting below these, by its path. Those that are counters, or commands, are left out.
fn settings() -> BTreeMap<String, String> {
    let is_setting = |path: &String| {
        let moving = [
            "state",
            "-nr",
            "nr_",
            "stat_refresh",
            "drop_caches",
            "compact_memory",
        ];
        !moving.iter().any(|word| path.contains(word))
    };
    let files = ["/proc/sys/vm", "/proc/sys/fs"]
        .into_iter()
        .flat_map(|directory| {
            let entries = fs::read_dir(directory).unwrap();
            entries.map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        });
    files
        .filter(is_setting)
        .filter_map(|path| fs::read_to_string(&path).ok().map(|text| (path, text)))
        .collect()
}

/// Reads a file of nothing but a hole, again and again: each page of it takes one of the page cache.
fn fill_page_cache(hole: &File, length: u64, is_over: &AtomicBool) {
    let mut buffer = vec![0; CHUNK];
    let mut offset = 0;
    while !is_over.load(Ordering::Relaxed) {
        hole.read_exact_at(&mut buffer, offset).unwrap();
        offset = (offset + CHUNK as u64) % length;
    }
}

/// Takes a GiB, holds it for a moment, and gives it back.
fn take_in_bursts(is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        let mut memory = vec![0_u8; GIB];
        memory.iter_mut().step_by(PAGE).for_each(|byte| *byte = 1);
        thread::sleep(Duration::from_millis(500));
        drop(std::hint::black_box(memory));
        thread::sleep(Duration::from_secs(3));
    }
}

/// Looks for files that are not there: each leaves a negative dentry.
fn look_for_nothing(directory: &Path, is_over: &AtomicBool) {
    let mut number = 0_u64;
    while !is_over.load(Ordering::Relaxed) {
        for _ in 0..2000 {
            number += 1;
            assert!(!directory.join(number.to_string()).exists());
        }
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "changes the live kernel for ten minutes"]
fn everything_is_given_back_after_ten_minutes_under_load() {
    assert!(geteuid().is_root(), "it needs root");
    let minutes = std::env::var("MINUTES").map_or(10, |text| text.parse().unwrap());
    let modules = "[modules.cache-pressure]\nenabled = true\n";
    let core = "period-secs = 1.0\nlog-target = \"stderr\"\naggressiveness = 3";
    let home = Home::with_modules(agent_core::base::linked::CHOSEN);
    home.configure(core, modules);
    let cache = File::create_new(home.path("hole")).unwrap();
    let total = rustix::system::sysinfo().totalram / CHUNK as u64 * CHUNK as u64;
    cache.set_len(total).unwrap();
    let cache = File::open(home.path("hole")).unwrap();
    let before = settings();
    let mut daemon = home.start(&["--foreground"]);
    daemon.until("started: ");

    let is_over = AtomicBool::new(false);
    // Whatever goes wrong, the daemon is to end as it should.
    let load = catch_unwind(|| {
        thread::scope(|scope| {
            scope.spawn(|| fill_page_cache(&cache, total, &is_over));
            scope.spawn(|| take_in_bursts(&is_over));
            scope.spawn(|| look_for_nothing(&home.path("."), &is_over));
            let end = Instant::now() + Duration::from_secs(60 * minutes);
            while Instant::now() < end {
                thread::sleep(Duration::from_secs(5));
                assert!(
                    proc_file(daemon.pid(), "comm").is_some(),
                    "the daemon is gone"
                );
            }
            is_over.store(true, Ordering::Relaxed);
        });
    });
    let during = settings();
    let (status, said) = daemon.terminate();

    eprintln!("{}", said.join("\n"));
    let changed: Vec<_> = during
        .iter()
        .filter(|(path, text)| before.get(*path) != Some(text))
        .collect();
    eprintln!("not as before at the end of the load: {changed:?}");
    let done = said
        .iter()
        .filter(|line| line.contains(": done, was "))
        .count();
    eprintln!("{done} changes in {minutes} minutes");
    assert!(load.is_ok(), "the load failed");
    assert_eq!(status.code(), Some(0));
    assert!(done > 0, "nothing was changed, so nothing is shown");
    assert_eq!(settings(), before);
}

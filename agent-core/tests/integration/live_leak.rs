//! Real leaks on the real kernel, as far as user space can make them: a full pipe holds pages that the
//! kernel counts nowhere. And the opposite: memory in large amounts that is accounted for.
//!
//! Run as root, on a machine with time to spare: `cargo test --test integration live_leak:: -- --ignored --nocapture`.
//! It takes about two minutes and at most 4 GiB, and puts back what it changed. The scenarios disturb
//! each other, so they take turns, with `ONE_AT_A_TIME`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "works on the live machine, and shows the figures"
)]

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::daemon::process::{Home, Running};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::mm::{MlockAllFlags, mlockall, munlockall};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit};
use serde_json::Value;

const MIB: u64 = 1 << 20;
const NR_HUGEPAGES: &str = "/proc/sys/vm/nr_hugepages";
const PER_CPU_SHARE: &str = "/proc/sys/vm/percpu_pagelist_high_fraction";

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The machine, for one scenario.
struct Scene {
    home: Home,
    /// The most that this scenario may use.
    budget: u64,
    _turn: MutexGuard<'static, ()>,
}

impl Scene {
    /// `least_growth` is a share of the budget: growth below it is not to be reported.
    fn enter(least_growth: u64) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(geteuid().is_root(), "it needs root");
        let files = getrlimit(Resource::Nofile);
        let all = Rlimit {
            current: files.maximum,
            ..files
        };
        setrlimit(Resource::Nofile, all).unwrap();
        let budget = (meminfo("MemAvailable") / 4).min(3584 * MIB);
        assert!(budget >= 512 * MIB, "it needs 2 GiB of available memory");
        #[expect(clippy::cast_precision_loss, reason = "a share of memory, for people")]
        let percent = (budget / least_growth) as f64 * 100.0 / meminfo("MemTotal") as f64;
        let home = Home::new(
            "period-secs = 1.0\nlog-target = \"stderr\"\nverbosity = 4",
            &format!("[modules.memleak.config]\nmin-growth-percent = {percent:.3}"),
        );
        Self {
            home,
            budget,
            _turn: turn,
        }
    }

    fn daemon(&self) -> Running {
        let mut daemon = self.home.start(&["--foreground"]);
        daemon.until("core: scan 1 took");
        daemon
    }

    /// What a look at the machine says, while the daemon runs. Readings that do not fit together, as
    /// memory moved too fast, are tried again.
    fn look(&self) -> Seen {
        let mut seen = self.glance();
        for _ in 0..9 {
            if seen.is_steady {
                break;
            }
            seen = self.glance();
        }
        seen
    }

    fn glance(&self) -> Seen {
        let output = self.home.command(&["--once", "--json"]).output().unwrap();
        let all: Value = serde_json::from_slice(&output.stdout).unwrap();
        let number = |name: &str| all["modules"]["memleak"]["metrics"][name].as_i64();
        Seen {
            classic: number("unaccounted_bytes").unwrap(),
            exact: number("unaccounted_exact_bytes").unwrap(),
            is_steady: all["snapshot"]["steady"].as_bool().unwrap(),
        }
    }
}

/// A file of the kernel that has its old value back when this is dropped.
struct Tuned {
    path: &'static str,
    before: String,
}

impl Tuned {
    /// `None` where it cannot be changed.
    fn set(path: &'static str, value: &str) -> Option<Self> {
        let before = fs::read_to_string(path).ok()?;
        fs::write(path, value).ok()?;
        Some(Self { path, before })
    }
}

impl Drop for Tuned {
    fn drop(&mut self) {
        fs::write(self.path, &self.before).unwrap();
    }
}

/// Lets the kernel keep hardly any free pages on per-CPU lists. The classic formula takes those for lost,
/// and on a busy machine they grow and shrink by hundreds of megabytes a second, in which a steady growth of
/// a tenth drowns. A real machine has no such help; it has the exact accounting.
fn calm_per_cpu_lists() -> Option<Tuned> {
    Tuned::set(PER_CPU_SHARE, "100000")
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    classic: i64,
    exact: i64,
    is_steady: bool,
}

fn meminfo(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib: u64 = line.unwrap().trim_end_matches("kB").trim().parse().unwrap();
    kib << 10
}

/// Full pipes of 1 MiB each. `/proc/sys/fs/pipe-user-pages-soft` does not bind root.
#[derive(Default)]
struct Pipes(Vec<(OwnedFd, OwnedFd)>);

impl Pipes {
    fn held(&self) -> u64 {
        self.0.len() as u64 * MIB
    }

    fn add(&mut self, bytes: u64) {
        let full = vec![1; 1 << 20];
        for _ in 0..bytes.div_ceil(MIB) {
            let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).unwrap();
            assert_eq!(fcntl_setpipe_size(&write, full.len()), Ok(full.len()));
            assert_eq!(rustix::io::write(&write, &full), Ok(full.len()));
            self.0.push((read, write));
        }
    }
}

/// Waits for the next scan. Returns what it reported.
fn next_report(daemon: &mut Running, scan: &mut u64) -> Option<String> {
    *scan += 1;
    daemon.until(&format!("core: scan {scan} took"));
    let mut lines = daemon.take_said().into_iter();
    lines.find(|line| line.contains("Possible"))
}

#[test]
#[ignore = "needs root and 2 GiB of memory: cargo test --test integration live_leak:: -- --ignored"]
fn a_slow_leak_is_reported_and_confirmed() {
    let scene = Scene::enter(14);
    let _calm = calm_per_cpu_lists();
    let mut pipes = Pipes::default();
    // A tenth of this is more than what else moves.
    pipes.add(scene.budget / 14);
    let mut daemon = scene.daemon();
    let start = Instant::now();

    let (mut scan, mut report) = (1, None);
    while report.is_none() && pipes.held() < scene.budget {
        let classic = scene.look().classic;
        pipes.add((classic / 5).unsigned_abs());
        report = next_report(&mut daemon, &mut scan);
    }
    let report = report.expect("a report");

    eprintln!(
        "slow: reported in scan {scan}, after {:.1} s and {} MiB in pipes: {report}",
        start.elapsed().as_secs_f64(),
        pipes.held() >> 20,
    );
    assert!(report.contains("warning memleak: Possible slow memory leak: "));
    assert!(report.contains("the exact accounting confirms it"));
    assert!(scan >= 11, "it takes 10 scans to tell");
}

#[test]
#[ignore = "needs root and 2 GiB of memory: cargo test --test integration live_leak:: -- --ignored"]
fn a_sudden_leak_is_reported_within_three_scans_and_confirmed() {
    let scene = Scene::enter(14);
    let _calm = calm_per_cpu_lists();
    let mut daemon = scene.daemon();
    let mut scan = 1;
    for _ in 0..4 {
        assert_eq!(next_report(&mut daemon, &mut scan), None);
    }
    let before = scene.look().classic;
    let amount = (before * 2).unsigned_abs().max(scene.budget / 3);
    assert!(amount < scene.budget, "too much is unaccounted for already");

    let mut pipes = Pipes::default();
    pipes.add(amount);
    let start = Instant::now();
    let report = (0..3).find_map(|_| next_report(&mut daemon, &mut scan));
    let report = report.expect("a report");

    eprintln!(
        "sudden: reported {:.1} s after {} MiB went into pipes: {report}",
        start.elapsed().as_secs_f64(),
        pipes.held() >> 20,
    );
    assert!(report.contains("warning memleak: Possible sudden memory leak: "));
    assert!(report.contains("the exact accounting confirms it"));
}

#[test]
#[ignore = "needs root and 2 GiB of memory: cargo test --test integration live_leak:: -- --ignored"]
fn memory_that_comes_and_goes_is_accounted_for() {
    let scene = Scene::enter(14);
    let amount = scene.budget.min(2048 * MIB);
    let daemon = scene.daemon();
    let start = Instant::now();

    let churns: [(&str, Hold); 4] = [
        ("page cache", page_cache),
        ("tmpfs", tmpfs),
        ("mlock", locked),
        ("hugepages", hugepages),
    ];
    let figures = churns.map(|(name, fill_up)| (name, churn(&scene, amount, fill_up)));
    let seconds = start.elapsed().as_secs_f64();
    let last = scene.look();
    let (_, said) = daemon.terminate();
    let reports: Vec<_> = said
        .iter()
        .filter(|line| line.contains("Possible"))
        .collect();

    for (name, figure) in &figures {
        match figure {
            Some(churned) => eprintln!("{name}: {churned}"),
            None => eprintln!("{name}: left out, {NR_HUGEPAGES} gives no huge pages here"),
        }
    }
    eprintln!("{seconds:.1} s of churn, at the end {last:?}; reports: {reports:#?}");
    let moved_much = figures.iter().filter(|(_, figure)| {
        figure
            .as_ref()
            .is_some_and(|churned| churned.exact.unsigned_abs() * 100 > churned.amount)
    });
    assert_eq!(
        moved_much.count(),
        0,
        "more than 1 % of a workload is unaccounted for"
    );
    let is_confirmed = |line: &&&String| line.contains("confirms it") || line.contains("(level)");
    assert_eq!(
        reports.iter().filter(is_confirmed).count(),
        0,
        "{reports:#?}"
    );
    assert!(seconds >= 30.0);
}

/// By how much the accountings moved while memory came and went.
#[derive(Debug)]
struct Churned {
    amount: u64,
    classic: i64,
    exact: i64,
    /// In a single look.
    worst: i64,
    looks: usize,
    seconds: f64,
}

impl std::fmt::Display for Churned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "a share, for people")]
        let percent = self.exact as f64 * 100.0 / self.amount as f64;
        write!(
            f,
            "{} MiB, {} looks in {:.1} s: exact accounting moved by {} KiB ({percent:.3} %; {} KiB in the worst look), \
             classic formula by {} MiB",
            self.amount >> 20,
            self.looks,
            self.seconds,
            self.exact >> 10,
            self.worst >> 10,
            self.classic >> 20,
        )
    }
}

/// Holds about this much memory.
type Hold = fn(u64) -> Held;

/// Memory that is given back when this is dropped, and how much it is.
struct Held {
    amount: u64,
    _what: Box<dyn std::any::Any>,
}

/// Holds memory and gives it back for 8 s, looking on. Of the looks at each stage, which are spread over
/// more than half a second, the least counts: what an accounting misses stays missing. A virtual machine
/// that reports its free pages to the host takes up to 32 blocks (64 to 128 MiB) off the free lists, for
/// some milliseconds and again and again after much was freed; no file of the kernel says where they are.
fn churn(scene: &Scene, amount: u64, fill_up: Hold) -> Option<Churned> {
    const LOOKS: usize = 9;
    let start = Instant::now();
    let stage = || {
        let look = |_| {
            std::thread::sleep(Duration::from_millis(60));
            scene.look()
        };
        let mut seen: Vec<Seen> = (0..LOOKS).map(look).collect();
        seen.sort_by_key(|seen| seen.exact);
        seen
    };
    let before = stage()[0];
    let mut churned = Churned {
        amount,
        classic: 0,
        exact: 0,
        worst: 0,
        looks: 0,
        seconds: 0.0,
    };
    while start.elapsed() < Duration::from_secs(8) {
        let held = fill_up(amount);
        if held.amount == 0 {
            return None;
        }
        churned.amount = churned.amount.min(held.amount);
        let with = stage();
        drop(held);
        for seen in [with, stage()] {
            let moved = |seen: &Seen| (seen.exact - before.exact).abs();
            churned.exact = churned.exact.max(moved(&seen[0]));
            let worst = seen.iter().map(moved).max().unwrap_or_default();
            churned.worst = churned.worst.max(worst);
            let classic = seen[0].classic - before.classic;
            churned.classic = churned.classic.max(classic.abs());
            churned.looks += LOOKS;
        }
    }
    churned.seconds = start.elapsed().as_secs_f64();
    Some(churned)
}

fn fill(file: &mut File, amount: u64) {
    let chunk = vec![1; 1 << 20];
    for _ in 0..amount / MIB {
        file.write_all(&chunk).unwrap();
    }
}

/// In the build directory, which is hardly ever a tmpfs.
fn page_cache(amount: u64) -> Held {
    let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fill(&mut file, amount);
    let what = Box::new(file);
    Held {
        amount,
        _what: what,
    }
}

fn tmpfs(amount: u64) -> Held {
    let mut file = File::from(memfd_create("churn", MemfdFlags::CLOEXEC).unwrap());
    fill(&mut file, amount);
    let what = Box::new(file);
    Held {
        amount,
        _what: what,
    }
}

struct Locked(Vec<u8>);

impl Drop for Locked {
    fn drop(&mut self) {
        self.0 = Vec::new();
        munlockall().unwrap();
    }
}

/// With `mlockall`, because `mlock` takes a pointer.
fn locked(amount: u64) -> Held {
    mlockall(MlockAllFlags::FUTURE).unwrap();
    let what = Box::new(Locked(vec![1; usize::try_from(amount).unwrap()]));
    Held {
        amount,
        _what: what,
    }
}

/// As many as the kernel finds, or may be asked for.
fn hugepages(amount: u64) -> Held {
    let count = || {
        let text = fs::read_to_string(NR_HUGEPAGES).unwrap_or_default();
        text.trim().parse().unwrap_or(0_u64)
    };
    let size = meminfo("Hugepagesize");
    let before = count();
    let what = Box::new(Tuned::set(
        NR_HUGEPAGES,
        &(before + amount / size).to_string(),
    ));
    Held {
        amount: count().saturating_sub(before) * size,
        _what: what,
    }
}

//! Who holds kernel memory, on the real kernel: a child process takes some of each kind, and must be the first
//! that the comparison names. It gives everything back when it ends.
//!
//! Run as root, best on a machine that is idle: `cargo test --test integration live_evidence:: -- --ignored --nocapture`. It takes
//! half a minute, half a GiB, and the C compiler.
#![allow(
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "works on the live machine, and shows the figures"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::daemon::process::Home;
use adaptivemm_module_api::units::PageSize;
use agent_core::base::clock::Moment;
use agent_core::config::EvidenceBudget;
use agent_core::incidents::evidence::{
    Class, Comparison, Evidence, EvidenceRequest, Level, RawText, SourceStatus, Trigger,
};
use agent_core::kernel::{Meminfo, Root};
use serde_json::Value;

const MIB: u64 = 128;

/// What is held, and how the first explanation must begin.
const KINDS: [(&str, &str); 13] = [
    ("pipes", "pipes of hold"),
    ("small-pipes", "pipes of hold"),
    ("packet", "packet rings of hold"),
    ("tables", "page tables of hold"),
    ("threads", "threads of hold"),
    ("bpf-array", "BPF maps of hold"),
    ("bpf-percpu", "BPF maps of hold"),
    ("bpf-ring", "BPF maps of hold"),
    ("io_uring", "io_uring queues of hold"),
    ("registered", "buffers registered with io_uring of hold"),
    ("udp", "data in sockets of hold"),
    ("local", "other sockets of hold"),
    ("events", "eventpoll_epi"),
];

fn page_size() -> PageSize {
    PageSize::new(rustix::param::page_size() as u64).unwrap()
}

/// What memleak says of the machine now.
fn levels(home: &Home) -> Vec<Level> {
    for _ in 0..10 {
        let output = home.command(&["--once", "--json"]).output().unwrap();
        let all: Value = serde_json::from_slice(&output.stdout).unwrap();
        if all["snapshot"]["steady"].as_bool() == Some(true) {
            let metrics = &all["modules"]["memleak"]["metrics"];
            let level = |class: Class| {
                let bytes = metrics[class.metric()].as_i64()?;
                Some(Level { class, bytes })
            };
            return Class::ALL.into_iter().filter_map(level).collect();
        }
    }
    Vec::new()
}

fn take(levels: Vec<Level>, why: Trigger, wants_census: bool) -> (Evidence, Vec<RawText>) {
    Evidence::take(&EvidenceRequest {
        root: &Root::live(),
        page_size: page_size(),
        at: Moment {
            time: String::new(),
            uptime_ms: 0,
        },
        why,
        levels,
        budget: EvidenceBudget::default(),
        wants_census,
    })
}

fn holder() -> PathBuf {
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hold");
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/live_evidence/hold.c");
    let compiler = Command::new("cc")
        .args(["-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"])
        .args([&built, &source])
        .status();
    assert!(compiler.unwrap().success());
    built
}

fn hold(holder: &Path, what: &str) -> Child {
    let mut child = Command::new(holder)
        .args([what, &MIB.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut said)
        .unwrap();
    assert_eq!(said, "ready\n", "{what}");
    child
}

/// Waits until what was held is given back: the kernel frees much of it later, and what is freed during the
/// next trial would hide what grows.
fn settle(home: &Home, before: &Evidence) {
    let slack = i64::try_from(MIB << 20).unwrap() / 8;
    let is_back = |level: &Level| {
        let before = before.levels.get(&level.class);
        before.is_none_or(|before| level.bytes - before < slack)
    };
    for _ in 0..100 {
        if levels(home).iter().all(is_back) {
            return;
        }
    }
    eprintln!("what was held before has not been given back");
}

#[test]
#[ignore = "needs root and an idle machine: cargo test --test integration live_evidence:: -- --ignored"]
fn whoever_holds_the_memory_is_named_first() {
    assert!(rustix::process::geteuid().is_root(), "it needs root");
    let (home, holder) = (Home::new("", ""), holder());
    let mut named = 0;

    for (what, owner) in KINDS {
        let (before, _) = take(levels(&home), Trigger::Suspicion, false);
        let mut child = hold(&holder, what);
        let (after, _) = take(levels(&home), Trigger::Incident, false);
        drop(child.stdin.take());
        child.wait().unwrap();
        settle(&home, &before);

        let comparison = Comparison::between(&before, &after);
        let first = comparison.explanations.first();
        let is_named = first.is_some_and(|first| first.owner.starts_with(owner));
        named += usize::from(is_named);
        eprintln!(
            "{what}: {} of {} MiB unexplained{}",
            comparison.unexplained_bytes >> 20,
            comparison.growth_bytes >> 20,
            if is_named { "" } else { ", WRONG" }
        );
        for line in comparison.explanations.iter().take(4) {
            eprintln!(
                "    {:.1} % {} [{}, {:?}] by {}",
                line.share_percent,
                line.owner,
                line.class.name(),
                line.certainty,
                line.source
            );
        }
    }

    eprintln!("{named} of {} named first", KINDS.len());
    assert!(named * 10 >= KINDS.len() * 9);
}

#[test]
#[ignore = "needs root and an idle machine: cargo test --test integration live_evidence:: -- --ignored"]
fn evidence_is_cheap_and_small() {
    let _warm = take(Vec::new(), Trigger::Incident, false);
    let (evidence, raw) = take(Vec::new(), Trigger::Incident, false);
    let written = serde_json::to_string(&evidence).unwrap();

    for seen in &evidence.sources {
        let state = match &seen.standing {
            SourceStatus::Read => format!("{} owners", seen.held.len()),
            SourceStatus::Absent { why } => format!("absent: {why}"),
            SourceStatus::Failed { why } => format!("failed: {why}"),
            SourceStatus::Cut { why } => format!("{} owners, cut: {why}", seen.held.len()),
            SourceStatus::Denied { why } => format!("{} owners, denied: {why}", seen.held.len()),
        };
        eprintln!("{:>7} us {}: {state}", seen.cpu_us, seen.kind.file());
    }
    let raw: usize = raw.iter().map(|raw| raw.text.len()).sum();
    let cpu = evidence.taken.cpu_us;
    eprintln!(
        "{cpu} us, {} KiB read, {} KiB as JSON, {} KiB of raw text",
        evidence.taken.read_bytes >> 10,
        written.len() >> 10,
        raw >> 10
    );
    assert!(cpu < 125_000 && evidence.taken.read_bytes < 4 << 20 && written.len() < 64 << 10);
    assert!(raw <= 8 << 20);
}

#[test]
#[ignore = "needs root: cargo test --test integration live_evidence:: -- --ignored"]
fn a_census_looks_at_every_page() {
    assert!(rustix::process::geteuid().is_root(), "it needs root");
    let (evidence, _) = take(Vec::new(), Trigger::Incident, true);

    let census = evidence.sources.last().unwrap();
    let text = fs::read_to_string("/proc/meminfo").unwrap();
    let meminfo: Meminfo = text.parse().unwrap();
    let bytes = |key| meminfo.bytes(key).unwrap().get();
    let lost: u64 = census.held.iter().map(|held| held.bytes).sum();
    eprintln!(
        "{} MiB in {} us: {:?}",
        bytes("MemTotal") >> 20,
        census.cpu_us,
        census.held
    );
    assert_eq!(census.standing, SourceStatus::Read);
    // Pages of vmalloc have no flags.
    assert!((bytes("VmallocUsed")..bytes("MemTotal")).contains(&lost));
}

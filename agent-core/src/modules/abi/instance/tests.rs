//! What a module sees of a machine does not depend on where it runs.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adaptivemm_module_api::units::{PageSize, Uptime};
use adaptivemm_module_api::{
    Action, Config, ConfigProblems, Info, Meminfo, Module, Need, Out, ScanError, Vmstat,
    declaration_of,
};

use super::*;
use crate::kernel::trace::{Frame, Reader};
use crate::kernel::{Received, Recorded, Root, Sampler, Wanted, WireSnapshot};

const WSF: &str = "vm.watermark_scale_factor";
const FILE: &str = "/proc/pressure/memory";

thread_local! {
    /// All that the witness saw in the last scan.
    static SEEN: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Needs everything, and notes what it is given.
struct Witness;

impl Module for Witness {
    const INFO: Info = Info {
        needs: &[
            Need::MEMINFO,
            Need::VMSTAT,
            Need::ZONEINFO,
            Need::BUDDYINFO,
            Need::HUGEPAGES,
            Need::NODE_MEMINFO,
            Need::file(FILE),
        ],
        writes: &[Action::set(WSF)],
        ..Info::new("witness", "1", "Sees everything")
    };

    fn create(_config: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self)
    }

    fn scan(
        &mut self,
        snapshot: &adaptivemm_module_api::Snapshot<'_>,
        _out: &mut Out<'_>,
    ) -> Result<(), ScanError> {
        SEEN.set(described(snapshot).unwrap());
        Ok(())
    }
}

/// Needs one file.
struct Narrow;

impl Module for Narrow {
    const INFO: Info = Info {
        needs: &[Need::VMSTAT],
        ..Info::new("narrow", "1", "Sees little")
    };

    fn create(_config: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self)
    }

    fn scan(
        &mut self,
        snapshot: &adaptivemm_module_api::Snapshot<'_>,
        _out: &mut Out<'_>,
    ) -> Result<(), ScanError> {
        SEEN.set(described(snapshot).unwrap());
        Ok(())
    }
}

fn of_meminfo<'a>(meminfo: &Meminfo<'a>) -> Vec<(&'a str, u64)> {
    let memory = meminfo.iter().map(|(key, bytes)| (key, bytes.get()));
    memory.chain(meminfo.counts()).collect()
}

fn of_vmstat<'a>(vmstat: &Vmstat<'a>) -> Vec<(&'a str, u64)> {
    vmstat.iter().collect()
}

fn described(snapshot: &adaptivemm_module_api::Snapshot<'_>) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let (scan, uptime) = (snapshot.scan(), snapshot.uptime());
    let (period, page_size) = (snapshot.period(), snapshot.page_size());
    let steady = snapshot.is_steady();
    writeln!(text, "{scan} {uptime:?} {period:?} {page_size:?} {steady}")?;
    writeln!(
        text,
        "meminfo {:?}",
        snapshot.meminfo().map(|meminfo| of_meminfo(&meminfo))
    )?;
    writeln!(
        text,
        "vmstat {:?}",
        snapshot.vmstat().map(|vmstat| of_vmstat(&vmstat))
    )?;
    match snapshot.zones() {
        Err(error) => writeln!(text, "{error}")?,
        Ok(zones) => {
            for zone in zones {
                let (name, node) = (zone.name, zone.node);
                let sizes = [zone.spanned, zone.present, zone.managed, zone.cma];
                let marks = [zone.boost, zone.min, zone.low, zone.high];
                let free = (zone.free, zone.per_cpu);
                let blocks = zone.free_blocks().map(Iterator::collect::<Vec<u64>>);
                writeln!(
                    text,
                    "{name} {node} {sizes:?} {marks:?} {free:?} {blocks:?}"
                )?;
                writeln!(text, "{:?}", of_vmstat(&zone.counters()))?;
            }
        }
    }
    match snapshot.nodes() {
        Err(error) => writeln!(text, "{error}")?,
        Ok(nodes) => {
            for node in nodes {
                let meminfo = node.meminfo().map(|meminfo| of_meminfo(&meminfo));
                let stats = node.stats().map(|vmstat| of_vmstat(&vmstat));
                writeln!(text, "node {} {meminfo:?} {stats:?}", node.id)?;
            }
        }
    }
    let pools = snapshot.hugepages().map(Iterator::collect::<Vec<_>>);
    writeln!(text, "{pools:?} {:?}", snapshot.tunable(WSF))?;
    for path in [
        FILE,
        "/proc/meminfo",
        "/proc/vmstat",
        "/proc/zoneinfo",
        "/proc/buddyinfo",
    ] {
        let content = snapshot.file(path).map(String::from_utf8_lossy);
        writeln!(text, "{path} {content:?}")?;
    }
    Ok(text)
}

/// A module, in two instances: one is given snapshots as they are, one as they come to another process.
struct Twins {
    direct: Instance,
    apart: Instance,
    wanted: Wanted,
    received: Received,
}

impl Twins {
    fn of<M: Module>() -> Self {
        let module = Exported::of(&declaration_of::<M>().declaration).unwrap();
        let create = || Instance::create(&module, &[], Permit::default(), &[]).unwrap();
        Self {
            direct: create(),
            apart: create(),
            wanted: module.description.wanted(),
            received: Received::default(),
        }
    }

    /// What it sees, if that is the same.
    fn see(&mut self, snapshot: &Snapshot, machine: &str) -> String {
        let seen = |instance: &mut Instance, snapshot: &Snapshot| {
            assert_eq!(
                instance.scan(snapshot, &mut ModuleOutput::default()),
                CallResult::Good
            );
            SEEN.take()
        };
        let carried =
            postcard::to_stdvec(&WireSnapshot::from_snapshot(snapshot, &self.wanted)).unwrap();
        self.received.take(&postcard::from_bytes(&carried).unwrap());

        let direct = seen(&mut self.direct, snapshot);
        let apart = seen(&mut self.apart, self.received.snapshot());

        assert_eq!(apart, direct, "{machine}");
        direct
    }
}

fn below_tests(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests")
        .join(folder);
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn everything() -> Wanted {
    let mut wanted = Wanted::everything();
    wanted.add_file(FILE);
    wanted
}

#[test]
fn every_recorded_machine_looks_the_same_from_another_process() {
    // Kept from machine to machine: what it remembers of the last must not matter.
    let mut all = [Twins::of::<Witness>(), Twins::of::<Narrow>()];
    let mut machines = 0;
    for tree in below_tests("machines") {
        if !tree.is_dir() {
            continue;
        }
        machines += 1;
        let name = tree.display().to_string();
        let mut sampler = Sampler::new(Root::Directory(tree), everything(), None);
        for scan in 1..3 {
            let now = Uptime(Duration::from_millis(scan * 1500));
            let snapshot = sampler.take(now, Duration::from_secs(30));
            let seen = all.each_mut().map(|twins| twins.see(&snapshot, &name));
            assert!(seen[0].starts_with(&format!("{scan} ")), "{seen:?}");
        }
    }
    assert!(machines >= 10, "{machines}");
}

#[test]
fn every_frame_of_a_trace_looks_the_same_from_another_process() {
    let mut frames = 0;
    for path in below_tests("traces") {
        if path
            .extension()
            .is_none_or(|extension| extension != "jsonl")
        {
            continue;
        }
        let mut all = [Twins::of::<Witness>(), Twins::of::<Narrow>()];
        let mut trace = Reader::open(&path).unwrap();
        let page_size = trace.header().page_size.and_then(PageSize::new);
        let root = Root::Recorded(Recorded::new());
        let mut sampler = Sampler::new(root, everything(), page_size);
        while let Some(frame) = trace.next_frame().unwrap() {
            frames += 1;
            sampler.apply(&frame);
            let snapshot =
                sampler.take(Uptime(Duration::from_secs(frames)), Duration::from_secs(30));
            for twins in &mut all {
                twins.see(&snapshot, &path.display().to_string());
            }
        }
    }
    assert!(frames > 30, "{frames}");
}

#[test]
fn a_machine_that_can_be_read_is_seen_in_full() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/machines/kernel-6.18");
    let mut sampler = Sampler::new(Root::Directory(tree), everything(), None);
    let snapshot = sampler.take(Uptime(Duration::from_secs(1)), Duration::from_secs(30));

    let seen = Twins::of::<Witness>().see(&snapshot, "kernel-6.18");

    for part in [
        "meminfo Ok([(\"MemTotal\"",
        "vmstat Ok([(\"nr_",
        "Normal 0 [",
        "node 0 ",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
}

#[test]
fn whose_value_a_tunable_has_is_seen_from_another_process_too() {
    let mut sampler = Sampler::new(Root::Recorded(Recorded::new()), everything(), None);
    let scale = ("proc/sys/vm/watermark_scale_factor", "10\n");
    let (path, text) = (scale.0.to_owned(), Some(scale.1.to_owned()));
    sampler.apply(&Frame {
        t_ms: 0,
        files: [(path, text)].into(),
    });
    let mut twins = Twins::of::<Witness>();
    let mut see = |original, yielded| {
        let period = Duration::from_secs(30);
        let snapshot = sampler.take_with(Uptime(period), period, |snapshot| {
            for tunable in &mut snapshot.tunables {
                tunable.original = original;
                tunable.yielded = yielded;
            }
        });
        let seen = twins.see(&snapshot, "one tunable");
        let line = seen.lines().find(|line| line.contains("Tunable"));
        let (_, tunable) = line.unwrap().split_once("Ok(Tunable ").unwrap();
        tunable.to_owned()
    };

    let original = "{ value: 10, original: 10, is_yielded: false })";
    assert_eq!(see(None, false), original);
    assert_eq!(
        see(Some(7), true),
        "{ value: 10, original: 7, is_yielded: true })"
    );
    assert_eq!(see(Some(10), false), original);
}

//! A machine in the shape of the C interface.

use core::time::Duration;
use std::borrow::Cow;
use std::fmt::Write as _;

use super::machine::{Counters, Machine, Zone};
use crate::abi::{
    self, NEED_BUDDYINFO as BUDDYINFO, NEED_HUGEPAGES as HUGEPAGES, NEED_MEMINFO as MEMINFO,
    NEED_NODE_MEMINFO as NODES, NEED_VMSTAT as VMSTAT, NEED_ZONEINFO as ZONEINFO, Seq, Str,
};
use crate::units::Pages;

/// The arrays that a machine is lent in: what this module may see of it, and nothing else.
pub(super) struct Lent<'a> {
    machine: &'a Machine,
    meminfo: Option<Vec<abi::Counter>>,
    vmstat: Option<Vec<abi::Counter>>,
    zones: Option<Vec<abi::Zone>>,
    nodes: Option<Vec<abi::Node>>,
    hugepages: Option<Vec<abi::Hugepages>>,
    tunables: Vec<abi::Tunable>,
    files: Vec<abi::File>,
    /// What zones and nodes point to.
    _counters: Vec<Vec<abi::Counter>>,
    /// What files point to.
    _texts: Vec<Cow<'a, [u8]>>,
}

impl<'a> Lent<'a> {
    pub(super) fn new(machine: &'a Machine, needs: &'a [String], writes: &[String]) -> Self {
        let view = View { machine, needs };
        let mut counters = Vec::new();
        let mut texts = Vec::new();
        Self {
            machine,
            meminfo: view.counters(MEMINFO, machine.meminfo.as_ref()),
            vmstat: view.counters(VMSTAT, machine.vmstat.as_ref()),
            zones: view.zones(&mut counters),
            nodes: view.nodes(&mut counters),
            hugepages: view.hugepages(),
            tunables: tunables(machine, writes),
            files: view.files(&mut texts),
            _counters: counters,
            _texts: texts,
        }
    }

    /// Points to the arrays, which live as long as `self`.
    pub(super) fn snapshot(&self, scan: u64) -> abi::Snapshot {
        let machine = self.machine;
        let flags = if machine.is_steady {
            0
        } else {
            abi::SNAPSHOT_UNSTEADY
        };
        abi::Snapshot {
            struct_size: abi::size_of_u32::<abi::Snapshot>(),
            flags,
            scan,
            uptime_ns: nanoseconds(machine.uptime),
            period_ns: nanoseconds(machine.period),
            page_size: machine.page_size.bytes().get(),
            meminfo: seq(self.meminfo.as_ref()),
            vmstat: seq(self.vmstat.as_ref()),
            zones: seq(self.zones.as_ref()),
            nodes: seq(self.nodes.as_ref()),
            hugepages: seq(self.hugepages.as_ref()),
            tunables: Seq::new(&self.tunables),
            files: Seq::new(&self.files),
        }
    }
}

/// A machine as far as a module asked for it.
#[derive(Clone, Copy)]
struct View<'a> {
    machine: &'a Machine,
    needs: &'a [String],
}

impl<'a> View<'a> {
    /// Whether the module asked for this file and the machine can read it.
    fn sees(self, path: &str) -> bool {
        let is_unreadable = matches!(self.machine.files.get(path), Some(Err(_)));
        self.needs.iter().any(|need| need == path) && !is_unreadable
    }

    fn counters(self, path: &str, counters: Option<&Counters>) -> Option<Vec<abi::Counter>> {
        counters.filter(|_| self.sees(path)).map(raw_counters)
    }

    fn zones(self, counters: &mut Vec<Vec<abi::Counter>>) -> Option<Vec<abi::Zone>> {
        let zones = self.machine.zones.as_ref();
        let zones = zones.filter(|_| self.sees(ZONEINFO))?;
        let has_blocks = self.sees(BUDDYINFO);
        let mut raw = |zone: &Zone| {
            let blocks = zone.free_blocks.as_ref().filter(|_| has_blocks);
            abi::Zone {
                counters: kept(counters, Some(&zone.counters)),
                free_blocks: seq(blocks.filter(|blocks| !blocks.is_empty())),
                ..numbers(zone)
            }
        };
        Some(zones.iter().map(&mut raw).collect())
    }

    fn nodes(self, counters: &mut Vec<Vec<abi::Counter>>) -> Option<Vec<abi::Node>> {
        let (has_stats, has_meminfo) = (self.sees(ZONEINFO), self.sees(NODES));
        let mut nodes = Vec::new();
        for (&id, node) in &self.machine.nodes {
            let stats = node.stats.as_ref().filter(|_| has_stats);
            let meminfo = node.meminfo.as_ref().filter(|_| has_meminfo);
            if stats.is_some() || meminfo.is_some() {
                nodes.push(abi::Node {
                    id,
                    meminfo_errno: 0,
                    meminfo: kept(counters, meminfo),
                    stats: kept(counters, stats),
                });
            }
        }
        let has_zones = has_stats && self.machine.zones.is_some();
        (has_zones || !nodes.is_empty()).then_some(nodes)
    }

    fn hugepages(self) -> Option<Vec<abi::Hugepages>> {
        let pools = self.machine.hugepages.iter();
        let raw = pools.map(|pool| abi::Hugepages {
            size: pool.size.get(),
            count: pool.count,
        });
        let is_there = self.sees(HUGEPAGES) && !self.machine.hugepages.is_empty();
        is_there.then(|| raw.collect())
    }

    /// Every one of the `needs`, in that order.
    fn files(self, texts: &mut Vec<Cow<'a, [u8]>>) -> Vec<abi::File> {
        let mut files = Vec::new();
        for path in self.needs {
            let (errno, text) = match text_of(self.machine, path) {
                Ok(text) => (0, text),
                Err(errno) => (errno, Cow::Borrowed(&[][..])),
            };
            files.push(abi::File {
                path: Str::new(path),
                errno,
                pad: 0,
                content: Str::of_bytes(&text),
            });
            // An owned text keeps its place when the value moves.
            texts.push(text);
        }
        files
    }
}

/// The zone with its own numbers, and nothing that is in arrays.
fn numbers(zone: &Zone) -> abi::Zone {
    let mut missing = 0;
    let mut pages = |pages: Option<Pages>, absent| {
        if pages.is_none() {
            missing |= absent;
        }
        pages.unwrap_or_default().get()
    };
    let raw = abi::Zone {
        name: Str::new(&zone.name),
        node: zone.node,
        missing: 0,
        free: pages(zone.free, abi::ZONE_NO_FREE),
        boost: pages(zone.boost, abi::ZONE_NO_BOOST),
        min: pages(zone.min, abi::ZONE_NO_MIN),
        low: pages(zone.low, abi::ZONE_NO_LOW),
        high: pages(zone.high, abi::ZONE_NO_HIGH),
        spanned: pages(zone.spanned, abi::ZONE_NO_SPANNED),
        present: pages(zone.present, abi::ZONE_NO_PRESENT),
        managed: pages(zone.managed, abi::ZONE_NO_MANAGED),
        cma: pages(zone.cma, abi::ZONE_NO_CMA),
        per_cpu: pages(zone.per_cpu, abi::ZONE_NO_PER_CPU),
        counters: Seq::ABSENT,
        free_blocks: Seq::ABSENT,
    };
    abi::Zone { missing, ..raw }
}

fn seq<T>(elements: Option<&Vec<T>>) -> Seq<T> {
    elements.map_or(Seq::ABSENT, |elements| Seq::new(elements))
}

/// The counters as an array that `place` keeps alive.
fn kept(place: &mut Vec<Vec<abi::Counter>>, counters: Option<&Counters>) -> Seq<abi::Counter> {
    let Some(counters) = counters else {
        return Seq::ABSENT;
    };
    let raw = raw_counters(counters);
    // The elements keep their place when the vector that owns them moves.
    let seq = Seq::new(&raw);
    place.push(raw);
    seq
}

fn raw_counters(counters: &Counters) -> Vec<abi::Counter> {
    let raw = |(key, value): &(String, u64)| abi::Counter {
        key: Str::new(key),
        value: *value,
    };
    counters.iter().map(raw).collect()
}

/// All that the module may change, but for the actions.
fn tunables(machine: &Machine, writes: &[String]) -> Vec<abi::Tunable> {
    let names = writes
        .iter()
        .filter(|name| *name != abi::ACTION_COMPACT_NODE);
    names.map(|name| tunable(machine, name)).collect()
}

fn tunable(machine: &Machine, name: &str) -> abi::Tunable {
    let known = machine.tunables.iter().find(|(known, _)| known == name);
    let found = match (machine.files.get(name), known) {
        (Some(Err(errno)), _) => Err(*errno),
        (_, Some((_, tunable))) => Ok(tunable),
        (_, None) => Err(abi::ENOENT),
    };
    let is_yielded = found.is_ok_and(|tunable| tunable.is_yielded);
    abi::Tunable {
        name: Str::new(name),
        value: found.map_or(0, |tunable| tunable.value),
        original: found.map_or(0, |tunable| tunable.original),
        flags: if is_yielded { abi::TUNABLE_YIELDED } else { 0 },
        errno: found.err().unwrap_or_default(),
    }
}

/// What a file holds. Counters that were given make up a text that fits.
fn text_of<'a>(machine: &'a Machine, path: &str) -> Result<Cow<'a, [u8]>, i32> {
    match (machine.files.get(path), path) {
        (Some(Ok(text)), _) => Ok(Cow::Borrowed(text)),
        (Some(Err(errno)), _) => Err(*errno),
        (None, MEMINFO) => printed(machine.meminfo.as_ref().map(printed_meminfo)),
        (None, VMSTAT) => printed(machine.vmstat.as_ref().map(printed_vmstat)),
        (None, ZONEINFO) => printed(machine.zones.is_some().then(String::new)),
        (None, BUDDYINFO) => printed(machine.has_free_blocks().then(String::new)),
        (None, HUGEPAGES) => printed((!machine.hugepages.is_empty()).then(String::new)),
        (None, NODES) => printed(machine.has_node_meminfo().then(String::new)),
        (None, _) => Err(abi::ENOENT),
    }
}

fn printed<'a>(text: Option<String>) -> Result<Cow<'a, [u8]>, i32> {
    let bytes = text.map(String::into_bytes);
    bytes.map(Cow::Owned).ok_or(abi::ENOENT)
}

fn printed_meminfo(counters: &Counters) -> String {
    let mut text = String::new();
    for (key, value) in counters {
        let label = format!("{key}:");
        // Writing to a string cannot fail.
        let _ = if key.starts_with("HugePages_") {
            writeln!(text, "{label:<16}{value:>8}")
        } else {
            writeln!(text, "{label:<16}{:>8} kB", value / 1024)
        };
    }
    text
}

fn printed_vmstat(counters: &Counters) -> String {
    let lines = counters
        .iter()
        .map(|(key, value)| format!("{key} {value}\n"));
    lines.collect()
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

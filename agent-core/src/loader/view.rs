//! A snapshot as a module may see it: what it asked for, in the shape of the C interface.

use adaptivemm_module_api::abi::{self, Seq, Str};

use super::Description;
use crate::sampler::snapshot::{Reading, Snapshot};
use crate::sampler::{Wanted, Zoneinfo};

/// The arrays that a snapshot is lent in; reused from scan to scan.
///
/// A module sees what it asked for even if another module asked for more: what it concludes must not
/// depend on its company.
#[derive(Debug)]
pub(super) struct View {
    wanted: Wanted,
    paths: Vec<String>,
    meminfo: Vec<abi::Counter>,
    vmstat: Vec<abi::Counter>,
    zones: Vec<abi::Zone>,
    nodes: Vec<abi::Node>,
    /// Counters of zones and nodes; they point here, so it is filled before them.
    counters: Vec<abi::Counter>,
    free_blocks: Vec<u64>,
    hugepages: Vec<abi::Hugepages>,
    tunables: Vec<abi::Tunable>,
    files: Vec<abi::File>,
}

impl View {
    pub(super) fn new(module: &Description) -> Self {
        let wanted = module.wanted();
        Self {
            wanted,
            paths: module.needs.clone(),
            meminfo: Vec::new(),
            vmstat: Vec::new(),
            zones: Vec::new(),
            nodes: Vec::new(),
            counters: Vec::new(),
            free_blocks: Vec::new(),
            hugepages: Vec::new(),
            tunables: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Lends the snapshot to `call`.
    pub(super) fn lend<R>(
        &mut self,
        snapshot: &Snapshot,
        call: impl FnOnce(*const abi::Snapshot) -> R,
    ) -> R {
        self.fill(snapshot);
        let nanoseconds =
            |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let absent_unless = |there: bool, seq| if there { seq } else { Seq::ABSENT };
        let raw = abi::Snapshot {
            struct_size: abi::size_of_u32::<abi::Snapshot>(),
            flags: if snapshot.steady {
                0
            } else {
                abi::SNAPSHOT_UNSTEADY
            },
            scan: snapshot.scan,
            uptime_ns: nanoseconds(snapshot.uptime.0),
            period_ns: nanoseconds(snapshot.period),
            page_size: snapshot.page_size.bytes().get(),
            meminfo: absent_unless(
                self.wanted.meminfo && snapshot.meminfo.get().is_some(),
                Seq::new(&self.meminfo),
            ),
            vmstat: absent_unless(
                self.wanted.vmstat && snapshot.vmstat.get().is_some(),
                Seq::new(&self.vmstat),
            ),
            zones: if self.wanted.zoneinfo && snapshot.zoneinfo.get().is_some() {
                Seq::new(&self.zones)
            } else {
                Seq::ABSENT
            },
            nodes: Seq::new(&self.nodes),
            hugepages: if self.wanted.hugepages
                && snapshot
                    .hugepages
                    .iter()
                    .all(|pool| pool.file.get().is_some())
            {
                Seq::new(&self.hugepages)
            } else {
                Seq::ABSENT
            },
            tunables: Seq::new(&self.tunables),
            files: Seq::new(&self.files),
        };
        call(&raw const raw)
    }

    fn fill(&mut self, snapshot: &Snapshot) {
        self.meminfo.clear();
        if let Some(meminfo) = snapshot.meminfo.get().filter(|_| self.wanted.meminfo) {
            self.meminfo.extend(meminfo.iter().map(counter));
        }
        self.vmstat.clear();
        if let Some(vmstat) = snapshot.vmstat.get().filter(|_| self.wanted.vmstat) {
            self.vmstat.extend(vmstat.iter().map(counter));
        }
        self.fill_counters(snapshot);
        self.fill_zones(snapshot);
        self.fill_nodes(snapshot);
        self.hugepages.clear();
        let wanted = self.wanted.hugepages;
        let pools = snapshot.hugepages.iter().filter(|_| wanted);
        self.hugepages.extend(pools.map(|pool| abi::Hugepages {
            size: pool.size.get(),
            count: pool.count,
        }));
        self.tunables.clear();
        let mine = |name| self.wanted.tunables.iter().any(|knob| knob.name == name);
        let tunables = snapshot
            .tunables
            .iter()
            .filter(|tunable| mine(tunable.name));
        self.tunables.extend(tunables.filter_map(|t| {
            Some(abi::Tunable {
                name: Str::new(t.name),
                value: t.value?,
                original: t.original.or(t.value)?,
                flags: if t.yielded { abi::TUNABLE_YIELDED } else { 0 },
                pad: 0,
            })
        }));
        self.fill_files(snapshot);
    }

    /// The counters of zones and nodes, and the free blocks, one after another: they are cut into
    /// arrays once they no longer move.
    fn fill_counters(&mut self, snapshot: &Snapshot) {
        self.counters.clear();
        self.free_blocks.clear();
        if let Some(zoneinfo) = snapshot.zoneinfo.get().filter(|_| self.wanted.zoneinfo) {
            for zone in zoneinfo.zones() {
                self.counters.extend(zone.counters().map(counter));
            }
            for node in zoneinfo.nodes() {
                self.counters.extend(node.stats().map(counter));
            }
        }
        for node in snapshot.nodes.iter().filter(|_| self.wanted.node_meminfo) {
            self.counters.extend(
                node.file
                    .get()
                    .into_iter()
                    .flat_map(|meminfo| meminfo.iter().map(counter)),
            );
        }
        if let Some(buddyinfo) = snapshot.buddyinfo.get().filter(|_| self.wanted.buddyinfo) {
            for (_, _, counts) in buddyinfo.zones() {
                self.free_blocks.extend(counts);
            }
        }
    }

    fn fill_zones(&mut self, snapshot: &Snapshot) {
        self.zones.clear();
        let Some(zoneinfo) = snapshot.zoneinfo.get().filter(|_| self.wanted.zoneinfo) else {
            return;
        };
        let mut counters = self.counters.as_slice();
        for zone in zoneinfo.zones() {
            let (own, rest) = counters.split_at(zone.counters().len());
            counters = rest;
            let pages = |pages: Option<adaptivemm_module_api::units::Pages>| {
                pages.unwrap_or_default().get()
            };
            self.zones.push(abi::Zone {
                name: Str::new(zone.name()),
                node: zone.node(),
                pad: 0,
                free: pages(zone.free()),
                boost: pages(zone.boost()),
                min: pages(zone.min()),
                low: pages(zone.low()),
                high: pages(zone.high()),
                spanned: pages(zone.spanned()),
                present: pages(zone.present()),
                managed: pages(zone.managed()),
                cma: pages(zone.cma()),
                per_cpu: zone.per_cpu().get(),
                counters: Seq::new(own),
                free_blocks: Seq::ABSENT,
            });
        }
        self.place_free_blocks(snapshot);
    }

    /// Gives every zone its row of buddyinfo, which has the zones in the same order, but only those
    /// that are populated.
    fn place_free_blocks(&mut self, snapshot: &Snapshot) {
        let Some(buddyinfo) = snapshot.buddyinfo.get().filter(|_| self.wanted.buddyinfo) else {
            return;
        };
        let zones = snapshot
            .zoneinfo
            .get()
            .into_iter()
            .flat_map(Zoneinfo::zones);
        let mut zones = zones.zip(&mut self.zones);
        let mut blocks = self.free_blocks.as_slice();
        for (node, name, counts) in buddyinfo.zones() {
            let (row, rest) = blocks.split_at(counts.len());
            blocks = rest;
            if let Some((_, zone)) =
                zones.find(|(zone, _)| (zone.node(), zone.name()) == (node, name))
            {
                zone.free_blocks = Seq::new(row);
            }
        }
    }

    fn fill_nodes(&mut self, snapshot: &Snapshot) {
        self.nodes.clear();
        let mut counters = self.counters.as_slice();
        if let Some(zoneinfo) = snapshot.zoneinfo.get().filter(|_| self.wanted.zoneinfo) {
            let of_zones = zoneinfo.zones().map(|zone| zone.counters().len()).sum();
            counters = &counters[of_zones..];
            for node in zoneinfo.nodes() {
                let (own, rest) = counters.split_at(node.stats().len());
                counters = rest;
                self.nodes.push(abi::Node {
                    id: node.id(),
                    pad: 0,
                    meminfo: Seq::ABSENT,
                    stats: Seq::new(own),
                });
            }
        }
        for node in snapshot.nodes.iter().filter(|_| self.wanted.node_meminfo) {
            let Some(meminfo) = node.file.get() else {
                continue;
            };
            let (own, rest) = counters.split_at(meminfo.iter().count());
            counters = rest;
            match self.nodes.iter_mut().find(|known| known.id == node.id) {
                Some(known) => known.meminfo = Seq::new(own),
                None => self.nodes.push(abi::Node {
                    id: node.id,
                    pad: 0,
                    meminfo: Seq::new(own),
                    stats: Seq::ABSENT,
                }),
            }
        }
        self.nodes.sort_unstable_by_key(|node| node.id);
    }

    fn fill_files(&mut self, snapshot: &Snapshot) {
        fn file<T>(reading: &Reading<T>) -> abi::File {
            let errno = reading
                .result
                .as_ref()
                .err()
                .map_or(0, crate::sampler::ReadError::errno);
            abi::File {
                path: Str::new(&reading.path),
                errno,
                pad: 0,
                content: Str::of_bytes(reading.text.bytes()),
            }
        }
        self.files.clear();
        for path in &self.paths {
            match path.as_str() {
                "/proc/meminfo" => self.files.push(file(&snapshot.meminfo)),
                "/proc/vmstat" => self.files.push(file(&snapshot.vmstat)),
                "/proc/zoneinfo" => self.files.push(file(&snapshot.zoneinfo)),
                "/proc/buddyinfo" => self.files.push(file(&snapshot.buddyinfo)),
                path => self.files.extend(
                    snapshot
                        .files
                        .iter()
                        .find(|reading| reading.path == path)
                        .map(file),
                ),
            }
        }
    }
}

fn counter((key, value): (&str, u64)) -> abi::Counter {
    abi::Counter {
        key: Str::new(key),
        value,
    }
}

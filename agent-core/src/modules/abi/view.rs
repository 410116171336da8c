//! A snapshot as a module may see it: what it asked for, in the shape of the C interface.

use adaptivemm_module_api::abi::{self, Seq, Str};
use adaptivemm_module_api::units::Pages;

use super::Description;
use crate::kernel::snapshot::{Reading, Snapshot};
use crate::kernel::{Wanted, Zoneinfo};

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
        Self::blank(module.wanted(), module.needs.clone())
    }

    /// Without a snapshot yet.
    fn blank(wanted: Wanted, paths: Vec<String>) -> Self {
        Self {
            wanted,
            paths,
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
            let mut missing = 0;
            let mut pages = |pages: Option<Pages>, absent| {
                if pages.is_none() {
                    missing |= absent;
                }
                pages.unwrap_or_default().get()
            };
            let mut raw = abi::Zone {
                name: Str::new(zone.name()),
                node: zone.node(),
                missing: 0,
                free: pages(zone.free(), abi::ZONE_NO_FREE),
                boost: pages(zone.boost(), abi::ZONE_NO_BOOST),
                min: pages(zone.min(), abi::ZONE_NO_MIN),
                low: pages(zone.low(), abi::ZONE_NO_LOW),
                high: pages(zone.high(), abi::ZONE_NO_HIGH),
                spanned: pages(zone.spanned(), abi::ZONE_NO_SPANNED),
                present: pages(zone.present(), abi::ZONE_NO_PRESENT),
                managed: pages(zone.managed(), abi::ZONE_NO_MANAGED),
                cma: pages(zone.cma(), abi::ZONE_NO_CMA),
                per_cpu: zone.per_cpu().get(),
                counters: Seq::new(own),
                free_blocks: Seq::ABSENT,
            };
            raw.missing = missing;
            self.zones.push(raw);
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
                .map_or(0, crate::kernel::ReadError::errno);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use adaptivemm_module_api::units::Uptime;

    use super::*;
    use crate::kernel::{Root, Sampler};

    #[test]
    fn what_a_kernel_does_not_print_for_a_zone_is_absent_and_what_it_prints_as_zero_is_not() {
        let text = "Node 0, zone   Normal\n  pages free     3960\n        boost    0\n        min      10\n        \
                    low      20\n        high     30\n        spanned  4095\n        present  0\n        managed  3840\n";
        let wanted = Wanted {
            zoneinfo: true,
            ..Wanted::default()
        };
        let files = [("proc/zoneinfo".to_owned(), text.as_bytes().to_vec())];
        let root = Root::Recorded(files.into_iter().collect());
        let snapshot = Sampler::new(root, wanted.clone(), None)
            .take(Uptime::default(), Duration::from_secs(30));
        let mut view = View::blank(wanted, Vec::new());

        view.fill(&snapshot);

        let zone = view.zones[0];
        assert_eq!(zone.missing, abi::ZONE_NO_CMA);
        assert_eq!((zone.cma, zone.boost, zone.free), (0, 0, 3960));
    }
}

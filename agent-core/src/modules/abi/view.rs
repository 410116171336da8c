//! A snapshot as a module may see it: what it asked for, in the shape of the C interface.

use adaptivemm_module_api::abi::{self, Seq, Str};
use adaptivemm_module_api::units::Pages;

use super::Description;
use crate::kernel::snapshot::{Reading, Snapshot};
use crate::kernel::{ReadError, Wanted, Zoneinfo};

/// The arrays that a snapshot is lent in; reused from scan to scan.
///
/// A module sees what it asked for even if another module asked for more: what it concludes must not
/// depend on its company.
#[derive(Debug)]
pub(super) struct View {
    wanted: Wanted,
    needs: Vec<String>,
    writes: Vec<String>,
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
        let mut writes = module.writes.clone();
        writes.retain(|name| name != abi::ACTION_COMPACT_NODE);
        Self::blank(module.wanted(), module.needs.clone(), writes)
    }

    /// Without a snapshot yet.
    fn blank(wanted: Wanted, needs: Vec<String>, writes: Vec<String>) -> Self {
        Self {
            wanted,
            needs,
            writes,
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
        let has_zones = self.wanted.zoneinfo && snapshot.zoneinfo.get().is_some();
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
            zones: absent_unless(has_zones, Seq::new(&self.zones)),
            nodes: absent_unless(has_zones || !self.nodes.is_empty(), Seq::new(&self.nodes)),
            hugepages: absent_unless(
                self.wanted.hugepages && errno_of_pools(snapshot) == 0,
                Seq::new(&self.hugepages),
            ),
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
        let names = self.writes.iter();
        self.tunables
            .extend(names.map(|name| tunable(name, snapshot)));
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
                per_cpu: pages(zone.per_cpu(), abi::ZONE_NO_PER_CPU),
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
                zone.free_blocks = absent_unless(!row.is_empty(), Seq::new(row));
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
                    stats: Seq::new(own),
                    ..blank_node(node.id())
                });
            }
        }
        for node in snapshot.nodes.iter().filter(|_| self.wanted.node_meminfo) {
            let known = self.nodes.iter().position(|known| known.id == node.id);
            let index = known.unwrap_or_else(|| {
                self.nodes.push(blank_node(node.id));
                self.nodes.len() - 1
            });
            let raw = &mut self.nodes[index];
            raw.meminfo_errno = errno_of(&node.file);
            if let Some(meminfo) = node.file.get() {
                let (own, rest) = counters.split_at(meminfo.iter().count());
                counters = rest;
                raw.meminfo = Seq::new(own);
            }
        }
        self.nodes.sort_unstable_by_key(|node| node.id);
    }

    fn fill_files(&mut self, snapshot: &Snapshot) {
        self.files.clear();
        let needs = self.needs.iter();
        self.files.extend(needs.map(|path| match path.as_str() {
            abi::NEED_MEMINFO => file(&snapshot.meminfo),
            abi::NEED_VMSTAT => file(&snapshot.vmstat),
            abi::NEED_ZONEINFO => file(&snapshot.zoneinfo),
            abi::NEED_BUDDYINFO => file(&snapshot.buddyinfo),
            abi::NEED_HUGEPAGES => directory(path, errno_of_pools(snapshot)),
            abi::NEED_NODE_MEMINFO => directory(path, errno_unless(!snapshot.nodes.is_empty())),
            _ => {
                let mut files = snapshot.files.iter();
                let reading = files.find(|reading| reading.path == *path);
                reading.map_or_else(|| directory(path, ENOENT), file)
            }
        }));
    }
}

/// The error number of what is not there.
const ENOENT: i32 = rustix::io::Errno::NOENT.raw_os_error();
/// The error number of what the core does not know.
const EOPNOTSUPP: i32 = rustix::io::Errno::OPNOTSUPP.raw_os_error();

fn absent_unless<T>(is_there: bool, seq: Seq<T>) -> Seq<T> {
    if is_there { seq } else { Seq::ABSENT }
}

const fn errno_unless(is_there: bool) -> i32 {
    if is_there { 0 } else { ENOENT }
}

/// 0 if the file was read.
fn errno_of<T>(reading: &Reading<T>) -> i32 {
    let error = reading.result.as_ref().err();
    error.map_or(0, ReadError::errno)
}

/// 0 if there are pools of huge pages, and all were read.
fn errno_of_pools(snapshot: &Snapshot) -> i32 {
    let errors = snapshot.hugepages.iter().map(|pool| errno_of(&pool.file));
    let is_there = errno_unless(!snapshot.hugepages.is_empty());
    errors.fold(
        is_there,
        |first, errno| if first == 0 { errno } else { first },
    )
}

fn file<T>(reading: &Reading<T>) -> abi::File {
    abi::File {
        path: Str::new(&reading.path),
        errno: errno_of(reading),
        pad: 0,
        content: Str::of_bytes(reading.text.bytes()),
    }
}

/// What became of something that has no text of its own.
fn directory(path: &str, errno: i32) -> abi::File {
    abi::File {
        path: Str::new(path),
        errno,
        pad: 0,
        content: Str::ABSENT,
    }
}

fn tunable(name: &str, snapshot: &Snapshot) -> abi::Tunable {
    let found = snapshot.tunables.iter().find(|known| known.name == name);
    let value = found.and_then(|found| found.value);
    let errno = match found {
        None => EOPNOTSUPP,
        Some(_) if value.is_some() => 0,
        // What is no number is told by the text.
        Some(found) => match errno_of(&found.file) {
            0 => rustix::io::Errno::BADMSG.raw_os_error(),
            errno => errno,
        },
    };
    let original = found.and_then(|found| found.original).or(value);
    let is_yielded = found.is_some_and(|found| found.yielded);
    abi::Tunable {
        name: Str::new(name),
        value: value.unwrap_or_default(),
        original: original.unwrap_or_default(),
        flags: if is_yielded { abi::TUNABLE_YIELDED } else { 0 },
        errno,
    }
}

const fn blank_node(id: u32) -> abi::Node {
    abi::Node {
        id,
        meminfo_errno: 0,
        meminfo: Seq::ABSENT,
        stats: Seq::ABSENT,
    }
}

fn counter((key, value): (&str, u64)) -> abi::Counter {
    abi::Counter {
        key: Str::new(key),
        value,
    }
}

#[cfg(test)]
#[expect(unsafe_code, reason = "reads what is lent for the length of a call")]
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
        let mut view = View::blank(wanted, Vec::new(), Vec::new());

        view.fill(&snapshot);

        let zone = view.zones[0];
        assert_eq!(zone.missing, abi::ZONE_NO_CMA | abi::ZONE_NO_PER_CPU);
        assert_eq!((zone.cma, zone.boost, zone.free), (0, 0, 3960));
    }

    #[test]
    fn it_says_of_everything_that_was_asked_for_why_it_is_not_there() {
        let needs = [
            abi::NEED_MEMINFO,
            abi::NEED_HUGEPAGES,
            abi::NEED_NODE_MEMINFO,
            "/proc/loadavg",
        ];
        let writes = ["vm.watermark_scale_factor", "vm.unknown"];
        let mut wanted = Wanted::default();
        for path in needs {
            wanted.add_file(path);
        }
        wanted.add_tunable(writes[0]);
        let files = [
            ("proc/meminfo".to_owned(), b"garbage".to_vec()),
            (
                "proc/sys/vm/watermark_scale_factor".to_owned(),
                b"ten\n".to_vec(),
            ),
        ];
        let root = Root::Recorded(files.into_iter().collect());
        let snapshot = Sampler::new(root, wanted.clone(), None)
            .take(Uptime::default(), Duration::from_secs(30));
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let mut view = View::blank(wanted, owned(&needs), owned(&writes));

        let are_absent = view.lend(&snapshot, |raw| {
            // SAFETY: it is lent for the call.
            let raw = unsafe { *raw };
            [
                raw.meminfo.is_absent(),
                raw.hugepages.is_absent(),
                raw.nodes.is_absent(),
            ]
        });

        assert_eq!(are_absent, [true; 3]);
        let badmsg = rustix::io::Errno::BADMSG.raw_os_error();
        let errors: Vec<i32> = view.files.iter().map(|file| file.errno).collect();
        assert_eq!(errors, [badmsg, ENOENT, ENOENT, ENOENT]);
        let errors: Vec<i32> = view.tunables.iter().map(|tunable| tunable.errno).collect();
        assert_eq!(errors, [badmsg, EOPNOTSUPP]);
    }
}

//! Reads each kernel file that somebody wants exactly once per scan, and nothing else.
//!
//! Descriptors stay open and buffers are reused: in the steady state a scan allocates nothing. One
//! parser per kernel file, named after it.

use std::sync::Arc;
use std::time::Duration;

use adaptivemm_module_api::units::{Bytes, PageSize, Uptime};

use super::hugepages::{self, page_count};
use super::module_files::{Excess, FileCost, FileCosts, ModuleFileReaders};
use super::root::{self, Allowance, OpenFile};
use super::snapshot::{NodeMeminfo, Pool, Reading, Tunable};
use super::trace::Frame;
use super::{Buddyinfo, Meminfo, ParseError, ReadError, Root, Snapshot, Vmstat, Wanted, Zoneinfo};
use super::{page_size, tunable_file};
use crate::base::clock;

/// The most that free memory moves while files are read that fit together.
const STEADY: Bytes = Bytes::from_kib(16 << 10);
/// The number of snapshots that are kept for use again.
const SPARES: usize = 4;
/// The time for which a scan waits for files that threads read, unless it is told otherwise.
const WAIT: Duration = Duration::from_secs(1);
/// The number of times that a reading is repeated that does not fit together.
const RETRIES: usize = 3;

/// The numbers that decide if the files of one scan fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fixpoint {
    total: Option<Bytes>,
    free: Option<Bytes>,
    hugetlb: Option<Bytes>,
}

impl Fixpoint {
    fn from_meminfo(meminfo: &Reading<Meminfo>) -> Self {
        let meminfo = meminfo.get();
        Self {
            total: meminfo.and_then(|meminfo| meminfo.bytes("MemTotal")),
            free: meminfo.and_then(|meminfo| meminfo.bytes("MemFree")),
            hugetlb: meminfo.and_then(|meminfo| meminfo.bytes("Hugetlb")),
        }
    }

    fn holds(self, later: Self) -> bool {
        let moved = match (self.free, later.free) {
            (Some(before), Some(after)) => {
                before.balance().since(after.balance()).get().unsigned_abs()
            }
            _ => 0,
        };
        self.total == later.total && self.hugetlb == later.hugetlb && moved <= STEADY.get()
    }
}

/// The open files of one machine, and the snapshots that are made of them.
#[derive(Debug)]
pub struct Sampler {
    root: Root,
    wanted: Wanted,
    page_size: PageSize,
    scan: u64,
    open: Open,
    /// The reading of meminfo before the other files.
    first: Reading<Meminfo>,
    last: Arc<Snapshot>,
    /// The number of listings so far: a snapshot of an earlier one has other places.
    layout: u64,
    /// Earlier snapshots, which a slow module may still look at; one that nobody looks at is used again.
    pool: Vec<Arc<Snapshot>>,
    /// The files that only modules know.
    module_files: ModuleFileReaders,
    /// The time for which a scan waits for those.
    wait: Duration,
    /// The cost of each of the other files in this scan, in the order of the snapshot.
    costs: Vec<FileCost>,
    /// The memory of the machine. If it changes, nodes and pools of huge pages may have changed, too.
    total: Option<Bytes>,
}

/// The open files, in the order of the snapshot's readings.
#[derive(Debug)]
struct Open {
    meminfo: OpenFile,
    vmstat: OpenFile,
    zoneinfo: OpenFile,
    buddyinfo: OpenFile,
    hugepages: Vec<OpenFile>,
    nodes: Vec<OpenFile>,
    tunables: Vec<OpenFile>,
    files: Vec<OpenFile>,
}

impl Sampler {
    /// Prepares to read the wanted files of the machine below `root`. `page_size` is that of the machine;
    /// without it, it is worked out from the files of a recorded tree, or asked of the kernel.
    #[must_use]
    pub fn new(root: Root, wanted: Wanted, page_size: Option<PageSize>) -> Self {
        let page_size = page_size.unwrap_or_else(|| page_size::read(&root));
        let blank = Snapshot::blank(&root, &wanted, page_size);
        let mut module_files = ModuleFileReaders::default();
        module_files.arrange(&wanted.modules, &wanted.files, &root);
        Self {
            open: Open::for_snapshot(&blank),
            module_files,
            wait: WAIT,
            costs: Vec::new(),
            first: Reading::new("/proc/meminfo", true),
            last: Arc::new(blank),
            layout: 0,
            pool: Vec::new(),
            total: None,
            scan: 0,
            root,
            wanted,
            page_size,
        }
    }

    /// The machine that is read.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The files that are wanted.
    #[must_use]
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// The size of a base page of the machine that is read.
    #[must_use]
    pub fn page_size(&self) -> PageSize {
        self.page_size
    }

    /// Takes over the files of the next frame, if this is a recorded machine.
    pub fn apply(&mut self, frame: &Frame) {
        let Root::Recorded(files) = &mut self.root else {
            return;
        };
        if root::apply(files, frame) {
            self.start_over();
        }
    }

    /// Reads other files from the next scan on.
    pub fn want(&mut self, wanted: Wanted) {
        self.module_files
            .arrange(&wanted.modules, &wanted.files, &self.root);
        self.wanted = wanted;
        self.start_over();
    }

    /// Sets the time for which a scan waits for files that only a module knows; a second at most.
    pub(crate) fn wait_for_files(&mut self, wait: Duration) {
        self.wait = wait.min(WAIT);
    }

    /// Chooses the modules for which no files are read that only they know.
    pub(crate) fn rest(&mut self, rests: impl Fn(&str) -> bool) {
        self.module_files.rest(rests);
    }

    /// True if a read of a file of this module, begun in an earlier scan, has not ended.
    pub(crate) fn is_stuck(&self, module: &str) -> bool {
        self.module_files.is_stuck(module)
    }

    /// The modules whose files have cost too much in so many of the last scans.
    pub(crate) fn excesses(&mut self, scans: u32) -> Vec<Excess> {
        let excesses = self.module_files.excesses(scans);
        for excess in &excesses {
            self.module_files.forgive(&excess.module);
        }
        excesses
    }

    /// The cost of the files of a module, beside those that the core reads for everybody.
    #[must_use]
    pub fn file_costs(&self, module: &str) -> FileCosts {
        self.module_files.costs(module)
    }

    /// Looks again for nodes and pools of huge pages.
    fn start_over(&mut self) {
        let blank = Snapshot::blank(&self.root, &self.wanted, self.page_size);
        self.open = Open::for_snapshot(&blank);
        self.pool.clear();
        self.layout += 1;
    }

    /// Takes a snapshot. `now` is the time since boot, `period` that between two scans.
    pub fn take(&mut self, now: Uptime, period: Duration) -> Arc<Snapshot> {
        self.take_with(now, period, |_| {})
    }

    /// Takes a snapshot that `complete` adds to, before anyone else sees it.
    pub fn take_with(
        &mut self,
        now: Uptime,
        period: Duration,
        complete: impl FnOnce(&mut Snapshot),
    ) -> Arc<Snapshot> {
        self.scan += 1;
        let mut shared = self.spare();
        if let Some(snapshot) = Arc::get_mut(&mut shared) {
            snapshot.scan = self.scan;
            snapshot.layout = self.layout;
            snapshot.uptime = now;
            snapshot.period = period;
            self.module_files.begin(self.scan, &self.root);
            self.costs.clear();
            self.costs.resize(snapshot.files.len(), FileCost::default());
            self.read(snapshot);
            let files = &mut snapshot.files;
            self.module_files
                .collect(self.scan, files, &self.costs, self.wait);
            complete(snapshot);
        }
        let total = shared
            .meminfo
            .get()
            .and_then(|meminfo| meminfo.bytes("MemTotal"));
        if self.total.is_some() && total.is_some() && self.total != total {
            self.start_over();
        }
        self.total = total.or(self.total);
        let before = std::mem::replace(&mut self.last, Arc::clone(&shared));
        if self.pool.len() < SPARES && before.layout == self.layout {
            self.pool.push(before);
        }
        shared
    }

    /// The snapshot that was taken last.
    #[must_use]
    pub fn last(&self) -> &Snapshot {
        &self.last
    }

    /// Returns a snapshot that nobody looks at any more, or a new one if a module holds on to all of them.
    fn spare(&mut self) -> Arc<Snapshot> {
        let free = self
            .pool
            .iter_mut()
            .position(|shared| Arc::get_mut(shared).is_some());
        match free {
            Some(index) => self.pool.swap_remove(index),
            None => Arc::new(self.blank()),
        }
    }

    /// Makes a new snapshot. It has the nodes and the pools that there are now. If they have changed, other files are
    /// opened, so that the text of one does not go to another.
    fn blank(&mut self) -> Snapshot {
        let blank = Snapshot::blank(&self.root, &self.wanted, self.page_size);
        if !self.open.has_places_of(&blank) {
            self.open = Open::for_snapshot(&blank);
            self.pool.clear();
            self.layout += 1;
        }
        blank
    }

    /// Reads until the files fit together: meminfo before and after all others must tell the same.
    fn read(&mut self, snapshot: &mut Snapshot) {
        let check = self.wanted.meminfo && self.wanted.is_more_than_meminfo();
        for _ in 0..=RETRIES {
            if check {
                read_into(
                    &mut self.open.meminfo,
                    &self.root,
                    &mut self.first,
                    Meminfo::update,
                );
            }
            self.read_once(snapshot);
            let first = Fixpoint::from_meminfo(&self.first);
            snapshot.steady = !check || first.holds(Fixpoint::from_meminfo(&snapshot.meminfo));
            if snapshot.steady {
                return;
            }
        }
    }

    fn read_once(&mut self, snapshot: &mut Snapshot) {
        let (open, root) = (&mut self.open, &self.root);
        read_into(&mut open.vmstat, root, &mut snapshot.vmstat, Vmstat::update);
        read_into(
            &mut open.zoneinfo,
            root,
            &mut snapshot.zoneinfo,
            Zoneinfo::update,
        );
        read_into(
            &mut open.buddyinfo,
            root,
            &mut snapshot.buddyinfo,
            Buddyinfo::update,
        );
        for (file, pool) in open.hugepages.iter_mut().zip(&mut snapshot.hugepages) {
            let count = &mut pool.count;
            read_into(file, root, &mut pool.file, |(), text| {
                page_count(text).map(|pages| *count = pages)
            });
        }
        for (file, node) in open.nodes.iter_mut().zip(&mut snapshot.nodes) {
            read_into(file, root, &mut node.file, Meminfo::update);
        }
        for (file, tunable) in open.tunables.iter_mut().zip(&mut snapshot.tunables) {
            let value = &mut tunable.value;
            *value = None;
            read_into(file, root, &mut tunable.file, |(), text| {
                tunable_file::value(text).map(|number| *value = Some(number))
            });
            // The actuator, which knows the originals, adds them afterwards.
            tunable.original = tunable.value;
            tunable.yielded = false;
        }
        let files = open.files.iter_mut().zip(&mut snapshot.files);
        for (place, (file, reading)) in files.enumerate() {
            if !self.module_files.reads(place) {
                self.costs[place].add(read_for_modules(file, root, reading));
            }
        }
        read_into(
            &mut open.meminfo,
            root,
            &mut snapshot.meminfo,
            Meminfo::update,
        );
    }
}

/// Reads one file, if it is wanted, and keeps the result.
fn read_into<T>(
    file: &mut OpenFile,
    root: &Root,
    reading: &mut Reading<T>,
    parse: impl FnOnce(&mut T, &[u8]) -> Result<(), ParseError>,
) {
    if !reading.wanted {
        return;
    }
    reading.result = match file.read(root, &mut reading.text) {
        Ok(()) => parse(&mut reading.parsed, reading.text.bytes()).map_err(ReadError::from),
        Err(error) => Err(error.into()),
    };
}

/// Reads a file that is known to be harmless, and returns the cost.
fn read_for_modules(file: &mut OpenFile, root: &Root, reading: &mut Reading<()>) -> FileCost {
    let start = clock::now();
    let mut allowance = Allowance::small();
    let result = file.read_within(root, &mut reading.text, &mut allowance);
    reading.result = result.map_err(ReadError::from);
    FileCost {
        bytes: reading.text.bytes().len() as u64,
        time: start.elapsed(),
    }
}

impl Open {
    fn for_snapshot(blank: &Snapshot) -> Self {
        fn open<T>(reading: &Reading<T>) -> OpenFile {
            OpenFile::new(&reading.path)
        }
        Self {
            meminfo: open(&blank.meminfo),
            vmstat: open(&blank.vmstat),
            zoneinfo: open(&blank.zoneinfo),
            buddyinfo: open(&blank.buddyinfo),
            hugepages: blank
                .hugepages
                .iter()
                .map(|pool| open(&pool.file))
                .collect(),
            nodes: blank.nodes.iter().map(|node| open(&node.file)).collect(),
            tunables: blank
                .tunables
                .iter()
                .map(|tunable| open(&tunable.file))
                .collect(),
            files: blank.files.iter().map(open).collect(),
        }
    }
}

impl Open {
    /// True if there is a file for each node and each pool of huge pages of this snapshot, in its order.
    fn has_places_of(&self, snapshot: &Snapshot) -> bool {
        let nodes = snapshot.nodes.iter().map(|node| &node.file.path);
        let pools = snapshot.hugepages.iter().map(|pool| &pool.file.path);
        nodes.eq(self.nodes.iter().map(OpenFile::path))
            && pools.eq(self.hugepages.iter().map(OpenFile::path))
    }
}

impl Snapshot {
    /// A snapshot with a place for everything that is wanted, and nothing read yet.
    pub(crate) fn blank(root: &Root, wanted: &Wanted, page_size: PageSize) -> Self {
        let pools = if wanted.hugepages {
            pools(root)
        } else {
            Vec::new()
        };
        let nodes = if wanted.node_meminfo {
            nodes(root)
        } else {
            Vec::new()
        };
        Self {
            scan: 0,
            layout: 0,
            uptime: Uptime::default(),
            period: Duration::ZERO,
            page_size,
            steady: true,
            meminfo: Reading::new("/proc/meminfo", wanted.meminfo),
            vmstat: Reading::new("/proc/vmstat", wanted.vmstat),
            zoneinfo: Reading::new("/proc/zoneinfo", wanted.zoneinfo),
            buddyinfo: Reading::new("/proc/buddyinfo", wanted.buddyinfo),
            hugepages: pools,
            nodes,
            tunables: wanted
                .tunables
                .iter()
                .map(|knob| Tunable::new(knob))
                .collect(),
            files: wanted
                .files
                .iter()
                .map(|path| Reading::new(path, true))
                .collect(),
        }
    }
}

/// The pools of huge pages that there are, by size.
fn pools(root: &Root) -> Vec<Pool> {
    let mut pools = Vec::new();
    for name in root.list(hugepages::DIRECTORY).unwrap_or_default() {
        if let Some(size) = page_size(&name) {
            let path = format!("{}/{name}/nr_hugepages", hugepages::DIRECTORY);
            pools.push(Pool::new(size, &path));
        }
    }
    pools.sort_by_key(|pool| pool.size);
    pools
}

/// The nodes that there are, by number; numbers may have gaps.
fn nodes(root: &Root) -> Vec<NodeMeminfo> {
    let directory = "/sys/devices/system/node";
    let mut nodes = Vec::new();
    for name in root.list(directory).unwrap_or_default() {
        if let Some(id) = name.strip_prefix("node").and_then(|id| id.parse().ok()) {
            let path = format!("{directory}/{name}/meminfo");
            nodes.push(NodeMeminfo::new(id, &path));
        }
    }
    nodes.sort_by_key(|node| node.id);
    nodes
}

#[cfg(test)]
mod tests;

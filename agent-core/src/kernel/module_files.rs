//! Reads the files that a module has named and that are not known to be harmless: each module has a thread that reads its
//! own, and a budget. A file that blocks, is huge or slow costs the module that asked for it, and never the core, which
//! waits for a moment at most.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rustix::io::Errno;

use super::error::ReadError;
use super::quick_files::is_harmless;
use super::root::{Allowance, OpenFile, Root, Text};
use super::snapshot::Reading;
use crate::base::clock;

/// The stack of a thread: enough to read a file into a buffer.
const STACK: usize = 128 << 10;
/// The number of scans in a row within its budget after which earlier excesses of a module are forgotten.
const CLEAN: u32 = 10;

/// The most that the files of one module may cost in a scan, beside those that the core reads for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileBudget {
    /// The bytes of text.
    pub bytes: u64,
    /// The time of a processor.
    pub cpu: Duration,
}

impl FileBudget {
    /// The budget of commands, which look once and can be interrupted.
    pub const AMPLE: Self = Self {
        bytes: 64 << 20,
        cpu: Duration::from_secs(10),
    };
}

impl Default for FileBudget {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            cpu: Duration::from_millis(5),
        }
    }
}

/// The files that one module names, beside those that the core reads for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModuleFiles {
    pub(crate) module: String,
    pub(crate) paths: Vec<String>,
    pub(crate) budget: FileBudget,
}

/// The amount that was read, and the time that it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileCost {
    /// The bytes of text.
    pub bytes: u64,
    /// The time of a processor; for files that the core reads itself, the time that passed.
    pub time: Duration,
}

impl FileCost {
    pub(super) fn add(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.time = self.time.saturating_add(other.time);
    }
}

/// The cost of the files of a module in the last scan, and since the daemon started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileCosts {
    /// The cost in the last scan.
    pub last: FileCost,
    /// The cost of all scans.
    pub total: FileCost,
}

/// A module whose files exceed their budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excess {
    pub(crate) module: String,
    /// The number of recent scans in which they did.
    pub(crate) scans: u32,
    /// The file, and what is wrong with it.
    pub(crate) why: String,
}

/// The files of all modules.
#[derive(Debug, Default)]
pub(super) struct ModuleFileReaders {
    modules: Vec<Module>,
    /// Threads that are still reading for modules that have gone. Their files are left alone until they return.
    left: Vec<Reader>,
}

/// The files of one module.
#[derive(Debug)]
struct Module {
    files: ModuleFiles,
    /// The places in the snapshot of the files that the core reads itself.
    inline: Vec<usize>,
    /// The places of the others, in the order of the reader.
    places: Vec<usize>,
    reader: Reader,
    /// True if nothing is read for it.
    rests: bool,
    costs: FileCosts,
    /// The excess of this scan, if there was one.
    excess: Option<String>,
    /// The number of recent scans with an excess.
    over: u32,
    /// The number of scans since the last excess.
    good: u32,
}

/// A thread that reads files, as the core sees it.
#[derive(Debug, Default)]
struct Reader {
    paths: Vec<String>,
    /// The buffers, which go to the thread and come back.
    texts: Vec<Text>,
    thread: Option<(Sender<ReadTask>, Receiver<Done>)>,
    /// The number of files that are still to come.
    pending: usize,
}

struct ReadTask {
    scan: u64,
    texts: Vec<Text>,
    budget: FileBudget,
}

/// A file that was read, or could not be.
struct Done {
    scan: u64,
    file: usize,
    text: Text,
    result: io::Result<()>,
    cost: FileCost,
}

fn not_in_time() -> ReadError {
    ReadError::Io {
        errno: Errno::TIMEDOUT.raw_os_error(),
    }
}

impl ModuleFileReaders {
    /// Prepares for these modules and places of a snapshot. Threads whose files are still wanted go on.
    pub(super) fn arrange(&mut self, wanted: &[ModuleFiles], all: &[String], root: &Root) {
        let mut before = std::mem::take(&mut self.modules);
        for files in wanted {
            let is_recorded = matches!(root, Root::Recorded(_));
            let paths = files.paths.iter().cloned();
            let (inline, module_files): (Vec<_>, Vec<_>) =
                paths.partition(|path| is_recorded || is_harmless(path));
            let old = before
                .iter()
                .position(|old| old.files.module == files.module);
            let old = old.map(|index| before.swap_remove(index));
            let costs = old
                .as_ref()
                .map_or_else(FileCosts::default, |old| old.costs);
            let reader = match old {
                Some(old) if old.reader.paths == module_files => old.reader,
                old => {
                    self.left.extend(old.map(|old| old.reader));
                    Reader::new(module_files.clone())
                }
            };
            self.modules.push(Module {
                inline: places(&inline, all),
                places: places(&module_files, all),
                files: files.clone(),
                reader,
                rests: false,
                costs,
                excess: None,
                over: 0,
                good: 0,
            });
        }
        self.left.extend(before.into_iter().map(|old| old.reader));
    }

    /// True if the file at this place is read by a thread.
    pub(super) fn reads(&self, place: usize) -> bool {
        self.modules
            .iter()
            .any(|module| module.places.contains(&place))
    }

    /// Chooses the modules for which nothing is read.
    pub(super) fn rest(&mut self, rests: impl Fn(&str) -> bool) {
        for module in &mut self.modules {
            module.rests = rests(&module.files.module);
        }
    }

    /// True if the thread of this module is still at a file of an earlier scan.
    pub(super) fn is_stuck(&self, name: &str) -> bool {
        let mut modules = self.modules.iter();
        modules.any(|module| module.files.module == name && module.reader.pending > 0)
    }

    /// Starts all threads that have nothing else to do.
    pub(super) fn begin(&mut self, scan: u64, root: &Root) {
        self.left.retain_mut(|reader| {
            reader.take_late();
            reader.pending > 0
        });
        for module in &mut self.modules {
            module.excess = None;
            module.costs.last = FileCost::default();
            module.costs.last.add(module.reader.take_late());
            let is_free = module.reader.pending == 0;
            if module.places.is_empty() || module.rests || !is_free {
                continue;
            }
            let mut paths = module.reader.paths.iter();
            let blocked = paths.find(|path| self.left.iter().any(|left| left.paths.contains(path)));
            if let Some(path) = blocked {
                module.excess = Some(format!(
                    "a read of {path} that began before a reload has not ended"
                ));
                continue;
            }
            module.reader.start(scan, module.files.budget, root);
        }
    }

    /// Waits for the threads, and puts the texts into their places. `inline` is the cost of the other files.
    #[expect(clippy::disallowed_methods, reason = "a deadline is about real time")]
    pub(super) fn collect(
        &mut self,
        scan: u64,
        readings: &mut [Reading<()>],
        inline: &[FileCost],
        wait: Duration,
    ) {
        let start = Instant::now();
        for place in self.modules.iter().flat_map(|module| &module.places) {
            readings[*place].text.clear();
            readings[*place].result = Err(not_in_time());
        }
        for module in &mut self.modules {
            let inline = module.inline.iter().filter_map(|place| inline.get(*place));
            inline.for_each(|cost| module.costs.last.add(*cost));
            if !module.places.is_empty() && !module.rests {
                module.collect(scan, readings, start, wait);
            }
            module.settle();
        }
    }

    /// The modules whose files have just exceeded their budget, in `scans` of the last scans or more.
    pub(super) fn excesses(&self, scans: u32) -> Vec<Excess> {
        let mut excesses = Vec::new();
        for module in self.modules.iter().filter(|module| module.over >= scans) {
            if let Some(why) = module.excess.clone() {
                excesses.push(Excess {
                    module: module.files.module.clone(),
                    scans: module.over,
                    why,
                });
            }
        }
        excesses
    }

    /// Forgets the excesses of the files of a module.
    pub(super) fn forgive(&mut self, name: &str) {
        let modules = self.modules.iter_mut();
        for module in modules.filter(|module| module.files.module == name) {
            (module.over, module.good) = (0, 0);
        }
    }

    /// The cost of the files of a module.
    pub(super) fn costs(&self, name: &str) -> FileCosts {
        let mut modules = self.modules.iter();
        let module = modules.find(|module| module.files.module == name);
        module.map_or_else(FileCosts::default, |module| module.costs)
    }
}

fn places(paths: &[String], all: &[String]) -> Vec<usize> {
    let mut places = Vec::new();
    for path in paths {
        places.extend(all.iter().position(|known| known == path));
    }
    places
}

impl Module {
    fn collect(&mut self, scan: u64, readings: &mut [Reading<()>], start: Instant, wait: Duration) {
        while self.reader.pending > 0 {
            let left = wait.saturating_sub(start.elapsed());
            let Some(mut done) = self.reader.next(left) else {
                break;
            };
            self.costs.last.add(done.cost);
            if done.scan == scan {
                self.judge(&done);
                let reading = &mut readings[self.places[done.file]];
                // Another module with a larger budget may have read it already.
                if reading.result.is_err() {
                    std::mem::swap(&mut reading.text, &mut done.text);
                    reading.result = done.result.map_err(ReadError::from);
                }
            }
            self.reader.texts.push(done.text);
        }
        let is_missing = self.reader.pending > 0 || self.reader.thread.is_none();
        if self.excess.is_none() && is_missing {
            let file = self.reader.paths.len().saturating_sub(self.reader.pending);
            let path = self.reader.paths.get(file).or(self.reader.paths.first());
            self.excess = Some(format!(
                "{} could not be read within {} ms",
                path.map_or("a file", String::as_str),
                wait.as_millis()
            ));
        }
    }

    /// Takes note of a file whose reading was stopped, as it cost too much.
    fn judge(&mut self, done: &Done) {
        let errno = done.result.as_ref().err().and_then(io::Error::raw_os_error);
        let FileBudget { bytes, cpu } = self.files.budget;
        let budget = match errno.map(Errno::from_raw_os_error) {
            Some(Errno::FBIG) => format!("{} KiB", bytes >> 10),
            Some(Errno::TIMEDOUT) => format!("{} ms of a processor", cpu.as_millis()),
            _ => return,
        };
        let path = &self.reader.paths[done.file];
        self.excess.get_or_insert_with(|| {
            format!("its files exceeded {budget} in a scan (reading stopped at {path})")
        });
    }

    /// Ends a scan, and counts it as one within the budget or not.
    fn settle(&mut self) {
        self.costs.total.add(self.costs.last);
        if self.excess.is_some() {
            self.over = self.over.saturating_add(1);
            self.good = 0;
        } else if !self.rests {
            self.good = self.good.saturating_add(1);
            if self.good >= CLEAN {
                self.over = 0;
            }
        }
    }
}

impl Reader {
    fn new(paths: Vec<String>) -> Self {
        Self {
            paths,
            ..Self::default()
        }
    }

    /// Tells the thread to read everything once; it is started if there is none.
    fn start(&mut self, scan: u64, budget: FileBudget, root: &Root) {
        if self.thread.is_none() {
            self.thread = spawn(&self.paths, root).ok();
        }
        let Some((jobs, _)) = &self.thread else {
            return;
        };
        self.texts.resize_with(self.paths.len(), Text::default);
        let texts = std::mem::take(&mut self.texts);
        if jobs
            .try_send(ReadTask {
                scan,
                texts,
                budget,
            })
            .is_ok()
        {
            self.pending = self.paths.len();
        } else {
            self.thread = None;
        }
    }

    /// Waits for the next file; `None` if it takes longer than `wait`.
    fn next(&mut self, wait: Duration) -> Option<Done> {
        let (_, done) = self.thread.as_ref()?;
        match done.recv_timeout(wait) {
            Ok(done) => {
                self.pending = self.pending.saturating_sub(1);
                Some(done)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                (self.thread, self.pending) = (None, 0);
                None
            }
        }
    }

    /// Takes back the files that came after their deadline, and returns their cost.
    fn take_late(&mut self) -> FileCost {
        let mut cost = FileCost::default();
        while self.pending > 0 {
            let Some(done) = self.next(Duration::ZERO) else {
                break;
            };
            cost.add(done.cost);
            self.texts.push(done.text);
        }
        cost
    }
}

/// Starts a thread that reads these files whenever it is told to.
fn spawn(paths: &[String], root: &Root) -> io::Result<(Sender<ReadTask>, Receiver<Done>)> {
    let (jobs, to_do) = bounded::<ReadTask>(1);
    let (tell, done) = bounded(paths.len());
    let root = root.clone();
    let mut files: Vec<OpenFile> = paths.iter().map(|path| OpenFile::new(path)).collect();
    let builder = thread::Builder::new().name("files".to_owned());
    builder.stack_size(STACK).spawn(move || {
        for job in to_do {
            let mut allowance = Allowance::new(job.budget);
            let texts = job.texts.into_iter();
            for (index, (file, mut text)) in files.iter_mut().zip(texts).enumerate() {
                let before = clock::thread_cpu_time();
                let result = file.read_within(&root, &mut text, &mut allowance);
                let cost = FileCost {
                    bytes: text.seen() as u64,
                    time: clock::thread_cpu_time().saturating_sub(before),
                };
                let done = Done {
                    scan: job.scan,
                    file: index,
                    text,
                    result,
                    cost,
                };
                if tell.send(done).is_err() {
                    return;
                }
            }
        }
    })?;
    Ok((jobs, done))
}

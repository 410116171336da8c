//! The memory that processes hold: `/proc/PID/status`, `fd`, `fdinfo`, and the sockets of their network namespaces.

mod descriptors;
mod namespaces;
mod owners;
mod queues;
mod rings;
mod sizes;

use std::collections::HashMap;

use adaptivemm_module_api::units::{Bytes, PageSize};

use super::ask::RIGHTS;
use super::budget::Halt;
use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::Meter;
use owners::Owners;

pub(super) use descriptors::collect as collect_descriptors;
pub(super) use queues::collect as collect_queues;
pub(super) use rings::collect as collect_rings;
pub(super) use sizes::collect as collect_sizes;

/// The number of processes that are looked at.
const MOST: usize = 50_000;
/// Options of `/proc` with which the processes of others are not listed.
const HIDING: [&str; 4] = [
    "hidepid=2",
    "hidepid=invisible",
    "hidepid=4",
    "hidepid=ptraceable",
];
/// The size of a kernel stack on all machines of 64 bits whose pages are not larger.
const STACK: Bytes = Bytes::from_kib(16);

/// The processes of a machine, and what they have open, as far as it must be looked at more closely.
#[derive(Debug, Default)]
pub(super) struct Processes {
    all: Vec<Process>,
    /// Descriptors whose objects have a size: the place of the process, and the number.
    sized: Vec<(usize, String)>,
    /// Sockets by inode, with the place of the process.
    sockets: HashMap<u64, usize>,
    /// The reason why some or all of what processes have open could not be seen.
    refused: Option<String>,
}

/// A process, or a thread of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    pid: u32,
    /// The name as in `comm`: 15 bytes at most. That of a kernel thread ends before the first slash, as in
    /// `kworker/0:1`.
    name: String,
    /// True if it is a program, with memory of its own, as opposed to a thread of the kernel.
    is_program: bool,
}

impl Processes {
    /// Succeeds if what has been found of what processes have open is all there is, as no look was refused.
    fn all_seen(&self) -> Result<(), Halt> {
        match &self.refused {
            None => Ok(()),
            Some(why) => Err(Halt::Denied(why.clone())),
        }
    }

    /// Succeeds if what descriptors lead to could be looked at, for those who look closer.
    fn all_followed(&self) -> Result<(), Halt> {
        let why =
            "it takes what /proc/PID/fd leads to, which may not be looked at, or not all of it";
        self.all_seen().map_err(|_| Halt::Denied(why.to_owned()))
    }
}

/// Page tables and threads of all processes. Those that end meanwhile are passed over.
pub(super) fn collect(
    meter: &mut Meter<'_>,
    page_size: PageSize,
    processes: &mut Processes,
    found: &mut Holdings,
) -> Result<(), Halt> {
    let names = meter.directories("/proc")?;
    let mut pids: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable();
    pids.truncate(MOST);
    if pids.is_empty() {
        return Err(Halt::Missing);
    }
    let stack = STACK.max(page_size.bytes()).get();
    let (mut tables, mut threads) = (
        Owners::new("page tables", ""),
        Owners::new("threads", "threads"),
    );
    let result = pids.into_iter().try_for_each(|pid| {
        let text = meter.text_unless_gone(&format!("/proc/{pid}/status"))?;
        if let Some(status) = text.as_deref().and_then(Status::from_text) {
            let process = status.process(pid);
            tables.add(&process, 1, status.tables.unwrap_or_default().get());
            threads.add(
                &process,
                status.threads,
                status.threads.saturating_mul(stack),
            );
            processes.all.push(process);
        }
        Ok(())
    });
    tables.hold(Class::PageTables, Certainty::Exact, found);
    threads.hold(Class::Stacks, Certainty::Exact, found);
    result?;
    if are_hidden(meter, &processes.all) {
        let why = format!(
            "the processes of others are hidden from us (hidepid of /proc, as by ProtectProc=); {RIGHTS}"
        );
        processes.refused = Some(why);
    }
    processes.all_seen()
}

/// Returns true if `/proc` leaves out the processes of others: the first one, which is always there, is not to be seen
/// then.
fn are_hidden(meter: &mut Meter<'_>, processes: &[Process]) -> bool {
    if processes.iter().any(|process| process.pid == 1) {
        return false;
    }
    let mut is_hiding = false;
    // Without it nothing is known.
    let _unknown = meter.lines("/proc/self/mountinfo", |line| {
        is_hiding |= hides(line);
    });
    is_hiding
}

/// `24 30 0:22 / /proc rw,nosuid - proc proc rw,hidepid=invisible`; older kernels have numbers.
fn hides(line: &str) -> bool {
    let Some((place, filesystem)) = line.split_once(" - ") else {
        return false;
    };
    let is_there = place.split(' ').nth(4) == Some("/proc");
    let mut options = filesystem.split([' ', ',']);
    is_there && options.any(|option| HIDING.contains(&option))
}

/// The lines of `/proc/PID/status` that are of use.
#[derive(Debug, PartialEq, Eq)]
struct Status<'a> {
    name: &'a str,
    /// `VmPTE`; a thread of the kernel has none.
    tables: Option<Bytes>,
    threads: u64,
}

impl<'a> Status<'a> {
    fn from_text(text: &'a str) -> Option<Self> {
        let (mut name, mut tables, mut threads) = (None, None, None);
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match key {
                "Name" => name = Some(value).filter(|name| !name.is_empty()),
                "VmPTE" => {
                    let kib = value.strip_suffix(" kB").and_then(|kib| kib.parse().ok());
                    tables = kib.map(Bytes::from_kib);
                }
                "Threads" => threads = value.parse().ok(),
                _ => {}
            }
        }
        Some(Self {
            name: name?,
            tables,
            threads: threads?,
        })
    }

    fn process(&self, pid: u32) -> Process {
        let name = match self.name.split_once('/') {
            Some((start, _)) if self.tables.is_none() && !start.is_empty() => start,
            _ => self.name,
        };
        Process {
            pid,
            name: name.to_owned(),
            is_program: self.tables.is_some(),
        }
    }
}

#[cfg(test)]
mod tests;

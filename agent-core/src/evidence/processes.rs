//! What processes hold: `/proc/PID/status`, `fd`, `fdinfo`, and the sockets of their network namespaces.

mod descriptors;
mod namespaces;
mod owners;
mod queues;
mod rings;
mod sizes;

use std::collections::HashMap;

use adaptivemm_module_api::units::{Bytes, PageSize};

use super::budget::Halt;
use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::Meter;
use owners::Owners;

pub(super) use descriptors::collect as collect_descriptors;
pub(super) use queues::collect as collect_queues;
pub(super) use rings::collect as collect_rings;
pub(super) use sizes::collect as collect_sizes;

/// So many processes are looked at.
const MOST: usize = 50_000;
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
}

/// A process, or a thread of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    pid: u32,
    /// As in `comm`: 15 bytes at most. That of a kernel thread ends before the first slash, as in `kworker/0:1`.
    name: String,
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
        Owners::of("page tables", ""),
        Owners::of("threads", "threads"),
    );
    let result = pids.into_iter().try_for_each(|pid| {
        let text = meter.text_unless_gone(&format!("/proc/{pid}/status"))?;
        if let Some(status) = text.as_deref().and_then(Status::of) {
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
    result
}

/// Lines of `/proc/PID/status`.
#[derive(Debug, PartialEq, Eq)]
struct Status<'a> {
    name: &'a str,
    /// `VmPTE`; a thread of the kernel has none.
    tables: Option<Bytes>,
    threads: u64,
}

impl<'a> Status<'a> {
    fn of(text: &'a str) -> Option<Self> {
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
        }
    }
}

#[cfg(test)]
mod tests;

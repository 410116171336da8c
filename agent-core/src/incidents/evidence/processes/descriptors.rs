//! `/proc/PID/fd`: pipes, and everything else that is worth a closer look.

use std::collections::{HashMap, HashSet};

use super::Processes;
use super::owners::Owners;
use crate::incidents::evidence::ask::RIGHTS;
use crate::incidents::evidence::budget::{Halt, unless_gone};
use crate::incidents::evidence::comparison::{Certainty, Class};
use crate::incidents::evidence::holdings::Holdings;
use crate::incidents::evidence::meter::Meter;

/// The size that a pipe may have, if the kernel does not say: the default of `fs.pipe-max-size`.
const PIPE: u64 = 1 << 20;
/// The number of descriptors that are looked at more closely.
const MOST_SIZED: usize = 4096;
/// The number of sockets and pipes that are told apart.
const MOST_INODES: usize = 50_000;

/// The object that a descriptor leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Pipe(u64),
    Socket(u64),
    /// An object whose `fdinfo` says how large it is.
    Sized,
    Other,
}

fn inode(link: &str, kind: &str) -> Option<u64> {
    link.strip_prefix(kind)?.strip_suffix(']')?.parse().ok()
}

impl Target {
    /// `pipe:[42]`, `socket:[42]`, `anon_inode:bpf-map`, `anon_inode:[io_uring]`, `/dmabuf:name`.
    fn from_link(link: &str) -> Self {
        if let Some(inode) = inode(link, "pipe:[") {
            Self::Pipe(inode)
        } else if let Some(inode) = inode(link, "socket:[") {
            Self::Socket(inode)
        } else if link == "anon_inode:bpf-map"
            || link == "anon_inode:[io_uring]"
            || link.starts_with("/dmabuf:")
        {
            Self::Sized
        } else {
            Self::Other
        }
    }
}

/// Counts pipes: how much one holds is not to be seen, only how much it may.
pub(in crate::incidents::evidence) fn collect(
    meter: &mut Meter<'_>,
    processes: &mut Processes,
    found: &mut Holdings,
) -> Result<(), Halt> {
    let count = processes.all.len();
    if count == 0 {
        return Err(Halt::Missing);
    }
    let capacity = meter.number("/proc/sys/fs/pipe-max-size").unwrap_or(PIPE);
    let mut look = Look {
        pipes: Owners::new("pipes", "pipes"),
        capacity,
        seen: HashSet::new(),
        names: HashMap::new(),
        denied: 0,
    };
    let result = (0..count).try_for_each(|place| look.look_into(meter, processes, place));
    if look.denied > 0 && processes.refused.is_none() {
        processes.refused = Some(look.refused(processes));
    }
    look.pipes
        .hold_within(Class::Unaccounted, Certainty::AtMost, found, meter);
    result?;
    processes.all_seen()
}

struct Look {
    pipes: Owners,
    capacity: u64,
    /// Pipes that processes of one name share are counted once for them.
    seen: HashSet<(usize, u64)>,
    /// The place of the first process of each name.
    names: HashMap<String, usize>,
    denied: usize,
}

impl Look {
    /// Threads of the kernel have nothing open, and are not counted.
    fn refused(&self, processes: &Processes) -> String {
        let programs = processes.all.iter().filter(|process| process.is_program);
        format!(
            "{} of {} programs may not be looked into, which needs CAP_SYS_PTRACE; {RIGHTS}",
            self.denied,
            programs.count().max(self.denied),
        )
    }

    /// Looks into a process. What was seen until time ran out counts.
    fn look_into(
        &mut self,
        meter: &mut Meter<'_>,
        processes: &mut Processes,
        place: usize,
    ) -> Result<(), Halt> {
        let process = processes.all[place].clone();
        let directory = format!("/proc/{}/fd", process.pid);
        let first = *self.names.entry(process.name.clone()).or_insert(place);
        let mut count = 0;
        // Each is looked at as soon as it is named: the names of ten thousand alone once took an emulated kernel 8 s.
        let result = meter.names(&directory, |meter, name| {
            let link = match meter.link(&format!("{directory}/{name}")) {
                Ok(link) => link,
                // The process has more rights than ours. None of its others can be read either.
                Err(Halt::Denied(why)) => return Err(Halt::Denied(why)),
                // The descriptor was closed meanwhile.
                Err(_) => return Ok(()),
            };
            match Target::from_link(&link) {
                Target::Pipe(inode) => {
                    let is_full = self.seen.len() >= MOST_INODES;
                    count += u64::from(is_full || self.seen.insert((first, inode)));
                }
                target => processes.remember(target, place, name),
            }
            Ok(())
        });
        self.pipes
            .add(&process, count, self.capacity.saturating_mul(count));
        if matches!(result, Err(Halt::Denied(_))) {
            self.denied += 1;
        }
        unless_gone(result).map(|_| ())
    }
}

impl Processes {
    /// Keeps what is looked at more closely later.
    fn remember(&mut self, target: Target, place: usize, name: String) {
        match target {
            Target::Socket(inode) if self.sockets.len() < MOST_INODES => {
                self.sockets.entry(inode).or_insert(place);
            }
            Target::Sized if self.sized.len() < MOST_SIZED => self.sized.push((place, name)),
            Target::Socket(_) | Target::Sized | Target::Pipe(_) | Target::Other => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_says_what_it_is() {
        let links = [
            "pipe:[42]",
            "socket:[7]",
            "anon_inode:bpf-map",
            "anon_inode:[io_uring]",
            "/dmabuf:scanout",
            "/dev/null",
            "pipe:[]",
            "pipe:[99999999999999999999]",
            "socket:[7",
            "anon_inode:[eventfd]",
        ];

        let expected = [
            Target::Pipe(42),
            Target::Socket(7),
            Target::Sized,
            Target::Sized,
            Target::Sized,
            Target::Other,
            Target::Other,
            Target::Other,
            Target::Other,
            Target::Other,
        ];
        assert_eq!(links.map(Target::from_link), expected);
    }
}

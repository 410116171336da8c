//! `/proc/PID/fd`: pipes, and everything else that is worth a closer look.

use std::collections::HashSet;

use super::Processes;
use super::owners::Owners;
use crate::evidence::comparison::{Certainty, Class};
use crate::evidence::holdings::Holdings;
use crate::evidence::meter::{Halt, Meter, unless_gone};

/// What a pipe may hold, if the kernel does not say: the default of `fs.pipe-max-size`.
const PIPE: u64 = 1 << 20;
/// So many descriptors are looked at more closely.
const MOST_SIZED: usize = 4096;
/// So many sockets and pipes are told apart.
const MOST_INODES: usize = 50_000;

/// What a descriptor leads to.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Pipe(u64),
    Socket(u64),
    /// An object whose `fdinfo` says how large it is.
    Sized,
    Other,
}

impl Target {
    /// `pipe:[42]`, `socket:[42]`, `anon_inode:bpf-map`, `anon_inode:[io_uring]`, `/dmabuf:name`.
    fn of(link: &str) -> Self {
        let inode = |kind| link.strip_prefix(kind)?.strip_suffix(']')?.parse().ok();
        if let Some(inode) = inode("pipe:[") {
            Self::Pipe(inode)
        } else if let Some(inode) = inode("socket:[") {
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
pub(in crate::evidence) fn collect(
    meter: &mut Meter<'_>,
    processes: &mut Processes,
    found: &mut Holdings,
) -> Result<(), Halt> {
    let capacity = meter.number("/proc/sys/fs/pipe-max-size").unwrap_or(PIPE);
    let mut look = Look {
        pipes: Owners::of("pipes", "pipes"),
        capacity,
        seen: HashSet::new(),
        denied: 0,
    };
    let count = processes.all.len();
    let result = (0..count).try_for_each(|place| look.look_into(meter, processes, place));
    look.pipes
        .hold_within(Class::Unaccounted, Certainty::AtMost, found, meter);
    result?;
    if look.denied > count / 10 {
        return Err(Halt::Partly(format!(
            "{} of {count} processes may not be looked into: that needs CAP_SYS_PTRACE",
            look.denied
        )));
    }
    Ok(())
}

struct Look {
    pipes: Owners,
    capacity: u64,
    /// Pipes that processes of one name share are counted once for them.
    seen: HashSet<(String, u64)>,
    denied: usize,
}

impl Look {
    fn look_into(
        &mut self,
        meter: &mut Meter<'_>,
        processes: &mut Processes,
        place: usize,
    ) -> Result<(), Halt> {
        let process = processes.all[place].clone();
        let directory = format!("/proc/{}/fd", process.pid);
        let Some(names) = unless_gone(meter.list(&directory))? else {
            self.denied += 1;
            return Ok(());
        };
        let mut count = 0;
        for name in names {
            meter.check()?;
            // Closed meanwhile, or of a process with more rights than ours.
            let Ok(link) = meter.root.link(&format!("{directory}/{name}")) else {
                continue;
            };
            meter.note(link.len());
            match Target::of(&link) {
                Target::Pipe(inode) => {
                    let is_full = self.seen.len() >= MOST_INODES;
                    if is_full || self.seen.insert((process.name.clone(), inode)) {
                        count += 1;
                    }
                }
                Target::Socket(inode) if processes.sockets.len() < MOST_INODES => {
                    processes.sockets.entry(inode).or_insert(place);
                }
                Target::Sized if processes.sized.len() < MOST_SIZED => {
                    processes.sized.push((place, name));
                }
                Target::Socket(_) | Target::Sized | Target::Other => {}
            }
        }
        self.pipes
            .add(&process, count, self.capacity.saturating_mul(count));
        Ok(())
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
        assert_eq!(links.map(Target::of), expected);
    }
}

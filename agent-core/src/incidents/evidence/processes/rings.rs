//! `/proc/net/packet` and `/proc/PID/maps`: packet sockets, and the rings that are mapped of them.

use std::collections::BTreeMap;

use super::owners::Owners;
use super::{Processes, namespaces};
use crate::incidents::evidence::budget::{Halt, unless_gone};
use crate::incidents::evidence::comparison::{Certainty, Class};
use crate::incidents::evidence::holdings::Holdings;
use crate::incidents::evidence::meter::Meter;

/// A ring is as large as the mapping of its socket. One that is not mapped is not to be seen.
pub(in crate::incidents::evidence) fn collect(
    meter: &mut Meter<'_>,
    processes: &Processes,
    found: &mut Holdings,
) -> Result<(), Halt> {
    let mut owners = Owners::new("packet rings", "");
    let mut queues = Owners::new("packets in queues", "");
    // The bytes of packet sockets and of what waits in them, by the place of the process.
    let mut sockets = BTreeMap::<usize, u64>::new();
    let mut is_anywhere = false;
    for directory in namespaces::directories(meter, processes)? {
        let result = meter.lines(&format!("{directory}/packet"), |line| {
            if let Some((inode, waiting)) = socket(line) {
                if let Some(place) = processes.sockets.get(&inode) {
                    let sum = sockets.entry(*place).or_default();
                    *sum = sum.saturating_add(waiting);
                }
            }
        });
        is_anywhere |= unless_gone(result)?.is_some();
    }
    if !is_anywhere {
        return Err(Halt::Missing);
    }
    let result = sockets.into_iter().try_for_each(|(place, waiting)| {
        let process = &processes.all[place];
        queues.add(process, 1, waiting);
        let mut mapped = BTreeMap::new();
        let result = meter.lines(&format!("/proc/{}/maps", process.pid), |line| {
            if let Some((inode, bytes)) = mapping(line) {
                let largest = mapped.entry(inode).or_insert(0);
                *largest = bytes.max(*largest);
            }
        });
        owners.add(
            process,
            1,
            mapped.into_values().fold(0, u64::saturating_add),
        );
        unless_gone(result).map(|_| ())
    });
    owners.hold(Class::Unaccounted, Certainty::Exact, found);
    queues.hold(Class::Unaccounted, Certainty::Charged, found);
    result?;
    processes.all_followed()
}

/// Inode and bytes that wait in a line `sk RefCnt Type Proto Iface R Rmem User Inode`.
fn socket(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_ascii_whitespace();
    let waiting = words.nth(6)?.parse().ok()?;
    Some((words.nth(1)?.parse().ok()?, waiting))
}

/// Inode and size in a line `from-to rw-s offset device inode socket:[inode]`.
fn mapping(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_ascii_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let target = words.nth(4)?;
    let inode = target
        .strip_prefix("socket:[")?
        .strip_suffix(']')?
        .parse()
        .ok()?;
    let to = u64::from_str_radix(to, 16).ok()?;
    let from = u64::from_str_radix(from, 16).ok()?;
    Some((inode, to.checked_sub(from)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_packet_names_its_socket() {
        let head = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode";
        let line = "00000000a3615483 2      3    0000   0     0 4096   0      160416";

        assert_eq!(socket(line), Some((160_416, 4096)));
        assert_eq!([head, "", "1 2 3 4 5 6 7 8"].map(socket), [None; 3]);
    }

    #[test]
    fn a_mapping_of_a_socket_has_its_size() {
        let line = "7fcac8a86000-7fcac8e86000 rw-s 00000000 00:09 160416                     socket:[160416]";
        let others = [
            "7fcac8ece000-7fcac8ed2000 r--p 00000000 fe:00 21532                      /usr/lib/_socket.so",
            "7fff-7ffe rw-s 0 00:09 1 socket:[1]",
            "x-y rw-s 0 00:09 1 socket:[1]",
            "",
        ];

        assert_eq!(mapping(line), Some((160_416, 4 << 20)));
        assert_eq!(others.map(mapping), [None; 4]);
    }
}

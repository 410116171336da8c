//! `/proc/net/tcp`, `udp` and the like: what waits in the sockets of processes.

use std::collections::{BTreeMap, HashSet};

use super::owners::Owners;
use super::{Processes, namespaces};
use crate::incidents::evidence::budget::{Halt, unless_gone};
use crate::incidents::evidence::comparison::{Certainty, Class};
use crate::incidents::evidence::holdings::Holdings;
use crate::incidents::evidence::meter::Meter;

const FILES: [&str; 4] = ["tcp", "tcp6", "udp", "udp6"];
/// The size that another socket may have if the kernel does not say: the default of `net.core.rmem_default`.
const BUFFER: u64 = 212_992;

/// Collects what waits in sockets. Of TCP and UDP that is known; of others, such as local ones, only how much may wait.
pub(in crate::incidents::evidence) fn collect(
    meter: &mut Meter<'_>,
    processes: &Processes,
    found: &mut Holdings,
) -> Result<(), Halt> {
    let capacity = meter
        .number("/proc/sys/net/core/rmem_default")
        .unwrap_or(BUFFER);
    let mut waiting = BTreeMap::<usize, u64>::new();
    let mut known = HashSet::new();
    let mut is_anywhere = false;
    for directory in namespaces::directories(meter, processes)? {
        for file in FILES {
            let result = meter.lines(&format!("{directory}/{file}"), |line| {
                let Some((inode, bytes)) = socket(line) else {
                    return;
                };
                if let Some(place) = processes.sockets.get(&inode) {
                    known.insert(inode);
                    let sum = waiting.entry(*place).or_default();
                    *sum = sum.saturating_add(bytes);
                }
            });
            is_anywhere |= unless_gone(result)?.is_some();
        }
    }
    let mut others = BTreeMap::<usize, u64>::new();
    for (inode, place) in &processes.sockets {
        if !known.contains(inode) {
            *others.entry(*place).or_default() += 1;
        }
    }
    let (mut queues, mut buffers) = (
        Owners::new("data in sockets", ""),
        Owners::new("other sockets", "sockets"),
    );
    for (place, bytes) in waiting {
        queues.add(&processes.all[place], 1, bytes);
    }
    for (place, count) in others {
        buffers.add(&processes.all[place], count, capacity.saturating_mul(count));
    }
    queues.hold(Class::Unaccounted, Certainty::Charged, found);
    buffers.hold_within(Class::Unaccounted, Certainty::AtMost, found, meter);
    if is_anywhere {
        processes.all_followed()
    } else {
        Err(Halt::Missing)
    }
}

/// Inode and bytes in both queues of a line `sl local remote st tx:rx tr:when retransmits uid timeout inode ...`.
fn socket(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_ascii_whitespace();
    let (sent, received) = words.nth(4)?.split_once(':')?;
    let inode = words.nth(4)?.parse().ok()?;
    let sent = u64::from_str_radix(sent, 16).ok()?;
    let received = u64::from_str_radix(received, 16).ok()?;
    Some((inode, sent.saturating_add(received)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_has_two_queues() {
        let tcp = "   0: 0100007F:07E8 0100007F:A1B2 01 00001000:00000200 00:00000000 00000000     0        0 1618 1 00000000c9973b78 100 0 0 10 0";
        let udp = " 2069: 00000000:14E9 00000000:0000 07 00000000:00000300 00:00000000 00000000   102        0 20311 2 0000000000000000 0";

        assert_eq!(socket(tcp), Some((1618, 0x1200)));
        assert_eq!(socket(udp), Some((20_311, 0x300)));
    }

    #[test]
    fn other_lines_are_passed_over() {
        let lines = [
            "",
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
            "0: a b 01 x:y 0 0 0 0 5",
            "0: a b 01 1:2 0 0 0 0 -5",
        ];

        assert_eq!(lines.map(socket), [None; 4]);
    }
}

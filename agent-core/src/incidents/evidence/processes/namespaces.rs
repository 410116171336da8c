//! The network namespaces of processes: each has files of its own below `/proc/PID/net`.

use std::collections::HashSet;

use super::Processes;
use crate::incidents::evidence::budget::Halt;
use crate::incidents::evidence::meter::Meter;

/// The number of namespaces that are looked into; a machine with more runs as many containers.
const MOST: usize = 64;

/// Returns a directory such as `/proc/net` for each namespace in which one of these processes has a socket. Our own
/// comes first.
///
/// # Errors
///
/// Returns an error if time or room has run out.
pub(super) fn directories(
    meter: &mut Meter<'_>,
    processes: &Processes,
) -> Result<Vec<String>, Halt> {
    let mut seen: HashSet<String> = meter.link("/proc/self/ns/net").into_iter().collect();
    let mut directories = vec!["/proc/net".to_owned()];
    let mut places: Vec<usize> = processes.sockets.values().copied().collect();
    places.sort_unstable();
    places.dedup();
    for place in places {
        meter.check()?;
        let pid = processes.all[place].pid;
        let Ok(namespace) = meter.link(&format!("/proc/{pid}/ns/net")) else {
            continue;
        };
        if seen.insert(namespace) && directories.len() < MOST {
            directories.push(format!("/proc/{pid}/net"));
        }
    }
    Ok(directories)
}

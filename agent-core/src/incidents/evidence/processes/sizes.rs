//! `/proc/PID/fdinfo`: objects that say how large they are.

use std::collections::HashSet;

use super::Processes;
use super::owners::Owners;
use crate::incidents::evidence::budget::Halt;
use crate::incidents::evidence::comparison::{Certainty, Class};
use crate::incidents::evidence::holdings::Holdings;
use crate::incidents::evidence::meter::Meter;

/// An object with a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Object {
    /// A map of BPF, by its number.
    Map(u64, Class),
    /// A DMA buffer, by its inode.
    Buffer(u64),
    /// The queues of an `io_uring`, by its inode.
    Rings(u64),
    /// The bytes that are registered with an `io_uring`: pages of the process, which it may have unmapped.
    Registered(u64),
}

/// Each object counts once, for the first process that has it open.
pub(in crate::incidents::evidence) fn collect(
    meter: &mut Meter<'_>,
    processes: &Processes,
    found: &mut Holdings,
) -> Result<(), Halt> {
    if processes.all.is_empty() {
        return Err(Halt::Missing);
    }
    let mut seen = HashSet::new();
    let mut owners = Vec::new();
    let result = processes.sized.iter().try_for_each(|(place, name)| {
        let process = &processes.all[*place];
        let file = format!("/proc/{}/fdinfo/{name}", process.pid);
        let text = meter.text_unless_gone(&file)?.unwrap_or_default();
        for (object, bytes) in objects(&text) {
            if seen.insert(object) {
                add(&mut owners, object, |owners| owners.add(process, 1, bytes));
            }
        }
        Ok(())
    });
    for (kind, owners) in owners {
        owners.hold(kind.class, kind.certainty, found);
    }
    result?;
    processes.all_followed()
}

/// A kind of objects, and how they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    what: &'static str,
    unit: &'static str,
    class: Class,
    certainty: Certainty,
}

impl Object {
    fn kind(self) -> Kind {
        let (what, unit, class, certainty) = match self {
            Self::Map(_, class) => ("BPF maps", "maps", class, Certainty::Exact),
            Self::Buffer(_) => (
                "DMA buffers",
                "buffers",
                Class::Unaccounted,
                Certainty::Exact,
            ),
            Self::Rings(_) => (
                "io_uring queues",
                "rings",
                Class::Unaccounted,
                Certainty::Exact,
            ),
            Self::Registered(_) => (
                "buffers registered with io_uring",
                "",
                Class::Orphans,
                Certainty::AtMost,
            ),
        };
        Kind {
            what,
            unit,
            class,
            certainty,
        }
    }
}

fn add(owners: &mut Vec<(Kind, Owners)>, object: Object, add: impl FnOnce(&mut Owners)) {
    let kind = object.kind();
    let place = owners.iter().position(|(each, _)| *each == kind);
    let place = place.unwrap_or_else(|| {
        owners.push((kind, Owners::new(kind.what, kind.unit)));
        owners.len() - 1
    });
    add(&mut owners[place].1);
}

/// The objects behind a descriptor, with their bytes.
fn objects(text: &str) -> Vec<(Object, u64)> {
    if let (Some(id), Some(bytes)) = (number(text, "map_id"), number(text, "memlock")) {
        let flags = field(text, "map_flags").and_then(hexadecimal).unwrap_or(0);
        let class = class_of_map(number(text, "map_type").unwrap_or(0), flags);
        return vec![(Object::Map(id, class), bytes)];
    }
    let Some(inode) = number(text, "ino") else {
        return Vec::new();
    };
    if let (Some(bytes), Some(_)) = (number(text, "size"), field(text, "exp_name")) {
        return vec![(Object::Buffer(inode), bytes)];
    }
    let (Some(submissions), Some(completions)) = (mask(text, "SqMask"), mask(text, "CqMask"))
    else {
        return Vec::new();
    };
    // An entry of the one has 64 bytes, and 4 for its place beside the other, which has 16 an entry. Each is a
    // block of pages, whose number is a power of two.
    let places = submissions.saturating_add(1).saturating_mul(4);
    let both = completions
        .saturating_add(1)
        .saturating_mul(16)
        .saturating_add(places);
    let queues = block_size(submissions.saturating_add(1).saturating_mul(64)) + block_size(both);
    let mut objects = vec![(Object::Rings(inode), queues)];
    objects.push((Object::Registered(inode), registered(text)));
    objects
}

fn number(text: &str, key: &str) -> Option<u64> {
    field(text, key)?.parse().ok()
}

fn mask(text: &str, key: &str) -> Option<u64> {
    field(text, key).and_then(hexadecimal)
}

/// Returns the size of the block of pages that holds so much.
fn block_size(bytes: u64) -> u64 {
    bytes.clamp(4096, 1 << 40).next_power_of_two()
}

/// The value after `key:` and blanks.
fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    lines.find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(':')?.trim()))
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// Buffers are listed below `UserBufs:` as `number: address/length`.
fn registered(text: &str) -> u64 {
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("UserBufs:"))
        .skip(1);
    lines
        .map_while(length_of_buffer)
        .fold(0, u64::saturating_add)
}

fn length_of_buffer(line: &str) -> Option<u64> {
    let (number, buffer) = line.split_once(": 0x")?;
    let _number: u64 = number.trim().parse().ok()?;
    buffer.rsplit_once('/')?.1.trim().parse().ok()
}

/// Types of maps with a copy for each CPU, as in `enum bpf_map_type`.
const PER_CPU: [u64; 4] = [5, 6, 10, 21];
/// Types of maps whose elements are objects of the slab.
const HASHES: [u64; 4] = [1, 9, 11, 13];
/// `BPF_F_NO_PREALLOC`.
const NO_PREALLOCATION: u64 = 1;
/// A ring buffer maps pages that no figure of the kernel counts.
const RING_BUFFERS: [u64; 2] = [27, 31];

fn class_of_map(kind: u64, flags: u64) -> Class {
    if PER_CPU.contains(&kind) {
        Class::PerCpu
    } else if RING_BUFFERS.contains(&kind) {
        Class::Unaccounted
    } else if HASHES.contains(&kind) && flags & NO_PREALLOCATION != 0 {
        Class::Slab
    } else {
        Class::Vmalloc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_says_what_it_takes() {
        let map = |kind, flags| {
            format!(
                "pos:\t0\nino:\t1038\nmap_type:\t{kind}\nmap_flags:\t{flags}\nmemlock:\t4194616\nmap_id:\t25\n"
            )
        };

        let shown = [(2, "0x0"), (5, "0x0"), (1, "0x1"), (1, "0x0"), (27, "0x0")]
            .map(|(kind, flags)| objects(&map(kind, flags)));

        let classes = [
            Class::Vmalloc,
            Class::PerCpu,
            Class::Slab,
            Class::Vmalloc,
            Class::Unaccounted,
        ];
        assert_eq!(
            shown,
            classes.map(|class| vec![(Object::Map(25, class), 4_194_616)])
        );
    }

    #[test]
    fn an_io_uring_has_queues_and_buffers() {
        let text = "ino:\t7\nSqMask:\t0x3f\nCqMask:\t0x7f\nUserFiles:\t0\nUserBufs:\t2\n    0: 0x7f0000000000/4096\n    1: 0x7f0000100000/8192\nPollList:\n  op=1\n";

        let expected = [
            (Object::Rings(7), 4096 + 4096),
            (Object::Registered(7), 12_288),
        ];
        assert_eq!(objects(text), expected);
    }

    #[test]
    fn a_dma_buffer_has_a_size() {
        let text = "ino:\t9\nsize:\t8294400\ncount:\t2\nexp_name:\tdrm\n";

        assert_eq!(objects(text), [(Object::Buffer(9), 8_294_400)]);
    }

    #[test]
    fn other_descriptors_have_none() {
        for text in [
            "",
            "ino:\t9\nsize:\t12\n",
            "SqMask:\t0x3f\nCqMask:\t0x7f\n",
            "ino:\t1\nSqMask:\t3f\n",
            "map_id:\t1\n",
        ] {
            assert_eq!(objects(text), [], "{text:?}");
        }
    }
}

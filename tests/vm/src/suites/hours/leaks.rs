//! The leaks, and what is promised of each.

use super::super::{Bench, set};

pub(super) const HOUR: u32 = 3600;

/// A leak at a steady rate, and what is promised.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leak {
    pub(super) name: &'static str,
    pub(super) machine_mib: u64,
    class: &'static str,
    parameters: &'static str,
    /// Of the quiet time before it, of the leak, and after all was given back.
    hours: [u32; 3],
    pub(super) severity: &'static str,
    /// When it is told at the latest: the promise and one stretch of its horizon more.
    pub(super) within: u32,
    /// Whom the evidence names first, where a file of the kernel knows.
    pub(super) owner: Option<&'static str>,
}

/// 100 MiB an hour of a machine of 8 GiB. Parts of ten seconds are short beside a scan, and let the machine sleep in between.
const PAGES: Leak = Leak {
    name: "pages-100m",
    machine_mib: 8192,
    class: "pages-order0",
    parameters: "part_ms=10000 rate=28",
    hours: [26, 7, 1],
    severity: "warning",
    within: 6 * HOUR + 1800,
    owner: None,
};

pub(super) const LEAKS: [Leak; 6] = [
    Leak {
        name: "pages-1g",
        // On a smaller one a twentieth of memory is gone before the hour is over, which is a jump.
        machine_mib: 24_576,
        parameters: "part_ms=10000 rate=291",
        hours: [26, 2, 1],
        within: HOUR + 300,
        ..PAGES
    },
    PAGES,
    Leak {
        name: "pages-10m",
        parameters: "part_ms=10000 rate=3",
        hours: [26, 21, 1],
        severity: "notice",
        within: 18 * HOUR + 7200,
        ..PAGES
    },
    Leak {
        name: "kmalloc-100m",
        class: "kmalloc",
        parameters: "part_ms=10000 rate=28 object=1024",
        owner: Some("kmalloc-1k"),
        ..PAGES
    },
    Leak {
        name: "vmalloc-100m",
        class: "vmalloc",
        owner: Some("lose_vmalloc"),
        ..PAGES
    },
    Leak {
        name: "pipes-100m",
        class: "pipes",
        owner: Some("pipes of lose"),
        ..PAGES
    },
];

impl Leak {
    pub(super) fn settings(&self, bench: &Bench<'_>) -> Vec<(&'static str, String)> {
        let [quiet, lose, after] = self.hours.map(|hours| hours * HOUR);
        vec![
            set("CLASS", self.class),
            set("PARAMETERS", self.parameters),
            set("QUIET_SECS", bench.secs(quiet, HOUR)),
            set("LOSE_SECS", lose),
            set("AFTER_SECS", after),
        ]
    }
}

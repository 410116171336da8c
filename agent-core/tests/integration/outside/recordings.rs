//! The traces of `tests/traces`: what each rule of the classic detector looks like on a machine.

use super::recording::{Recording, growing};

/// All of them, by the names of their files.
pub(crate) fn all() -> [(&'static str, Recording); 7] {
    [
        ("seed-example", seed_example()),
        ("slow", slow()),
        ("sudden", sudden()),
        ("nine-scans", nine_scans()),
        ("suspend", suspend()),
        ("hotplug", hotplug()),
        ("hugepages", hugepages()),
    ]
}

/// The worked example of the seed, and what its log says from later.
pub(crate) fn seed_example() -> Recording {
    let fields = [
        ("MemTotal", 790_680_500),
        ("MemFree", 785_261_676),
        ("Buffers", 751_908),
        ("Cached", 1_710_116),
        ("SwapCached", 0),
        ("Unevictable", 16_576),
        ("AnonPages", 83_392),
        ("KReclaimable", 331_748),
        ("SUnreclaim", 281_952),
        ("KernelStack", 15_168),
        ("PageTables", 2_148),
        ("SecPageTables", 0),
        ("CmaTotal", 0),
    ];
    let note = "the worked example of the seed: 2225816 kB, later 1541744 kB";
    let mut recording = Recording::of_fields(&fields, note);
    recording.scans(&[2_225_816, 1_541_744]).clone()
}

/// Ten scans, each with more than 10 % more. Two other fields change meanwhile, one by exactly 10 %.
pub(crate) fn slow() -> Recording {
    let series = growing(100_000, 10);
    let mut recording = Recording::new("at rest, then 10 scans with more than 10 % more each");
    recording.scans(&[100_000; 3]).scans(&series[1..5]);
    recording.set("Dirty", 900).set("Mapped", 110_000);
    recording.scans(&series[5..]).clone()
}

/// More than twice as much as three scans ago, and so in the next.
pub(crate) fn sudden() -> Recording {
    let mut recording = Recording::new("more than doubled over 3 scans");
    let series = [200_000, 200_000, 250_000, 330_000, 400_001, 500_001];
    recording.scans(&series).clone()
}

/// Nine scans of growth, one without, and nine again.
pub(crate) fn nine_scans() -> Recording {
    let first = growing(100_000, 9);
    let second = growing(first[9], 9);
    let mut recording = Recording::new("9 scans with more than 10 % more each, twice");
    recording.scans(&first).scans(&second).clone()
}

/// Growth before and after a night in which the machine slept.
pub(crate) fn suspend() -> Recording {
    interrupted("asleep for 8 h amid growth", |recording| {
        recording.late(8 * 3_600_000);
    })
}

/// Growth before and after memory was added.
pub(crate) fn hotplug() -> Recording {
    interrupted("MemTotal grows amid growth", |recording| {
        recording.set("MemTotal", 12_000_000);
    })
}

/// Growth before and after huge pages were reserved.
pub(crate) fn hugepages() -> Recording {
    interrupted("huge pages are reserved amid growth", |recording| {
        recording.huge_pages(512);
    })
}

/// Nine scans of growth, something that makes the next scan incomparable, and nine again: 19 in a row.
fn interrupted(note: &str, interrupt: impl FnOnce(&mut Recording)) -> Recording {
    let series = growing(100_000, 19);
    let mut recording = Recording::new(note);
    recording.scans(&series[..10]);
    interrupt(&mut recording);
    recording.scans(&series[10..]).clone()
}

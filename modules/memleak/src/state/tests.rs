use core::time::Duration;

use adaptivemm_module_api::testing::{Machine, Rig, Words, Zone};
use adaptivemm_module_api::units::Pages;
use adaptivemm_module_api::{MAX_STATE, Severity};
use proptest::prelude::*;

use crate::Memleak;

const MIB: u64 = 1 << 20;

/// A machine of 8 GiB with so many MiB lost, and as many in slab memory.
fn machine(minute: u64, lost: u64, slab: u64) -> Machine {
    let free = 7500 - lost - slab;
    let mib = [
        ("MemTotal", 8192),
        ("MemFree", free),
        ("MemAvailable", free),
        ("Buffers", 0),
        ("Cached", 300),
        ("Active(anon)", 200),
        ("Inactive(anon)", 0),
        ("Active(file)", 300),
        ("Inactive(file)", 0),
        ("Unevictable", 0),
        ("AnonPages", 200),
        ("SReclaimable", 50),
        ("SUnreclaim", 50 + slab),
        ("KernelStack", 10),
        ("PageTables", 10),
    ];
    let normal = Zone {
        managed: Some(Pages::new(8192 * 256)),
        ..Zone::new(0, "Normal")
    };
    Machine::new()
        .period(Duration::from_secs(60))
        .uptime(Duration::from_secs(minute * 60))
        .meminfo(&mib.map(|(name, mib)| (name, mib * MIB)))
        .vmstat(&[])
        .zone(normal)
}

/// Lost within hours, with a jump and a leak that comes to its end and goes back.
fn story(minute: u64) -> (u64, u64) {
    let lost = if minute < 40 { 10 } else { 700 };
    let slab = if minute < 150 { 15 * minute } else { 30 };
    (lost, slab)
}

/// So many MiB lost and in slab memory, by the minute.
type Story = fn(u64) -> (u64, u64);

fn scan(rig: &mut Rig, minute: u64) -> Words {
    scan_of(story, rig, minute)
}

fn scan_of(story: Story, rig: &mut Rig, minute: u64) -> Words {
    let (lost, slab) = story(minute);
    rig.scan(&machine(minute, lost, slab))
}

/// All that is said from one minute to another, and what is kept then.
fn run(rig: &mut Rig, minutes: core::ops::Range<u64>) -> (Vec<String>, Vec<u8>) {
    run_of(story, rig, minutes)
}

fn run_of(story: Story, rig: &mut Rig, minutes: core::ops::Range<u64>) -> (Vec<String>, Vec<u8>) {
    let (mut told, mut kept) = (Vec::new(), Vec::new());
    for minute in minutes {
        let words = scan_of(story, rig, minute);
        told.extend(
            words
                .findings
                .iter()
                .map(|finding| format!("{minute}: {finding} {finding:?}")),
        );
        kept = words.kept.unwrap();
    }
    (told, kept)
}

fn fresh() -> Rig {
    Rig::create::<Memleak>(&[]).unwrap()
}

fn after(state: &[u8]) -> Rig {
    Rig::create_after::<Memleak>(&[], state).unwrap()
}

#[test]
fn a_restart_changes_nothing_of_what_is_said() {
    let (whole, end) = run(&mut fresh(), 0..200);
    let warnings = whole
        .iter()
        .filter(|line| line.contains(": warning "))
        .count();
    assert!(warnings == 2, "{whole:?}");

    for cut in [1, 39, 41, 42, 60, 69, 70, 71, 100, 149, 151, 155] {
        let (mut told, kept) = run(&mut fresh(), 0..cut);
        let (rest, cut_end) = run(&mut after(&kept), cut..200);
        told.extend(rest);

        assert_eq!(told, whole, "cut at {cut}");
        assert_eq!(cut_end, end, "cut at {cut}");
    }
}

/// The codes, incidents and growths of what was reported.
fn reports(told: &[Words]) -> Vec<(String, String, f64)> {
    let findings = told.iter().flat_map(|words| &words.findings);
    let reports = findings.filter(|finding| finding.severity == Severity::Warning);
    reports
        .map(|report| {
            let growth = report
                .numbers
                .iter()
                .find(|(name, _)| name == "growth_bytes");
            (
                report.code.clone(),
                report.incident.clone(),
                growth.unwrap().1,
            )
        })
        .collect()
}

/// All that is said of a machine in these minutes.
fn words_of(story: Story, rig: &mut Rig, minutes: core::ops::Range<u64>) -> Vec<Words> {
    minutes.map(|minute| scan_of(story, rig, minute)).collect()
}

/// An eighth more by the classic formula, which misses 122 MiB of this machine at rest, in each of ten minutes.
fn slow(minute: u64) -> (u64, u64) {
    let more = (9..minute.min(20)).fold(132, |missing, _| missing * 9 / 8);
    (more - 122, 0)
}

#[test]
fn a_leak_that_a_restart_cuts_in_two_is_the_same_incident() {
    let jump: Story = |minute| (if minute < 90 { 600 } else { 1100 }, 0);
    let trend: Story = |minute| (10, 20 * minute);
    let all = [
        ("slow-leak", slow as Story, "growth-1140", 289),
        ("jump-leak", jump, "growth-5520", 500),
        ("trend-leak", trend, "growth-3600", 1100),
    ];
    for (code, story, incident, growth) in all {
        let whole = words_of(story, &mut fresh(), 0..100);
        let growth = f64::from(growth << 20);
        assert_eq!(
            reports(&whole),
            [(code.to_owned(), incident.to_owned(), growth)]
        );

        for cut in [2, 15, 19, 61, 66, 70, 91, 92] {
            let kept = whole[cut - 1].kept.as_ref().unwrap();
            let rest = words_of(story, &mut after(kept), cut as u64..100);
            assert!(rest == whole[cut..], "{code} cut at {cut}");
        }
    }
}

#[test]
fn memory_that_leaked_before_a_restart_is_not_the_new_baseline() {
    let (_, kept) = run(&mut fresh(), 0..20);
    let words = after(&kept).scan(&machine(300, 700, 0));

    let before = fresh().scan(&machine(0, 10, 0)).metric("baseline_bytes");
    assert_eq!(words.metric("baseline_bytes"), before);
}

#[test]
fn the_state_of_another_version_is_refused_and_that_is_said_once() {
    let (_, mut kept) = run(&mut fresh(), 0..20);
    kept[0] = 7;
    let mut rig = after(&kept);

    assert_eq!(
        scan(&mut rig, 20).told(),
        [
            "info state-refused: Memory is looked at afresh, as what was seen before a restart cannot be used: \
          it has format 7, and this module knows 6"
        ]
    );
    assert_eq!(scan(&mut rig, 21).told(), [""; 0]);
}

#[test]
fn a_state_that_is_cut_off_or_goes_on_is_refused() {
    let (_, kept) = run(&mut fresh(), 0..20);
    let is_refused = |state: &[u8]| {
        let told = scan(&mut after(state), 20).told();
        told.iter().any(|line| line.ends_with("it makes no sense"))
    };

    assert!(!is_refused(&kept));
    assert!((1..kept.len()).all(|length| length % 97 != 0 || is_refused(&kept[..length])));
    assert!(is_refused(&[&kept[..], b"x"].concat()));
}

#[test]
fn the_largest_state_is_taken() {
    let mut rig = fresh();
    let large = |minute: u64| {
        let text = "Field:            1 kB\n".repeat(400);
        machine(minute, 0, 10 * minute).file("/proc/meminfo", text)
    };
    let kept: Vec<_> = (0..200)
        .map(|minute| rig.scan(&large(minute)).kept)
        .collect();
    let longest = kept.iter().flatten().map(Vec::len).max().unwrap();

    assert!(longest < MAX_STATE, "{longest}");
    assert!(kept.iter().all(Option::is_some));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_are_understood_or_refused(
        noise in prop::collection::vec(any::<u8>(), 1..3000),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30),
    ) {
        let mut kept = run(&mut fresh(), 30..45).1;
        for (place, byte) in changes {
            let place = 2 + place.index(kept.len() - 2);
            kept[place] = byte;
        }
        let noise = [&[4, 0][..], &noise].concat();
        for state in [&kept, &noise] {
            let mut rig = after(state);
            for minute in 45..60 {
                prop_assert_eq!(scan(&mut rig, minute).verdict, adaptivemm_module_api::testing::Verdict::Good);
            }
        }
    }
}

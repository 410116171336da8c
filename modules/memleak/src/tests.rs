//! The module from the outside: what it tells of machines that it watches for hours.

use core::time::Duration;

use adaptivemm_module_api::Severity;
use adaptivemm_module_api::testing::{Machine, Rig, Zone};
use adaptivemm_module_api::units::Pages;

use super::Memleak;

const MIB: u64 = 1 << 20;

/// A machine of 8 GiB, by the MiB that its amounts have above those that it started with.
#[derive(Debug, Clone, Copy, Default)]
struct Amounts {
    /// Missing.
    lost: u64,
    slab: u64,
    stacks: u64,
    hugepages: u64,
}

fn machine(minute: u64, amounts: Amounts) -> Machine {
    let Amounts {
        lost,
        slab,
        stacks,
        hugepages,
    } = amounts;
    let free = 7000 - lost - slab - stacks - hugepages;
    let mib = [
        ("MemTotal", 8192),
        ("MemFree", free),
        ("MemAvailable", free),
        ("Buffers", 0),
        ("Cached", 500),
        ("Active(anon)", 300),
        ("Inactive(anon)", 0),
        ("Active(file)", 500),
        ("Inactive(file)", 0),
        ("Unevictable", 0),
        ("AnonPages", 300),
        ("KReclaimable", 100),
        ("SReclaimable", 100),
        ("SUnreclaim", 150 + slab),
        ("KernelStack", 20 + stacks),
        ("PageTables", 20),
        ("VmallocUsed", 70 + stacks),
        ("Percpu", 10),
        ("Hugetlb", hugepages),
    ];
    let normal = Zone {
        managed: Some(Pages::new(8192 * 256)),
        ..Zone::new(0, "Normal")
    };
    Machine::new()
        .period(Duration::from_secs(60))
        .uptime(Duration::from_secs(minute * 60))
        .meminfo(&mib.map(|(name, mib)| (name, mib * MIB)))
        .vmstat(&[("nr_free_pages", 1)])
        .zone(normal)
        .hugepages(
            adaptivemm_module_api::units::Bytes::new(2 * MIB),
            hugepages / 2,
        )
}

#[test]
fn a_zone_of_unknown_size_leaves_no_exact_accounting_and_is_not_taken_for_an_empty_one() {
    let unknown = Zone {
        managed: None,
        ..Zone::new(1, "Normal")
    };

    let words = Rig::create::<Memleak>(&[])
        .unwrap()
        .scan(&machine(0, Amounts::default()).zone(unknown));

    assert_eq!(words.metric("unaccounted_exact_bytes"), None);
    assert!(
        words
            .status
            .contains("no exact accounting: /proc/zoneinfo does not say how many pages a zone has"),
        "{}",
        words.status
    );
}

/// All that is told by verbosity 1, with the minute in which it was.
fn told(minutes: u64, amounts: impl Fn(u64) -> Amounts) -> Vec<String> {
    let mut rig = Rig::create::<Memleak>(&[]).unwrap();
    let scan = |minute| (minute, rig.scan(&machine(minute, amounts(minute))).told());
    let lines = (0..minutes).map(scan).flat_map(|(minute, told)| {
        told.into_iter()
            .map(move |line| format!("{minute}: {line}"))
    });
    lines.filter(|line| !line.contains(": debug ")).collect()
}

/// What is told, up to the first colon of the text.
fn heads(told: &[String]) -> Vec<String> {
    let head = |line: &String| line.splitn(4, ": ").take(3).collect::<Vec<_>>().join(": ");
    told.iter().map(head).collect()
}

#[test]
fn every_series_and_what_is_available_are_published() {
    let amounts = Amounts {
        lost: 1000,
        slab: 100,
        stacks: 10,
        hugepages: 0,
    };
    let words = Rig::create::<Memleak>(&[])
        .unwrap()
        .scan(&machine(0, amounts));

    let mib = |name| words.metric(name).map(|bytes| bytes / f64::from(1 << 20));
    let published = [
        ("unaccounted_exact_bytes", 1042.0),
        ("orphans_bytes", 0.0),
        ("slab_bytes", 250.0),
        ("vmalloc_bytes", 50.0),
        ("per_cpu_bytes", 10.0),
        ("page_tables_bytes", 20.0),
        ("stacks_bytes", 30.0),
        ("available_bytes", 5890.0),
    ];
    assert_eq!(
        published.map(|(name, _)| mib(name)),
        published.map(|(_, amount)| Some(amount))
    );

    let without = machine(0, amounts).meminfo(&[("MemTotal", 1 << 30), ("MemFree", 1 << 29)]);
    let words = Rig::create::<Memleak>(&[]).unwrap().scan(&without);
    assert_eq!(
        published.map(|(name, _)| words.metric(name)),
        [[None; 7].as_slice(), &[Some(f64::from(1 << 29))]].concat()[..]
    );
}

#[test]
fn a_leak_in_a_slab_cache_is_told_with_what_it_means() {
    let lines = told(460, |minute| Amounts {
        slab: 5 * minute,
        ..Amounts::default()
    });

    assert_eq!(
        lines,
        [
            "450: warning trend-leak: Possible memory leak (trend): kernel slab memory (SUnreclaim) grew from 600.0 MiB \
             to 2.2 GiB (+1.6 GiB) in 5.5 h, by 300.0 MiB per hour; the 4.6 GiB available would last about 15.8 h; \
             nothing but kernel slab memory (SUnreclaim) rose; its floor rose in 66 of 66 pairs of 30 minutes, \
             confirmed in 4 of the last 5"
        ]
    );
}

#[test]
fn a_leak_in_two_places_that_all_detectors_see_is_told_as_one_and_again_when_it_doubles() {
    let lines = told(460, |minute| Amounts {
        slab: 3 * minute,
        lost: 7 * minute,
        ..Amounts::default()
    });

    assert_eq!(
        heads(&lines),
        [
            "61: warning jump-leak: Possible memory leak (jump)",
            "114: info level-leak: More evidence of the leak reported 53 min ago",
            "120: info jump-leak: More evidence of the leak reported 59 min ago",
            "179: warning jump-leak: Possible memory leak (jump)",
            "238: info jump-leak: More evidence of the leak reported 3.0 h ago",
            "297: info jump-leak: More evidence of the leak reported 3.9 h ago",
            "356: info jump-leak: More evidence of the leak reported 4.9 h ago",
            "415: warning jump-leak: Possible memory leak (jump)",
            "450: info trend-leak: More evidence of the leak reported 6.5 h ago",
        ]
    );
}

#[test]
fn memory_that_is_lost_at_once_is_told_once_with_what_else_happened() {
    let lines = told(200, |minute| Amounts {
        lost: if minute < 100 { 0 } else { 600 },
        hugepages: if minute < 90 { 0 } else { 64 },
        ..Amounts::default()
    });

    assert_eq!(
        lines,
        [
            "101: warning sudden-leak: Possible sudden memory leak: unaccounted memory more than doubled within 3 scans, \
             and stayed so, from 102.0 MiB to 702.0 MiB (+600.0 MiB) in 240 s; baseline 102.0 MiB; \
             the exact accounting confirms it (42.0 MiB -> 642.0 MiB)",
            "102: info jump-leak: More evidence of the leak reported 60 s ago: Possible memory leak (jump): \
             unaccounted memory grew from 42.0 MiB to 642.0 MiB (+600.0 MiB) within 180 s and stayed there for 3 scans, \
             limit 409.6 MiB; 6.2 GiB available; nothing but unaccounted memory rose; \
             the huge pages changed from 0 B to 64.0 MiB 12 min ago",
        ]
    );
}

/// What a jump is said to have taken, in words, and as a number of seconds: the machine is up for `up` minutes when it is first
/// scanned, and loses memory `after` minutes later. The daemon is started anew at `restarts`, with what it kept.
fn time_of_jump(up: u64, after: u64, restarts: core::ops::Range<u64>) -> (String, f64) {
    let mut rig = Rig::create::<Memleak>(&[]).unwrap();
    let mut kept = Vec::new();
    for minute in up..up + after + 10 {
        if minute == restarts.start {
            rig = Rig::create_after::<Memleak>(&[], &kept).unwrap();
        }
        if restarts.contains(&minute) {
            continue;
        }
        let lost = if minute < up + after { 0 } else { 600 };
        let words = rig.scan(&machine(
            minute,
            Amounts {
                lost,
                ..Amounts::default()
            },
        ));
        kept = words.kept.clone().unwrap_or_default();
        let mut findings = words.findings.iter();
        if let Some(jump) = findings.find(|finding| finding.code == "jump-leak") {
            let text = jump.text.split(" within ").nth(1).unwrap();
            let within = text.split(" and ").next().unwrap();
            let numbers = jump.numbers.iter();
            let duration = numbers.clone().find(|(name, _)| name == "duration_seconds");
            return (within.to_owned(), duration.unwrap().1);
        }
    }
    panic!("no jump")
}

#[test]
fn a_jump_took_no_longer_than_was_watched_however_long_the_machine_is_up() {
    let never = 0..0;
    assert_eq!(
        time_of_jump(29, 2, never.clone()),
        ("180 s".to_owned(), 180.0)
    );
    assert_eq!(
        time_of_jump(44, 30, never.clone()),
        ("180 s".to_owned(), 180.0)
    );
    assert_eq!(time_of_jump(5000, 2, never), ("180 s".to_owned(), 180.0));
}

#[test]
fn a_jump_around_a_restart_took_as_long_as_since_the_daemon_before_saw_less() {
    assert_eq!(
        time_of_jump(44, 30, 71..75),
        ("420 s".to_owned(), 420.0),
        "at minute 70 it was seen without, at 77 with it"
    );
}

/// Every finding of an incident: its minute, its code, and what the incident is called.
fn incidents(minutes: u64, amounts: impl Fn(u64) -> Amounts) -> Vec<String> {
    let mut rig = Rig::create::<Memleak>(&[]).unwrap();
    let scan = |minute| (minute, rig.scan(&machine(minute, amounts(minute))).findings);
    let findings = (0..minutes).map(scan).flat_map(|(minute, findings)| {
        for finding in &findings {
            assert_eq!(finding.ends_incident, finding.code == "leak-over");
            assert_eq!(finding.is_leak, finding.code.ends_with("-leak"));
        }
        let of_incidents = findings
            .into_iter()
            .filter(|finding| !finding.incident.is_empty());
        of_incidents.map(move |finding| format!("{minute}: {} {}", finding.code, finding.incident))
    });
    findings.collect()
}

#[test]
fn one_growth_is_one_incident_from_the_first_warning_to_its_end() {
    let findings = incidents(260, |minute| Amounts {
        lost: match minute {
            100..150 => 600,
            _ => 0,
        },
        ..Amounts::default()
    });

    assert_eq!(
        findings,
        [
            "101: sudden-leak growth-6060",
            "102: jump-leak growth-6060",
            "155: leak-over growth-6060",
        ]
    );
}

/// The first growth is gone, and before that was seen another one comes.
#[test]
fn an_incident_ends_when_another_growth_takes_its_place() {
    let findings = incidents(260, |minute| Amounts {
        lost: match minute {
            100..103 => 600,
            107..150 => 900,
            _ => 0,
        },
        ..Amounts::default()
    });

    let ends = |incident: &str| {
        let end = format!(": leak-over {incident}");
        findings
            .iter()
            .filter(|finding| finding.ends_with(&end))
            .count()
    };
    let opened = |index: usize| findings[index].rsplit(' ').next().unwrap_or_default();
    let first = opened(0);
    let last = opened(findings.len() - 1);
    assert_ne!(first, last, "{findings:?}");
    assert_eq!((ends(first), ends(last)), (1, 1), "{findings:?}");
}

#[test]
fn the_core_is_asked_for_evidence_when_a_floor_rises_for_the_first_time() {
    let findings = incidents(700, |minute| Amounts {
        slab: 3 * if minute < 600 { minute } else { 0 },
        lost: 7 * if minute < 600 { minute } else { 0 },
        ..Amounts::default()
    });

    assert_eq!(findings[0], "60: trend-suspicion growth-3600");
    assert!(findings[1].starts_with("61: jump-leak "), "{findings:?}");
    assert!(findings[findings.len() - 1].contains(": leak-over "));
    let is_same = |finding: &String| finding.ends_with(" growth-3600");
    assert!(findings.iter().all(is_same), "{findings:?}");
}

#[test]
fn memory_that_was_lost_before_is_an_incident_of_its_own() {
    let findings = incidents(200, |minute| Amounts {
        lost: 1000 + if minute < 100 { 0 } else { 1200 },
        ..Amounts::default()
    });

    assert_eq!(
        findings,
        [
            "2: level-leak level",
            "101: sudden-leak growth-6060",
            "102: jump-leak growth-6060",
        ]
    );
}

#[test]
fn missing_memory_that_was_seen_to_grow_is_an_incident_with_what_sees_it_later() {
    let findings = incidents(1600, |minute| Amounts {
        lost: 2 * minute,
        ..Amounts::default()
    });

    let told = |code| findings.iter().position(|finding| finding.contains(code));
    assert!(told("level-leak").is_some(), "{findings:?}");
    assert!(told("level-leak") < told("trend-leak"), "{findings:?}");
    assert!(
        findings
            .iter()
            .all(|finding| finding.ends_with(" growth-3600")),
        "{findings:?}"
    );
}

#[test]
fn memory_that_is_lost_right_after_the_start_is_a_jump_too() {
    let off = [("classic", false.into()), ("level", false.into())];
    let mut rig = Rig::create::<Memleak>(&off).unwrap();
    // Of the first stretch of five minutes.
    let told: Vec<_> = (0..5)
        .flat_map(|minute| {
            let amounts = Amounts {
                lost: if minute < 2 { 0 } else { 600 },
                ..Amounts::default()
            };
            let lines = rig.scan(&machine(minute, amounts)).told();
            lines
                .into_iter()
                .map(move |line| format!("{minute}: {line}"))
        })
        .filter(|line| line.contains("leak"))
        .collect();

    assert_eq!(
        heads(&told),
        ["4: warning jump-leak: Possible memory leak (jump)"]
    );
}

#[test]
fn memory_that_comes_and_goes_is_no_level_to_warn_of_until_a_week_never_saw_it_go() {
    const DAY: u64 = 24 * 60;
    let mut rig =
        Rig::create::<Memleak>(&[("jump", false.into()), ("classic", false.into())]).unwrap();
    let mut levels = Vec::new();
    for minute in 0..18 * DAY {
        // More than a tenth of memory, but not at night; from the ninth day on it stays.
        let is_night = minute < 9 * DAY && minute % DAY < 6 * 60;
        let amounts = Amounts {
            lost: if is_night { 0 } else { 900 },
            ..Amounts::default()
        };
        let findings = rig.scan(&machine(minute, amounts)).findings;
        let of_level = findings
            .into_iter()
            .filter(|finding| finding.code == "level-leak");
        levels.extend(of_level.map(|finding| (minute / DAY, finding.severity)));
    }

    assert_eq!(levels, [(0, Severity::Notice), (15, Severity::Warning)]);
}

#[test]
fn what_comes_back_is_said_to() {
    let lines = told(200, |minute| Amounts {
        stacks: 20 * if minute < 100 { minute } else { 0 },
        ..Amounts::default()
    });

    assert_eq!(
        lines,
        [
            "70: warning trend-leak: Possible memory leak (trend): memory for kernel stacks (KernelStack) grew from \
             220.0 MiB to 1.3 GiB (+1.1 GiB) in 55 min, by 1.2 GiB per hour; the 5.5 GiB available would last about \
             4.7 h; nothing but memory for kernel stacks (KernelStack) rose; its floor rose in 66 of 66 pairs of \
             5 minutes, confirmed in 3 of the last 4",
            "105: info leak-over: Probably no leak: of the growth by 1.1 GiB that was reported 35 min ago, 0 B is left",
        ]
    );
}

#[test]
fn each_detector_can_be_switched_off() {
    let off = [
        ("trend", false.into()),
        ("jump", false.into()),
        ("level", false.into()),
        ("classic", false.into()),
    ];
    let mut rig = Rig::create::<Memleak>(&off).unwrap();
    for minute in 0..400 {
        let lost = if minute < 200 { 0 } else { 15 * (minute - 200) };
        let amounts = Amounts {
            lost,
            ..Amounts::default()
        };
        let told = rig.scan(&machine(minute, amounts)).told();
        assert!(!told.iter().any(|line| line.contains("leak")), "{told:?}");
    }
}

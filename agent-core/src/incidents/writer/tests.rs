use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::*;
use crate::incidents::evidence::Class;

const MINUTE: u64 = 60_000;

/// A machine whose cache of this name has so many slabs of a page.
fn machine_with(cache: &str, slabs: u64) -> Root {
    let slabinfo = format!(
        "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : \
         tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n\
         {cache} {slabs} {slabs} 4096 1 1 : tunables 0 0 0 : slabdata {slabs} {slabs} 0\n"
    );
    let files = [
        ("proc/meminfo", "MemTotal: 1048576 kB\n"),
        ("proc/slabinfo", slabinfo.as_str()),
        ("proc/sys/kernel/hostname", "oak\n"),
        ("proc/sys/kernel/osrelease", "6.1.0-56-amd64\n"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    Root::Recorded(files.into_iter().collect())
}

fn config(state_dir: &Path, root: Root) -> IncidentConfig {
    IncidentConfig {
        root,
        state_dir: state_dir.to_owned(),
        boot_id: "this-boot".to_owned(),
        room: IncidentLimits {
            count: 10,
            bytes: 1 << 20,
        },
        census: false,
        budget: EvidenceBudget::default(),
    }
}

fn moment(minutes: u64) -> Moment {
    Moment {
        time: format!("2026-11-28T00:{minutes:02}:13Z"),
        uptime_ms: minutes * MINUTE,
    }
}

fn page_size() -> PageSize {
    PageSize::FOUR_KIB
}

/// Returns that slab memory has this size, at this minute.
fn slab(mib: i64) -> Vec<Level> {
    vec![Level {
        class: Class::Slab,
        bytes: mib << 20,
    }]
}

fn take(minutes: u64, mib: i64) -> WriteTask {
    WriteTask::Take {
        why: Trigger::Start,
        at: moment(minutes),
        levels: slab(mib),
        page_size: page_size(),
    }
}

/// A finding at this minute about memory that has grown for two.
fn heard(minutes: u64, severity: Severity, code: &str, mib: i64) -> WriteTask {
    WriteTask::Hear(Box::new(NewFinding {
        module: "memleak".to_owned(),
        name: "growth-60".to_owned(),
        severity,
        told: FindingRecord {
            at: moment(minutes),
            severity: severity.name().to_owned(),
            code: code.to_owned(),
            text: format!("Possible memory leak, {mib} MiB"),
            ends: code == "leak-over",
            details: Vec::new(),
            numbers: BTreeMap::from([("duration_seconds".to_owned(), 120.0)]),
        },
        history: History::default(),
        levels: slab(mib),
        page_size: page_size(),
        period_ms: 30_000,
        recent_scans: Vec::new(),
    }))
}

fn events(messages: Vec<IncidentMessage>) -> Vec<IncidentEvent> {
    messages.into_iter().map(|message| message.event).collect()
}

/// The attribution of the growth in the record of an incident.
fn attribution(messages: &[IncidentMessage]) -> &Attribution {
    match &messages[0].event {
        IncidentEvent::Recorded {
            attribution: Some(attribution),
            ..
        } => attribution,
        other => panic!("{other:?}"),
    }
}

/// The owner of the best explanation, and its share in percent.
fn best(attribution: &Attribution) -> Option<(&str, f64)> {
    match attribution {
        Attribution::Compared {
            best: Some(best), ..
        } if !best.partial => Some((&best.owner, best.share_percent.round())),
        Attribution::Compared { .. } | Attribution::NotCompared => None,
    }
}

/// A writer that has taken evidence of 10 MiB in a cache that now has 210.
fn clerk_of_a_leak(state_dir: &Path) -> IncidentWriter {
    let mut writer = IncidentWriter::new(config(state_dir, machine_with("kmalloc-4k", 2560)));
    assert_eq!(writer.work(take(1, 10)), []);
    writer.config.root = machine_with("kmalloc-4k", 53_760);
    writer
}

#[test]
fn an_incident_is_kept_with_what_explains_it() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = clerk_of_a_leak(home.path());

    let messages = writer.work(heard(5, Severity::Warning, "trend-leak", 210));

    assert_eq!(messages.len(), 1);
    assert_eq!(
        messages[0].event.incident(),
        Some("20261128-000513-memleak")
    );
    assert_eq!(best(attribution(&messages)), Some(("kmalloc-4k", 100.0)));
    let archive = Archive::below(home.path());
    let incident = archive.read("20261128-000513-memleak").unwrap();
    assert_eq!(incident.machine.host.as_deref(), Some("oak"));
    assert_eq!(incident.machine.mem_total_bytes, 1 << 30);
    assert_eq!(incident.opened, moment(5));
    let comparison = incident.comparison.unwrap();
    assert_eq!(comparison.before.at, moment(1));
    assert_eq!(comparison.growth_bytes, 200 << 20);
    let place = archive.place(&incident.id);
    for file in ["evidence-before.json.zst", "evidence.json.zst"] {
        let evidence: Evidence = archive::unpacked(&place.join(file)).unwrap();
        assert_eq!(evidence.page_size_bytes, 4096);
    }
    let raw = fs::read(place.join("raw/proc_slabinfo.zst")).unwrap();
    let raw = String::from_utf8(zstd::decode_all(raw.as_slice()).unwrap()).unwrap();
    assert!(raw.contains("kmalloc-4k 53760"), "{raw}");
}

#[test]
fn where_programs_may_not_be_looked_into_the_log_says_who_may() {
    let home = tempfile::tempdir().unwrap();
    let mounts = "24 30 0:22 / /proc rw - proc proc rw,hidepid=invisible\n";
    let status = "Name:\tadaptivemmd\nVmPTE:\t 4 kB\nThreads:\t1\n";
    let files = [("proc/self/mountinfo", mounts), ("proc/77/status", status)];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let machine = Root::Recorded(files.into_iter().collect());
    let mut writer = IncidentWriter::new(config(home.path(), machine));
    writer.work(take(1, 10));

    let messages = writer.work(heard(5, Severity::Warning, "trend-leak", 1500));

    let attribution = attribution(&messages);
    assert!(
        matches!(
            attribution,
            Attribution::Compared {
                needs_root: true,
                ..
            }
        ),
        "{attribution:?}"
    );
}

#[test]
fn the_log_calls_nothing_an_explanation_that_was_counted_in_part() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = clerk_of_a_leak(home.path());
    writer.config.root = machine_with("kmalloc-4k", 53_760);
    // Room for half of the lines of slabinfo.
    let half = machine_with("kmalloc-4k", 53_760)
        .read("/proc/slabinfo")
        .unwrap()
        .len() as u64;
    writer.config.budget.text_bytes = half / 2;

    let messages = writer.work(heard(5, Severity::Warning, "trend-leak", 210));

    let attribution = attribution(&messages);
    let is_partial =
        matches!(attribution, Attribution::Compared { best: Some(best), .. } if best.partial);
    assert!(is_partial, "{attribution:?}");
}

#[test]
fn what_is_said_later_of_the_same_growth_is_part_of_the_same_incident() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = clerk_of_a_leak(home.path());
    writer.work(heard(5, Severity::Warning, "trend-leak", 210));

    assert_eq!(writer.work(heard(6, Severity::Info, "jump-leak", 220)), []);
    let again = writer.work(heard(9, Severity::Warning, "trend-leak", 410));
    assert_eq!(again.len(), 1);
    // A daemon after this one knows of it at once.
    let mut next = IncidentWriter::new(config(home.path(), machine_with("kmalloc-4k", 2560)));
    let resumed = next.resume();
    assert_eq!(
        resumed[0].open_since.as_deref(),
        Some("2026-11-28T00:05:13Z"),
        "{resumed:?}"
    );
    let over = writer.work(heard(30, Severity::Info, "leak-over", 20));
    assert_eq!(over[0].open_since, None);
    let id = "20261128-000513-memleak".to_owned();
    assert_eq!(events(over), [IncidentEvent::Over { id }]);
    assert_eq!(next.resume(), []);

    let archive = Archive::below(home.path());
    assert_eq!(archive.ids().unwrap(), ["20261128-000513-memleak"]);
    let incident = archive.read("20261128-000513-memleak").unwrap();
    let codes: Vec<&str> = incident
        .told
        .iter()
        .map(|told| told.code.as_str())
        .collect();
    assert_eq!(
        codes,
        ["trend-leak", "jump-leak", "trend-leak", "leak-over"]
    );
    assert_eq!(incident.over, Some(moment(30)));
    let comparison = incident.comparison.unwrap();
    assert_eq!(
        (comparison.before.at, comparison.after.at),
        (moment(1), moment(9)),
        "always against the evidence of before the growth"
    );
}

#[test]
fn a_growth_after_one_that_is_over_is_another_incident() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = clerk_of_a_leak(home.path());
    writer.work(heard(5, Severity::Warning, "trend-leak", 210));
    writer.work(heard(6, Severity::Info, "leak-over", 10));

    writer.work(heard(20, Severity::Notice, "trend-leak", 210));

    let ids = Archive::below(home.path()).ids().unwrap();
    assert_eq!(ids, ["20261128-000513-memleak", "20261128-002013-memleak"]);
}

#[test]
fn an_incident_and_its_evidence_outlive_the_daemon_but_not_the_boot() {
    let home = tempfile::tempdir().unwrap();
    clerk_of_a_leak(home.path()).work(heard(5, Severity::Warning, "trend-leak", 210));
    let machine = machine_with("kmalloc-4k", 100_000);

    let mut next = IncidentWriter::new(config(home.path(), machine.clone()));
    next.work(heard(8, Severity::Warning, "trend-leak", 390));

    let archive = Archive::below(home.path());
    assert_eq!(archive.ids().unwrap(), ["20261128-000513-memleak"]);
    let incident = archive.read("20261128-000513-memleak").unwrap();
    assert_eq!(incident.told.len(), 2);
    assert_eq!(incident.comparison.unwrap().before.at, moment(1));

    let mut rebooted = IncidentWriter::new(IncidentConfig {
        boot_id: "another-boot".to_owned(),
        ..config(home.path(), machine)
    });
    rebooted.work(heard(3, Severity::Warning, "trend-leak", 390));

    assert_eq!(archive.ids().unwrap().len(), 2);
    let newest = archive.read("20261128-000313-memleak").unwrap();
    assert_eq!(newest.comparison, None);
    assert_eq!(
        newest.problems,
        ["there is no evidence of before: the daemon had just started"]
    );
}

#[test]
fn words_that_nobody_would_look_at_keep_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = clerk_of_a_leak(home.path());

    assert_eq!(writer.work(heard(5, Severity::Info, "sudden-leak", 99)), []);
    assert_eq!(writer.work(heard(6, Severity::Info, "leak-over", 10)), []);

    assert!(!Archive::below(home.path()).directory().exists());
}

#[test]
fn where_nothing_can_be_written_the_log_still_says_who_it_was() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("incidents"), "in the way").unwrap();
    let mut writer = clerk_of_a_leak(home.path());

    let messages = writer.work(heard(5, Severity::Warning, "trend-leak", 210));

    let attributions: Vec<_> = messages
        .iter()
        .filter_map(|message| match &message.event {
            IncidentEvent::NotRecorded { attribution, .. } => best(attribution),
            _ => None,
        })
        .collect();
    assert_eq!(attributions, [("kmalloc-4k", 100.0)], "{messages:#?}");
}

#[test]
fn only_so_many_incidents_are_kept() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = clerk_of_a_leak(home.path());
    writer.config.room.count = 3;

    for minute in 10..20 {
        writer.work(heard(minute, Severity::Warning, "trend-leak", 210));
        writer.work(heard(minute, Severity::Info, "leak-over", 210));
    }

    let ids = Archive::below(home.path()).ids().unwrap();
    assert_eq!(
        ids,
        [17, 18, 19].map(|minute| format!("20261128-00{minute}13-memleak"))
    );
}

#[test]
fn a_suspicion_takes_evidence_unless_there_is_some_of_just_now() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = clerk_of_a_leak(home.path());
    let suspicion = |minutes| WriteTask::Take {
        why: Trigger::Suspicion,
        at: moment(minutes),
        levels: slab(50),
        page_size: page_size(),
    };

    writer.work(suspicion(1));
    writer.work(suspicion(3));

    assert_eq!(writer.store.newest(), Some(3 * MINUTE));
    writer.work(heard(5, Severity::Warning, "trend-leak", 210));
    let incident = Archive::below(home.path())
        .read("20261128-000513-memleak")
        .unwrap();
    let before = incident.comparison.unwrap().before;
    assert_eq!((before.why.as_str(), before.at), ("suspicion", moment(3)));
}

#[test]
fn the_scans_after_an_incident_was_opened_are_not_replaced_by_later_ones() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = clerk_of_a_leak(home.path());
    let messages = writer.work(heard(5, Severity::Warning, "trend-leak", 210));
    let id = messages[0].event.incident().unwrap().to_owned();
    let after = |writer: &mut IncidentWriter, scans: usize| {
        let messages = writer.work(WriteTask::After {
            module: "memleak".to_owned(),
            name: "growth-60".to_owned(),
            recent_scans: vec![RecentScan::default(); scans],
        });
        assert_eq!(messages, []);
        fs::read(writer.archive.place(&id).join("after.jsonl.zst")).unwrap()
    };

    let first = after(&mut writer, 2);
    writer.work(heard(9, Severity::Warning, "trend-leak", 420));

    assert_eq!(after(&mut writer, 30), first);
}

#[test]
fn nobody_is_said_to_explain_the_growth_in_an_incident_of_another_module() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = clerk_of_a_leak(home.path());
    let WriteTask::Hear(mut heard) = heard(5, Severity::Warning, "zram-incompressible", 210) else {
        unreachable!()
    };
    "zram-pool".clone_into(&mut heard.module);

    let messages = writer.work(WriteTask::Hear(heard));

    let recorded = IncidentEvent::Recorded {
        id: "20261128-000513-zram-pool".to_owned(),
        attribution: None,
    };
    assert_eq!(events(messages), [recorded]);
}

#[test]
fn of_very_many_findings_the_first_and_the_latest_are_kept() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = clerk_of_a_leak(home.path());
    for mib in 0..200 {
        let minute = 5 + u64::try_from(mib).unwrap() / 4;
        writer.work(heard(minute, Severity::Warning, "trend-leak", 210 + mib));
    }

    let archive = Archive::below(home.path());
    let incident = archive.read("20261128-000513-memleak").unwrap();

    assert_eq!(
        incident.first_reported().unwrap().text,
        "Possible memory leak, 210 MiB"
    );
    assert_eq!(
        incident.headline().unwrap().text,
        "Possible memory leak, 409 MiB"
    );
    assert_eq!((incident.told.len(), incident.told_more), (64, 136));
}

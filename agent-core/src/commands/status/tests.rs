//! The screen, to the letter.

use std::collections::BTreeMap;

use super::*;
use crate::status::{ForOthers, Log, Reload};

fn module(name: &str, state: &str, why: Option<&str>) -> Module {
    Module {
        name: name.to_owned(),
        version: "1".to_owned(),
        state: state.to_owned(),
        why: why.map(str::to_owned),
        mode: "active".to_owned(),
        isolation: "none".to_owned(),
        files: Files::default(),
        status: Some(format!("{name} sees something")),
        metrics: BTreeMap::new(),
    }
}

fn decision(id: u64, changed: bool) -> RecentDecision {
    RecentDecision {
        id,
        time: "2026-11-28T01:02:03Z".to_owned(),
        module: "free-pages".to_owned(),
        action: "vm.watermark_scale_factor = 658".to_owned(),
        outcome: if changed { "done" } else { "advised" }.to_owned(),
        outcome_text: if changed {
            "done, was 10"
        } else {
            "advised, not done"
        }
        .to_owned(),
        changed,
        reason: "node 0 uses 8000 pages/s".to_owned(),
        effect: None,
        effect_text: changed.then(|| "better since: no stalls".to_owned()),
    }
}

fn machine() -> Machine {
    Machine {
        memory_bytes: Some(24 << 30),
        free_bytes: Some(3 << 30),
        available_bytes: None,
        pressure_some_percent: Some(0.5),
        pressure_full_percent: None,
    }
}

fn summary() -> Summary {
    Summary {
        version: "0.1.0".to_owned(),
        pid: 812,
        started: "2026-11-28T00:00:00Z".to_owned(),
        running_seconds: 7384.0,
        period_seconds: 30.0,
        scans: 246,
        scanned_seconds_ago: 12.0,
        scanned_at_seconds: 0.0,
        scan_seconds: 0.000_23,
        scans_seconds: 0.1,
        steady: true,
        machine: machine(),
        tunables: vec![
            TunableState {
                name: "vm.watermark_scale_factor".to_owned(),
                value: Some(658),
                original: Some(10),
                owner: Some("free-pages".to_owned()),
                yielded: false,
            },
            TunableState {
                name: "fs.negative-dentry-limit".to_owned(),
                value: None,
                original: None,
                owner: Some("negative-dentry".to_owned()),
                yielded: true,
            },
        ],
        modules: vec![
            Module {
                mode: "advise".to_owned(),
                ..module("free-pages", "running", None)
            },
            module("memleak", "quarantined", Some("for 60 s: broke down")),
        ],
        decisions: vec![decision(17, true), decision(18, false)],
        incidents: vec![RecentIncident {
            id: "20261128-010000-memleak".to_owned(),
            time: "2026-11-28T01:00:00Z".to_owned(),
            module: "memleak".to_owned(),
            text: "incident 20261128-010000-memleak is kept".to_owned(),
            for_others: ForOthers::default(),
            open_since: Some("2026-11-28T00:30:00Z".to_owned()),
        }],
        requests: Vec::new(),
        messages: vec![Message {
            time: "2026-11-28T01:00:00Z".to_owned(),
            severity: "warning".to_owned(),
            module: "memleak".to_owned(),
            text: "Possible slow memory leak".to_owned(),
        }],
        log: Log::default(),
        reload: Some(Reload {
            time: "2026-11-28T01:00:00Z".to_owned(),
            problem: None,
        }),
    }
}

#[test]
fn everything_that_matters_is_on_one_screen() {
    insta::assert_snapshot!(screen(&summary(), None, &TimeZone::UTC), @r"
    adaptivemmd 0.1.0 runs as process 812, for 2 h 3 min: 246 scans, one every 30 s, the last 12 s ago, in 0.2 ms
    settings     2026-11-28 01:00:00 read again
    memory       24.0 GiB, 3.0 GiB free
                 in the last minute programs waited for memory for 0.50 % of the time
    tunables     vm.watermark_scale_factor = 658, changed by free-pages, originally 10
                 fs.negative-dentry-limit is not in this kernel, paused until `adaptivemmd resume`
    modules      free-pages (only advises): free-pages sees something
                 memleak (quarantined): for 60 s: broke down
    last change  2026-11-28 01:02:03 free-pages: vm.watermark_scale_factor = 658: done, was 10 [decision 17]
                   because node 0 uses 8000 pages/s
                   better since: no stalls
    not done     2026-11-28 01:02:03 free-pages: vm.watermark_scale_factor = 658: advised, not done [decision 18]
                   because node 0 uses 8000 pages/s
    incidents    memleak: leak open since 2026-11-28 00:30:00, last looked at 2026-11-28 01:00:00: incident 20261128-010000-memleak is kept
    warnings     2026-11-28 01:00:00 warning memleak: Possible slow memory leak
    ");
}

#[test]
fn where_there_is_nothing_it_says_so() {
    let quiet = Summary {
        machine: Machine::default(),
        tunables: Vec::new(),
        modules: Vec::new(),
        decisions: Vec::new(),
        incidents: Vec::new(),
        messages: Vec::new(),
        reload: None,
        scans: 1,
        ..summary()
    };

    insta::assert_snapshot!(screen(&quiet, None, &TimeZone::UTC), @r"
    adaptivemmd 0.1.0 runs as process 812, for 2 h 3 min: 1 scan, one every 30 s, the last 12 s ago, in 0.2 ms
    memory       no module reads it
    tunables     none
    modules      none
    last change  none
    warnings     none
    ");
}

#[test]
fn a_span_has_two_units_at_most() {
    let spans = [0.4, 59.0, 61.5, 3600.0, 7384.0, 90_061.0, -1.0, f64::NAN].map(span);

    assert_eq!(
        spans,
        [
            "0 s",
            "59 s",
            "1 min 1 s",
            "1 h",
            "2 h 3 min",
            "1 d 1 h",
            "0 s",
            "0 s"
        ]
    );
}

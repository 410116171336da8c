use std::fmt::Write;
use std::fs;
use std::time::Duration;

use adaptivemm_module_api::units::{PageSize, Uptime};

use super::*;
use crate::actions::ActionOutcome;
use crate::actions::request_outcome::Outcome;
use crate::decisions::system_counters::SystemCounters;
use crate::kernel::{Recorded, Root, Sampler, Wanted};
use crate::modules::output::{Number, Request};

const PERIOD: Duration = Duration::from_secs(30);

/// Decisions about a small machine on which allocations stall, more and more often.
struct Bench {
    decisions: Decisions,
    scan: u32,
}

impl Bench {
    fn new(mut decisions: Decisions) -> Self {
        decisions.watch(vec!["tuner".to_owned()]);
        Self { decisions, scan: 0 }
    }

    fn snapshot(&mut self) -> std::sync::Arc<Snapshot> {
        self.scan += 1;
        let stalls = self.scan * self.scan;
        let files = [
            ("proc/vmstat", format!("allocstall_normal {stalls}\n")),
            ("proc/sys/vm/vfs_cache_pressure", "100\n".to_owned()),
        ];
        let files: Recorded = files
            .into_iter()
            .map(|(path, text)| (path.to_owned(), text.into_bytes()))
            .collect();
        let mut wanted = Wanted::default();
        wanted.add_tunable("vm.vfs_cache_pressure");
        SystemCounters::want(&mut wanted);
        let page_size = Some(PageSize::FOUR_KIB);
        let mut sampler = Sampler::new(Root::Recorded(files), wanted, page_size);
        sampler.take(Uptime(PERIOD * self.scan), PERIOD)
    }

    /// A scan in which requests met these fates. Says what was recorded, and the numbers of the requests.
    fn scan(&mut self, fates: &[(i64, Outcome)]) -> (String, Vec<Option<u64>>) {
        let settled = |(value, outcome): &(i64, Outcome)| RequestOutcome {
            module: "tuner".to_owned(),
            request: request(*value),
            outcome: outcome.clone(),
            decision: None,
        };
        let mut outcomes: Vec<RequestOutcome> = fates.iter().map(settled).collect();
        let snapshot = self.snapshot();
        let records = self.decisions.follow(&snapshot, &[], &[], &mut outcomes);
        let ids = outcomes.iter().map(|settled| settled.decision).collect();
        (told(&records), ids)
    }
}

fn told(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        let _never_fails = match record {
            Record::Decision(it) => write!(text, "{} {} {}; ", it.id, it.action, it.outcome),
            Record::FollowUp(it) => write!(text, "after {}: {}; ", it.id, it.text),
        };
    }
    text
}

fn request(value: i64) -> Request {
    Request {
        action: Action::Set {
            tunable: "vm.vfs_cache_pressure".to_owned(),
            value,
        },
        reason: "dentries grow".to_owned(),
        details: "150: too little\n300: too much\n".to_owned(),
        numbers: vec![Number {
            name: "dentries".to_owned(),
            value: 7.0,
        }],
    }
}

fn done() -> Outcome {
    let before = "100".to_owned();
    Outcome::CarriedOut(ActionOutcome::Done { before })
}

fn too_often() -> Outcome {
    Outcome::CarriedOut(ActionOutcome::TooOften { limit: 12 })
}

#[test]
fn a_fate_that_lasts_is_one_decision() {
    let mut bench = Bench::new(Decisions::unkept());

    let scans = [
        bench.scan(&[(200, Outcome::Advised)]),
        bench.scan(&[(200, Outcome::Advised)]),
        bench.scan(&[(200, too_often()), (150, Outcome::Advised)]),
        bench.scan(&[(150, Outcome::Advised)]),
        bench.scan(&[(200, too_often())]),
    ];

    let [advised, lower, often] = ["200 advised; ", "150 advised; ", "200 too-often; "]
        .map(|text| format!("vm.vfs_cache_pressure = {text}"));
    assert_eq!(
        scans,
        [
            (format!("1 {advised}"), vec![Some(1)]),
            (String::new(), vec![Some(1)]),
            (format!("2 {often}3 {lower}"), vec![Some(2), Some(3)]),
            (String::new(), vec![Some(3)]),
            (format!("4 {often}"), vec![Some(4)]),
        ]
    );
}

#[test]
fn every_change_of_the_machine_is_a_decision_and_what_is_so_already_is_none() {
    let mut bench = Bench::new(Decisions::unkept());

    let ids = [
        done(),
        done(),
        Outcome::CarriedOut(ActionOutcome::AlreadySo),
    ]
    .map(|outcome| bench.scan(&[(200, outcome)]).1);

    assert_eq!(ids, [[Some(1)], [Some(2)], [None]]);
}

#[test]
fn whoever_asks_for_too_much_at_once_does_not_fill_the_log() {
    let mut bench = Bench::new(Decisions::unkept());
    let mut fates: Vec<(i64, Outcome)> = (1..=60).map(|value| (value, Outcome::Advised)).collect();
    fates.push((200, done()));

    let (_, ids) = bench.scan(&fates);

    let known: Vec<u64> = ids.iter().flatten().copied().collect();
    assert_eq!(known, (1..=17).collect::<Vec<u64>>());
    assert_eq!(ids.last(), Some(&Some(17)));
}

#[test]
fn what_happened_afterwards_is_told_after_eight_scans() {
    let mut bench = Bench::new(Decisions::unkept());
    (0..3).for_each(|_| drop(bench.scan(&[])));
    bench.scan(&[(200, done())]);

    let scans: Vec<String> = (0..9).map(|_| bench.scan(&[]).0).collect();

    let quiet = vec![String::new(); 7];
    assert_eq!(scans[..7], quiet);
    assert_eq!(
        scans[7..],
        ["after 1: allocation stalls 0.2/s before, 0.5/s since; ", ""]
    );
}

#[test]
fn at_the_end_it_is_told_how_far_it_came() {
    let mut bench = Bench::new(Decisions::unkept());
    bench.scan(&[(200, done())]);
    let at_once = told(&bench.decisions.cut_short());
    bench.scan(&[(300, done())]);
    bench.scan(&[]);

    let later = bench.decisions.cut_short();

    assert_eq!(at_once, "after 1: there was no scan after it; ");
    let [Record::FollowUp(follow_up)] = &later[..] else {
        panic!("{later:?}");
    };
    assert!(follow_up.cut_short);
    assert_eq!((follow_up.id, follow_up.value_now), (2, Some(100)));
}

#[test]
fn without_a_module_that_changes_something_nothing_is_remembered() {
    let mut bench = Bench::new(Decisions::unkept());
    bench.decisions.watch(Vec::new());

    let told = bench.scan(&[(200, done())]);

    assert_eq!(told, (String::new(), vec![None]));
}

#[test]
fn numbers_go_on_after_a_restart_also_after_a_line_that_was_cut_off() {
    let home = tempfile::tempdir().unwrap();
    let daemon = || {
        let mut bench = Bench::new(Decisions::kept(home.path(), Some("boot".to_owned())));
        bench.scan(&[(200, done())]);
        let (_, ids) = bench.scan(&[(300, done())]);
        bench.decisions.cut_short();
        bench.decisions.end();
        ids[0]
    };

    let first = daemon();
    let path = file::path(home.path());
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 40]).unwrap();
    let second = daemon();

    assert_eq!((first, second), (Some(2), Some(4)));
    let records = file::read(home.path()).unwrap();
    let ids: Vec<u64> = records.iter().map(Record::id).collect();
    assert_eq!(ids, [1, 2, 1, 3, 4, 3, 4]);
}

#[test]
fn what_is_written_is_what_is_read_and_says_when_and_at_which_boot() {
    let home = tempfile::tempdir().unwrap();
    let mut bench = Bench::new(Decisions::kept(home.path(), Some("boot".to_owned())));
    let snapshot = bench.snapshot();
    let mut outcomes = [RequestOutcome {
        module: "tuner".to_owned(),
        request: request(200),
        outcome: done(),
        decision: None,
    }];

    let written = bench.decisions.follow(&snapshot, &[], &[], &mut outcomes);
    bench.decisions.end();

    assert_eq!(file::read(home.path()).unwrap(), written);
    let [Record::Decision(decision)] = &written[..] else {
        panic!("{written:?}");
    };
    let time = decision.time.as_deref().unwrap();
    assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
    assert_eq!(decision.boot_id.as_deref(), Some("boot"));
    assert_eq!(decision.details, ["150: too little", "300: too much"]);
}

#[test]
fn no_directory_is_made_before_there_is_a_module_that_changes_something() {
    let home = tempfile::tempdir().unwrap();
    let state_dir = home.path().join("state");
    let mut decisions = Decisions::kept(&state_dir, None);
    decisions.watch(Vec::new());
    let before = state_dir.exists();

    decisions.watch(vec!["tuner".to_owned()]);

    assert_eq!((before, state_dir.is_dir()), (false, true));
    decisions.end();
}

#[test]
fn samples_have_a_column_per_number_and_a_row_per_scan() {
    let number = |name: &str, value| Number {
        name: name.to_owned(),
        value,
    };
    let scan = |secs, numbers| {
        let system = SystemCounters {
            uptime: Uptime(Duration::from_millis(secs)),
            ..SystemCounters::default()
        };
        (system, "tuner", numbers)
    };
    let history = History::from_scans(vec![
        scan(1500, vec![number("a", 1.0)]),
        scan(2500, vec![number("a", 2.5), number("b", 3.0)]),
    ]);

    let [mine, others] = ["tuner", "other"].map(|module| Samples::from_history(&history, module));

    let metrics = serde_json::to_string(&mine.metrics).unwrap();
    assert_eq!(metrics, r#"{"a":[1,2.5],"b":[null,3]}"#);
    assert_eq!(mine.uptime_seconds, [1.5, 2.5]);
    assert_eq!(mine.allocation_stalls, [None, None]);
    assert!(others.metrics.is_empty());
}

//! The module from the outside, on machines.

use core::time::Duration;

use adaptivemm_module_api::testing::{Machine, Rig, Verdict, Words};

use super::*;

/// What the kernel prints when so much time was spent waiting since boot.
fn pressure(some: Duration, full: Duration) -> String {
    format!(
        "some avg10=12.34 avg60=5.00 avg300=1.00 total={}\nfull avg10=3.21 avg60=1.00 avg300=0.50 total={}\n",
        some.as_micros(),
        full.as_micros()
    )
}

/// The words in each of the scans, every 30 s, between which so many seconds are spent waiting.
fn words(rig: &mut Rig, waits: &[(u64, u64)]) -> Vec<Words> {
    let (mut some, mut full) = (Duration::from_secs(100), Duration::from_secs(50));
    let mut words = Vec::new();
    for (scan, wait) in (0_u32..).zip(waits) {
        some += Duration::from_secs(wait.0);
        full += Duration::from_secs(wait.1);
        let machine = Machine::new()
            .uptime(Duration::from_secs(3600) + scan * Duration::from_secs(30))
            .file(sample::PATH, pressure(some, full));
        words.push(rig.scan(&machine));
    }
    words
}

fn told(words: &[Words]) -> Vec<String> {
    words.iter().flat_map(Words::told).collect()
}

#[test]
fn pressure_is_told_when_it_begins_and_when_it_is_over() {
    let mut rig = Rig::create::<MemoryPressure>(&[]).unwrap();

    let words = words(
        &mut rig,
        &[
            (0, 0),
            (0, 0),
            (15, 0),
            (12, 0),
            (15, 0),
            (4, 0),
            (2, 0),
            (1, 0),
            (0, 0),
        ],
    );

    assert_eq!(
        told(&words),
        [
            "warning some-pressure: Memory pressure: at least one task waited for memory 45.0 % of the last 60 s, \
             limit 20.0 %",
            "info some-normal: Memory pressure is over after 120 s: at least one task waited for memory 5.0 % of the \
             last 60 s",
        ]
    );
}

#[test]
fn a_machine_on_which_nothing_is_done_is_told_apart_from_one_that_is_slow() {
    let mut rig = Rig::create::<MemoryPressure>(&[("for-secs", 30.into())]).unwrap();

    let words = words(&mut rig, &[(0, 0), (3, 3)]);

    assert_eq!(
        told(&words),
        [
            "warning full-pressure: Memory pressure: all tasks at once waited for memory 10.0 % of the last 30 s, \
             limit 5.0 %"
        ]
    );
    let finding = &words[1].findings[0];
    assert_eq!(
        finding.details,
        pressure(Duration::from_secs(103), Duration::from_secs(53))
    );
    let numbers: Vec<_> = finding
        .numbers
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    assert_eq!(
        numbers,
        [
            ("stalled_percent", 10.0),
            ("limit_percent", 5.0),
            ("duration_seconds", 30.0),
            ("stalled_seconds", 3.0),
        ]
    );
}

/// The machines of a trace that holds nothing but pressure, every 10 s.
fn recorded(trace: &str) -> impl Iterator<Item = Machine> {
    trace.lines().skip(1).map(|frame| {
        let (_, rest) = frame.split_once("\"t_ms\":").unwrap();
        let (millis, rest) = rest.split_once(',').unwrap();
        let (_, rest) = rest.split_once("memory\":\"").unwrap();
        let (text, _) = rest.split_once('"').unwrap();
        Machine::new()
            .uptime(Duration::from_millis(millis.parse().unwrap()))
            .period(Duration::from_secs(10))
            .file(sample::PATH, text.replace("\\n", "\n"))
    })
}

#[test]
fn a_recorded_shortage_is_told() {
    let mut rig = Rig::create::<MemoryPressure>(&[("some-percent", 10.into())]).unwrap();
    let machines = recorded(include_str!("../tests/stall.jsonl"));

    let words: Vec<Words> = machines.map(|machine| rig.scan(&machine)).collect();

    assert_eq!(
        told(&words),
        [
            "warning full-pressure: Memory pressure: all tasks at once waited for memory 9.1 % of the last 60 s, \
             limit 5.0 %",
            "warning some-pressure: Memory pressure: at least one task waited for memory 11.2 % of the last 60 s, \
             limit 10.0 %",
            "info some-normal: Memory pressure is over after 100 s: at least one task waited for memory 0.0 % of the \
             last 60 s",
            "info full-normal: Memory pressure is over after 110 s: all tasks at once waited for memory 0.0 % of the \
             last 60 s",
        ]
    );
}

#[test]
fn limits_can_be_chosen() {
    let options = [("some-percent", 60.into()), ("full-percent", 60.into())];
    let mut rig = Rig::create::<MemoryPressure>(&options).unwrap();

    assert_eq!(
        told(&words(&mut rig, &[(0, 0), (15, 15), (15, 15), (15, 15)])),
        [""; 0]
    );
}

#[test]
fn every_scan_has_its_numbers_and_says_how_things_stand() {
    let mut rig = Rig::create::<MemoryPressure>(&[]).unwrap();

    let words = words(&mut rig, &[(0, 0), (9, 0), (9, 0)]);

    let status: Vec<_> = words.iter().map(|words| words.status.as_str()).collect();
    assert_eq!(
        status,
        [
            "waiting for the next scan, to compare with",
            "at least one task waited for memory 30.0 % of the last 30 s (limit 20.0 %), all tasks at once 0.0 % \
             (limit 5.0 %)",
            "at least one task waited for memory 30.0 % of the last 30 s (limit 20.0 %), all tasks at once 0.0 % \
             (limit 5.0 %); under pressure for 60 s",
        ]
    );
    let metrics = |words: &Words| {
        words
            .metrics
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        metrics(&words[0]),
        [
            "some_avg10_percent=12.34",
            "full_avg10_percent=3.21",
            "some_stalled_seconds_total=100",
            "full_stalled_seconds_total=50",
        ]
    );
    assert_eq!(
        metrics(&words[1])[..2],
        ["some_stalled_percent=30", "full_stalled_percent=0"]
    );
}

#[test]
fn a_kernel_that_measures_no_pressure_is_told_what_it_needs() {
    let mut rig = Rig::create::<MemoryPressure>(&[]).unwrap();
    let mut verdict = |machine: &Machine| rig.scan(machine).verdict;
    let needs = Verdict::Failed(
        "this kernel does not measure pressure (no /proc/pressure/memory): it needs CONFIG_PSI=y and, if that is off \
         by default, psi=1 on its command line"
            .to_owned(),
    );

    assert_eq!(verdict(&Machine::new()), needs);
    assert_eq!(verdict(&Machine::new().unreadable(sample::PATH, 95)), needs);
    assert_eq!(
        verdict(&Machine::new().unreadable(sample::PATH, 13)),
        Verdict::Failed(
            "cannot read /proc/pressure/memory: Permission denied (os error 13)".to_owned()
        )
    );
    assert_eq!(
        verdict(&Machine::new().file(sample::PATH, "some total=1\n")),
        Verdict::Failed(
            "/proc/pressure/memory has no lines `some avg10=... total=...` and `full ...`"
                .to_owned()
        )
    );
}

#[test]
fn the_same_machines_give_the_same_words() {
    let run = || {
        words(
            &mut Rig::create::<MemoryPressure>(&[]).unwrap(),
            &[(0, 0), (15, 5), (15, 5), (15, 5), (0, 0), (0, 0)],
        )
    };

    assert_eq!(run(), run());
}

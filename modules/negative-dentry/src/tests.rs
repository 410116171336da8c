//! The module from the outside, on machines.

use adaptivemm_module_api::testing::{Action as Asked, Machine, Rig, Verdict, Words, Zone};
use adaptivemm_module_api::units::{Bytes, PageSize, Pages};
use proptest::prelude::*;

use super::*;

const GIB: u64 = 1 << 30;

/// A machine with so much memory, so much of it in huge pages, and this limit.
fn machine(managed: u64, hugepages: u64, limit: i64) -> Machine {
    without_limit(managed, hugepages).tunable(LIMIT, limit)
}

fn without_limit(managed: u64, hugepages: u64) -> Machine {
    let half = Pages::new(managed / 2 / 4096);
    let zone = |node| Zone {
        managed: Some(half),
        ..Zone::new(node, "Normal")
    };
    Machine::new()
        .zone(zone(0))
        .zone(zone(1))
        .hugepages(Bytes::new(2 << 20), hugepages >> 21)
}

fn rig() -> Rig {
    Rig::create::<NegativeDentry>(&[]).unwrap()
}

/// The limit that was asked for.
fn asked(words: &Words) -> Option<i64> {
    let request = words.requests.first()?;
    assert_eq!((words.requests.len(), request.refused), (1, None));
    match &request.action {
        Asked::Set { tunable, value } if tunable == LIMIT => Some(*value),
        _ => panic!("{request:?}"),
    }
}

/// Scans machines with so much memory and huge pages, on which every request is carried out, from this limit.
fn obeyed(rig: &mut Rig, mut limit: i64, machines: &[(u64, u64)]) -> Vec<Option<i64>> {
    let scan = |&(managed, hugepages): &(u64, u64)| {
        let value = asked(&rig.scan(&machine(managed * GIB, hugepages * GIB, limit)));
        limit = value.unwrap_or(limit);
        value
    };
    machines.iter().map(scan).collect()
}

#[test]
fn the_limit_is_set_at_the_start_and_left_as_it_is_on_a_steady_machine() {
    let mut rig = rig();

    let first = rig.scan(&machine(24 * GIB, 8 * GIB, 30));

    assert_eq!(
        first.requests[0].reason,
        "at the start: 15 thousandths of the 16.0 GiB that are not in huge pages (8.0 GiB) are 10 thousandths of \
         24.0 GiB"
    );
    assert_eq!(asked(&first), Some(10));
    assert_eq!(obeyed(&mut rig, 10, &[(24, 8); 50]), [None; 50]);
}

#[test]
fn a_limit_that_is_right_already_is_not_asked_for() {
    assert_eq!(obeyed(&mut rig(), 10, &[(24, 8); 3]), [None; 3]);
}

#[test]
fn the_limit_shrinks_and_grows_with_what_is_not_in_huge_pages() {
    let hugepages = [(24, 0), (24, 12), (24, 12), (24, 24), (24, 0)];

    let limits = obeyed(&mut rig(), 30, &hugepages);

    assert_eq!(limits, [Some(15), Some(7), None, Some(1), Some(15)]);
}

#[test]
fn huge_pages_that_change_little_by_little_are_compared_with_what_they_were_when_the_limit_was_set()
{
    let mut rig = rig();
    let mut limit = 5;
    let hugepages = |percent: u64| GIB * 50 * (100 + percent) / 100;

    let asked: Vec<_> = (0..10)
        .map(|percent| {
            let words = rig.scan(&machine(100 * GIB, hugepages(percent), limit));
            let value = asked(&words);
            limit = value.unwrap_or(limit);
            value
        })
        .collect();

    // At 1 % more 7.4 thousandths become 7.3; 7 all along until 6.9, and from 5 % on that counts.
    assert_eq!(asked[0], Some(7));
    assert_eq!(asked[1..7], [None; 6]);
    assert_eq!(asked[7..], [Some(6), None, None]);
}

#[test]
fn memory_that_is_plugged_in_makes_the_share_of_huge_pages_smaller() {
    let mut rig = rig();

    assert_eq!(
        obeyed(&mut rig, 30, &[(16, 8), (32, 8), (32, 8)]),
        [Some(7), Some(11), None]
    );
    let words = rig.scan(&machine(16 * GIB, 8 * GIB, 11));
    assert_eq!(
        words.requests[0].reason,
        "memory changed from 32.0 GiB to 16.0 GiB: 15 thousandths of the 8.0 GiB that are not in huge pages (8.0 GiB) \
         are 7 thousandths of 16.0 GiB"
    );
}

#[test]
fn a_limit_that_the_administrator_sets_stays() {
    let mut rig = rig();
    let _ = obeyed(&mut rig, 30, &[(24, 0); 3]);

    let words: Vec<_> = (0..100)
        .map(|_| asked(&rig.scan(&machine(24 * GIB, 0, 50))))
        .collect();

    assert_eq!(words, [None; 100]);
}

#[test]
fn a_limit_of_somebody_else_is_left_alone_until_the_administrator_says_otherwise() {
    let mut rig = rig();
    let _ = obeyed(&mut rig, 30, &[(24, 0); 3]);
    let tunable = |is_yielded| Tunable::new(50).with_yielded(is_yielded);
    let mut scan = |hugepages: u64, is_yielded| {
        let machine = without_limit(24 * GIB, hugepages * GIB);
        rig.scan(&machine.tunable_of(LIMIT, tunable(is_yielded)))
    };

    let yielded: Vec<_> = (0..20).map(|hugepages| scan(hugepages, true)).collect();
    let resumed = scan(12, false);

    assert!(yielded.iter().all(|words| words.requests.is_empty()));
    let told: Vec<_> = yielded.iter().flat_map(Words::told).collect();
    assert_eq!(
        told,
        [
            "info yielded: fs.negative-dentry-limit was changed externally to 50; tuning is paused until `adaptivemmd resume`"
        ]
    );
    assert!(
        yielded[19].status.ends_with(
            "; it was changed externally, and tuning is paused until `adaptivemmd resume`"
        )
    );
    assert_eq!(
        resumed.told(),
        ["info resumed: tuning of fs.negative-dentry-limit resumed"]
    );
    assert_eq!(asked(&resumed), Some(7));
    assert!(
        resumed.requests[0]
            .reason
            .starts_with("tuning resumed: 15 thousandths of ")
    );
}

#[test]
fn what_was_weighed_is_told_with_a_request() {
    let mut rig = rig();
    let first = rig.scan(&machine(24 * GIB, 8 * GIB, 30));
    let ours = Tunable::new(10).with_original(30);

    let second = rig.scan(&without_limit(24 * GIB, 12 * GIB).tunable_of(LIMIT, ours));

    let lines = |words: &Words| {
        let details = &words.requests[0].details;
        details.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        lines(&second),
        [
            "of 24.0 GiB of memory, 12.0 GiB are in huge pages, and dentries can be in 12.0 GiB",
            "cap 15: 184.3 MiB of these; as a whole number of thousandths of all memory, at least 1, that is 7",
            "the limit was 10, originally 30",
            "10 was chosen before, for 24.0 GiB of memory and 8.0 GiB in huge pages; a change of 0.5 % of the one or 5 % of \
             the other counts",
        ]
    );
    assert_eq!(
        lines(&first)[2..],
        [
            "the limit was 30, originally 30",
            "it was not set before for an amount of memory"
        ]
    );
}

#[test]
fn a_limit_that_the_kernel_does_not_take_is_asked_for_ever_more_rarely() {
    let mut rig = rig();

    let scans: Vec<usize> = (0..400)
        .filter(|_| asked(&rig.scan(&machine(24 * GIB, 0, 30))).is_some())
        .collect();

    assert_eq!(scans, [0, 8, 24, 56, 120, 248]);
}

#[test]
fn a_kernel_without_the_limit_is_told_once_and_then_the_module_is_idle() {
    let mut rig = rig();

    let first = rig.scan(&without_limit(24 * GIB, 0));
    let second = rig.scan(&without_limit(24 * GIB, 12 * GIB));

    assert_eq!(first.told(), [format!("info no-limit: {ABSENT}")]);
    assert_eq!(second.told(), [""; 0]);
    assert_eq!(
        (second.verdict, second.requests, second.status.as_str()),
        (Verdict::Good, vec![], IDLE)
    );
}

#[test]
fn without_the_size_of_memory_no_limit_is_asked_for() {
    let words = rig().scan(&Machine::new().tunable(LIMIT, 30));
    let nothing = rig().scan(
        &Machine::new()
            .tunable(LIMIT, 30)
            .zone(Zone::new(0, "Normal")),
    );

    assert_eq!(
        words.verdict,
        Verdict::Failed("there is no /proc/zoneinfo".to_owned())
    );
    assert_eq!(
        nothing.verdict,
        Verdict::Failed("no zone of /proc/zoneinfo manages a page".to_owned())
    );
}

#[test]
fn a_zone_of_unknown_size_is_not_taken_for_an_empty_one() {
    let unknown = Zone {
        managed: None,
        ..Zone::new(2, "Normal")
    };

    let words = rig().scan(&machine(GIB, 0, 30).zone(unknown));

    let problem = "/proc/zoneinfo does not say how many pages a zone has";
    assert_eq!(words.verdict, Verdict::Failed(problem.to_owned()));
    assert_eq!(asked(&words), None);
}

#[test]
fn pages_have_the_size_that_they_have_on_the_machine() {
    let machine = machine(GIB, 8 * GIB, 30).page_size(PageSize::new(65_536).unwrap());

    // 16 GiB, in pages of 64 KiB.
    assert_eq!(asked(&rig().scan(&machine)), Some(7));
}

#[test]
fn every_scan_has_its_numbers() {
    let words = rig().scan(&machine(24 * GIB, 12 * GIB, 30));

    let metrics: Vec<_> = words
        .metrics
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    assert_eq!(
        metrics,
        [
            ("limit_permille", 30.0),
            ("wanted_permille", 7.0),
            ("managed_bytes", 25_769_803_776.0),
            ("hugepages_bytes", 12_884_901_888.0),
        ]
    );
    assert_eq!(
        words.status,
        "negative dentries may take 30 thousandths of 24.0 GiB; 7 would fit the 12.0 GiB that are not in huge pages"
    );
}

proptest! {
    #[test]
    fn the_limit_is_between_1_and_the_cap_whatever_the_machine(
        cap in 1_i64..=100,
        machines in prop::collection::vec((1_u64..1 << 50, 0_u64..1 << 50, -5_i64..200, any::<bool>()), 1..40),
    ) {
        let mut rig = Rig::create::<NegativeDentry>(&[("cap", cap.into())]).unwrap();
        for (managed, hugepages, limit, is_yielded) in machines {
            let tunable = Tunable::new(limit).with_yielded(is_yielded);
            let machine = without_limit(managed.max(1 << 20), hugepages).tunable_of(LIMIT, tunable);
            let words = rig.scan(&machine);
            prop_assert_eq!(&words.verdict, &Verdict::Good);
            if let Some(value) = asked(&words) {
                prop_assert!((1..=cap).contains(&value), "{}", value);
                prop_assert_ne!(value, limit);
                prop_assert!(!is_yielded);
            }
        }
    }

    #[test]
    fn more_huge_pages_never_make_the_limit_larger(few in 0_u64..1 << 40, more in 0_u64..1 << 40) {
        let limit = |hugepages| asked(&rig().scan(&machine(1 << 40, hugepages, 200)));

        prop_assert!(limit(few + more) <= limit(few));
    }
}

use core::time::Duration;

use adaptivemm_module_api::units::{Bytes, PageSize, Pages};
use proptest::prelude::*;

use super::*;
use crate::pressure::Waited;
use crate::sample::{Counts, NodeSample};
use crate::scale::Setting;

fn scale(value: i64) -> Scale {
    Scale::new(value).unwrap()
}

/// A machine with a load of 1000 pages a second.
#[derive(Default)]
struct Machine {
    seconds: u64,
    stalls: u64,
    waited: Option<Duration>,
}

impl Machine {
    /// The verdicts of so many scans, each with so many stalls and so many percent of the time waiting.
    fn scans(
        &mut self,
        judge: &mut Judge,
        count: u64,
        (stalls, percent): (u64, u32),
    ) -> Vec<Verdict> {
        let scan = |_| {
            self.seconds += 10;
            self.stalls += stalls;
            let waited = Duration::from_millis(100) * percent;
            self.waited = self.waited.map(|time| time + waited);
            judge.observe(&self.sample())
        };
        (0..count).filter_map(scan).collect()
    }

    fn sample(&self) -> Sample {
        Sample {
            at: Uptime(Duration::from_secs(self.seconds)),
            period: Duration::from_secs(10),
            page_size: PageSize::FOUR_KIB,
            setting: Setting {
                value: scale(10),
                original: scale(10),
                is_yielded: false,
            },
            nodes: vec![NodeSample {
                free: Pages::new(5000),
                ..NodeSample::default()
            }],
            hugepages: Bytes::new(0),
            counts: Counts {
                reclaimed: self.seconds * 1000,
                direct: 0,
                stalls: self.stalls,
            },
            waited: self.waited.map(Waited),
        }
    }
}

/// The verdict on a raise with these stalls per scan and percent of waiting before and after.
fn verdict(waited: Option<Duration>, before: (u64, u32), after: (u64, u32)) -> (Verdict, Record) {
    let (mut judge, mut machine) = (
        Judge::new(),
        Machine {
            waited,
            ..Machine::default()
        },
    );
    machine.scans(&mut judge, 10, before);
    judge.raised(scale(10), scale(300));
    let verdicts = machine.scans(&mut judge, 8, after);
    assert_eq!(verdicts.len(), 1);
    let record = judge.record(Uptime(Duration::from_secs(machine.seconds)));
    (verdicts[0], record)
}

const SINCE_BOOT: Option<Duration> = Some(Duration::from_secs(99));

#[test]
fn fewer_stalls_for_longer_waits_are_costly_and_it_is_not_raised_further_for_a_while() {
    let (costly, record) = verdict(SINCE_BOOT, (100, 4), (0, 14));
    let (cheap, free) = verdict(SINCE_BOOT, (100, 14), (0, 4));

    assert_eq!((costly.effect, costly.is_costly), (Effect::Helped, true));
    assert_eq!(record.capped, Some(FIRST_PAUSE));
    assert_eq!(
        record.to_string(),
        "no raise is being judged; the last raise made tasks wait longer, so it is not raised further for 600 s"
    );
    assert_eq!((cheap.effect, cheap.is_costly), (Effect::Helped, false));
    assert_eq!(free.capped, None);
}

#[test]
fn a_little_more_waiting_is_chance() {
    let (verdict, _) = verdict(SINCE_BOOT, (100, 0), (0, 0));
    assert!(!verdict.is_costly);

    let rates = |waiting| Rates {
        waiting: Some(waiting),
        ..Rates::default()
    };
    assert!(!is_costly(rates(0.1), rates(0.9)));
    assert!(!is_costly(rates(5.0), rates(9.0)));
    assert!(is_costly(rates(0.1), rates(1.2)));
}

#[test]
fn more_waiting_under_more_load_is_not_put_down_to_the_raise() {
    let rates = |waiting, used| Rates {
        used,
        waiting: Some(waiting),
        ..Rates::default()
    };

    assert!(is_costly(rates(2.0, 1000.0), rates(7.0, 1000.0)));
    assert!(!is_costly(rates(2.0, 1000.0), rates(7.0, 2000.0)));
}

#[test]
fn without_the_time_that_tasks_waited_there_is_a_verdict_as_well() {
    let (verdict, record) = verdict(None, (100, 4), (0, 14));

    assert_eq!((verdict.effect, verdict.is_costly), (Effect::Helped, false));
    assert_eq!(
        (verdict.before.waiting, verdict.after.waiting),
        (None, None)
    );
    assert_eq!(record.capped, None);
}

#[test]
fn the_time_that_tasks_waited_is_a_share_of_the_time() {
    let (verdict, _) = verdict(SINCE_BOOT, (100, 4), (0, 14));

    let percent = |rates: Rates| rates.waiting.map(f64::round);
    assert_eq!(
        [verdict.before, verdict.after].map(percent),
        [Some(4.0), Some(14.0)]
    );
}

#[test]
fn a_record_tells_what_is_being_judged() {
    let (mut judge, mut machine) = (
        Judge::new(),
        Machine {
            waited: SINCE_BOOT,
            ..Machine::default()
        },
    );
    machine.scans(&mut judge, 10, (20, 3));
    judge.raised(scale(10), scale(300));
    machine.scans(&mut judge, 10, (20, 3));

    let at = Uptime(Duration::from_secs(machine.seconds));
    assert_eq!(
        judge.record(at).to_string(),
        "the raise from 10 to 300 is being judged; before it: 2.0 allocation stalls/s, 0 pages/s of direct reclaim, 1000 \
         pages/s used, some task waiting for memory 3.0 % of the time; it has not helped 1 of 2 times"
    );
    judge.start_over();
    assert_eq!(judge.record(at).to_string(), "no raise is being judged");
}

proptest! {
    #[test]
    fn more_waiting_is_never_less_costly(
        before in 0.0_f64..100.0, after in 0.0_f64..100.0, more in 0.0_f64..100.0, used in 0.0_f64..1e6,
    ) {
        let rates = |waiting| Rates { used, waiting: Some(waiting), ..Rates::default() };

        prop_assert!(!is_costly(rates(before), rates(after)) || is_costly(rates(before), rates(after + more)));
    }
}

//! Decisions whose follow-up is not known yet.

use std::collections::VecDeque;
use std::time::Duration;

use super::effect;
use super::history::{DEPTH, History};
use super::record::{Effect, FollowUp, VERSION, seconds};
use super::window::Window;
use crate::actions::Notice;
use crate::decisions::system_counters::SystemCounters;
use crate::modules::output::Action;

/// The number of scans, and the time, after which a decision is followed up.
const SCANS: usize = 8;
const TIME: Duration = Duration::from_secs(60);
/// The most decisions at a time; only a misbehaving module reaches it.
const MAX: usize = 256;
/// The most events that are kept; enough to see that something goes on.
const MAX_MEANWHILE: usize = 16;
const MAX_OTHERS: usize = 32;

/// The decisions that wait for their follow-up, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending {
    waiting: VecDeque<Waiting>,
}

/// One of them.
#[derive(Debug)]
struct Waiting {
    id: u64,
    module: String,
    action: Action,
    scans: usize,
    before: Window,
    start: SystemCounters,
    meanwhile: Vec<String>,
    others: Vec<u64>,
}

impl Pending {
    /// Waits for the follow-up of a decision that was made in the newest scan.
    pub(super) fn add(&mut self, id: u64, module: &str, action: &Action, history: &History) {
        let Some(newest) = history.newest().map(|scan| &scan.system) else {
            return;
        };
        let others = self.waiting.iter_mut().map(|other| {
            if other.others.len() < MAX_OTHERS {
                other.others.push(id);
            }
            other.id
        });
        // All must have been told of this one.
        let mut others: Vec<u64> = others.collect();
        others.drain(..others.len().saturating_sub(MAX_OTHERS));
        if self.waiting.len() == MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Waiting {
            id,
            module: module.to_owned(),
            action: action.clone(),
            scans: 0,
            before: before(history, newest),
            start: newest.clone(),
            meanwhile: Vec::new(),
            others,
        });
    }

    /// Takes note of what was noticed of the tunables and compactions that were decided upon.
    pub(super) fn hear(&mut self, notices: &[Notice]) {
        for notice in notices {
            let concerned = self.waiting.iter_mut();
            for waiting in concerned.filter(|waiting| notice.concerns(&waiting.action)) {
                if waiting.meanwhile.len() < MAX_MEANWHILE {
                    waiting.meanwhile.push(notice.to_string());
                }
            }
        }
    }

    /// Returns the follow-ups of decisions whose time is over with this scan.
    pub(super) fn due(&mut self, now: &SystemCounters) -> Vec<FollowUp> {
        for waiting in &mut self.waiting {
            waiting.scans += 1;
        }
        let mut due = Vec::new();
        while self.waiting.front().is_some_and(|first| first.is_due(now)) {
            due.extend(self.waiting.pop_front().map(|first| first.over(now, false)));
        }
        due
    }

    /// Returns the follow-ups of all decisions, as there are no more scans.
    pub(super) fn cut_short(&mut self, now: &SystemCounters) -> Vec<FollowUp> {
        let waiting = self.waiting.drain(..);
        waiting.map(|waiting| waiting.over(now, true)).collect()
    }
}

/// The time before a decision that its follow-up is compared with: as many scans as will be waited for, and as
/// much time, if so much is remembered.
fn before(history: &History, newest: &SystemCounters) -> Window {
    let scans: Vec<&SystemCounters> = history.last(DEPTH).map(|scan| &scan.system).collect();
    let least = scans.len().saturating_sub(SCANS + 1);
    let start = scans[..=least]
        .iter()
        .rfind(|scan| newest.uptime.since(scan.uptime) >= TIME);
    let start = start.or(scans.first()).copied().unwrap_or(newest);
    Window::between(start, newest)
}

impl Waiting {
    fn is_due(&self, now: &SystemCounters) -> bool {
        self.scans >= SCANS && now.uptime.since(self.start.uptime) >= TIME
    }

    fn over(self, now: &SystemCounters, cut_short: bool) -> FollowUp {
        let after = Window::between(&self.start, now);
        let (effect, text) = if now.uptime == self.start.uptime {
            let text = "there was no scan after it";
            (Effect::Unknown, text.to_owned())
        } else {
            effect::judge(&self.action, &self.before, &after)
        };
        let value_now = match &self.action {
            Action::Set { tunable, .. } => now.tunable(tunable),
            Action::CompactNode { .. } => None,
        };
        FollowUp {
            v: VERSION,
            id: self.id,
            time: None,
            uptime_seconds: seconds(now.uptime.0),
            module: self.module,
            action: self.action.to_string(),
            cut_short,
            before: self.before,
            after,
            value_now,
            meanwhile: self.meanwhile,
            others: self.others,
            effect,
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use adaptivemm_module_api::units::Uptime;

    use super::*;
    use crate::decisions::system_counters::EventCounters;

    /// A scan every so many seconds, ten stalls per second.
    fn system(secs: u64) -> SystemCounters {
        SystemCounters {
            uptime: Uptime(Duration::from_secs(secs)),
            counters: EventCounters {
                allocation_stalls: Some(secs * 10),
                ..EventCounters::default()
            },
            tunables: vec![("vm.vfs_cache_pressure", Some(100))],
            ..SystemCounters::default()
        }
    }

    fn history(period: u64, scans: u64) -> History {
        History::from_scans(
            (1..=scans)
                .map(|scan| (system(scan * period), "tuner", Vec::new()))
                .collect(),
        )
    }

    fn action() -> Action {
        Action::Set {
            tunable: "vm.vfs_cache_pressure".to_owned(),
            value: 200,
        }
    }

    /// In which scan after the decision its follow-up is told, and how long the time before was.
    fn told(period: u64) -> (u64, f64) {
        let mut pending = Pending::default();
        pending.add(1, "tuner", &action(), &history(period, 40));
        (1..)
            .find_map(|scan| {
                let now = system((40 + scan) * period);
                let follow_up = pending.due(&now).pop()?;
                Some((scan, follow_up.before.seconds))
            })
            .unwrap()
    }

    #[test]
    fn it_takes_eight_scans_and_a_minute_and_is_compared_with_as_much_if_that_is_remembered() {
        assert_eq!(told(30), (8, 240.0));
        assert_eq!(told(5), (12, 60.0));
        assert_eq!(told(1), (60, 15.0));
    }

    #[test]
    fn decisions_in_the_same_time_are_named_as_nobody_can_tell_their_effects_apart() {
        let mut pending = Pending::default();
        for id in [4, 7] {
            pending.add(id, "tuner", &action(), &history(30, 3));
        }

        let ended = pending.cut_short(&system(120));

        let others: Vec<_> = ended
            .iter()
            .map(|follow_up| (follow_up.id, follow_up.cut_short, follow_up.others.clone()))
            .collect();
        assert_eq!(others, [(4, true, vec![7]), (7, true, vec![4])]);
        assert_eq!(ended[0].value_now, Some(100));
        assert_eq!(ended[0].after.allocation_stalls_per_second, Some(10.0));
        assert_eq!(pending.cut_short(&system(150)).len(), 0);
    }

    #[test]
    fn the_first_scan_has_nothing_before_it() {
        let mut pending = Pending::default();
        pending.add(1, "tuner", &action(), &history(30, 1));

        let ended = pending.cut_short(&system(60));

        assert_eq!(ended[0].before.allocation_stalls_per_second, None);
        assert_eq!(ended[0].effect, Effect::Unknown);
    }
}

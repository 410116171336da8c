//! Limits how often one thing is changed, as a guard against modules that oscillate.

use std::collections::BTreeMap;
use std::time::Duration;

use adaptivemm_module_api::units::Uptime;

use crate::modules::output::Action;

const MINUTE: Duration = Duration::from_secs(60);

/// The changes of each tunable, and of each node, within the last minute.
#[derive(Debug, Default)]
pub(super) struct Rate {
    changes: BTreeMap<String, Vec<Uptime>>,
}

impl Rate {
    /// True if the target of the action was changed `limit` times within the last minute.
    pub(super) fn is_exhausted(&mut self, action: &Action, now: Uptime, limit: u32) -> bool {
        let Some(changes) = self.changes.get_mut(&target(action)) else {
            return false;
        };
        changes.retain(|change| now.since(*change) < MINUTE);
        changes.len() >= usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// Counts a change.
    pub(super) fn count(&mut self, action: &Action, now: Uptime) {
        self.changes.entry(target(action)).or_default().push(now);
    }
}

fn target(action: &Action) -> String {
    match action {
        Action::Set { tunable, .. } => tunable.clone(),
        Action::CompactNode { node } => format!("node {node}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Uptime {
        Uptime(Duration::from_secs(seconds))
    }

    #[test]
    fn each_thing_is_counted_by_itself_for_a_minute() {
        let [one, other] = [0, 1].map(|node| Action::CompactNode { node });
        let mut rate = Rate::default();

        rate.count(&one, at(100));
        rate.count(&one, at(130));
        let exhausted = [at(131), at(159), at(160)].map(|now| rate.is_exhausted(&one, now, 2));

        assert_eq!(exhausted, [true, true, false]);
        assert!(!rate.is_exhausted(&other, at(131), 1));
    }
}

//! The scans after incidents that were just opened, until there are enough of them.

use super::store::recent_scans::RecentScan;
use super::writer::WriteTask;
use crate::kernel::Snapshot;

/// The number of scans that are kept after an incident was opened.
const AFTER: usize = 10;
/// The number of incidents that can be followed at once.
const MOST: usize = 8;

/// The incidents that are followed.
#[derive(Debug, Default)]
pub(super) struct Following(Vec<Followed>);

/// An incident that was just opened.
#[derive(Debug)]
struct Followed {
    module: String,
    name: String,
    recent_scans: Vec<RecentScan>,
}

impl Following {
    /// Begins to follow an incident. Returns false if it is followed already.
    #[must_use]
    pub(super) fn begin(&mut self, module: &str, name: &str) -> bool {
        if self.position(module, name).is_some() {
            return false;
        }
        if self.0.len() >= MOST {
            self.end_one();
        }
        self.0.push(Followed {
            module: module.to_owned(),
            name: name.to_owned(),
            recent_scans: Vec::new(),
        });
        true
    }

    /// Ends with an incident that is over: what there is of it is handed in while its name still means that one.
    pub(super) fn end(&mut self, module: &str, name: &str) -> Option<WriteTask> {
        let followed = self.0.remove(self.position(module, name)?);
        (!followed.recent_scans.is_empty()).then(|| followed.handed_in())
    }

    /// Gives up the oldest incident of the module of which most are followed.
    fn end_one(&mut self) {
        // Among modules with as many, the one with the oldest is chosen.
        let counted = self.0.iter().rev().map(|each| &each.module);
        let most = counted
            .max_by_key(|module| self.0.iter().filter(|each| each.module == **module).count());
        let oldest = most.and_then(|most| self.0.iter().position(|each| each.module == *most));
        if let Some(oldest) = oldest {
            self.0.remove(oldest);
        }
    }

    /// Keeps a scan for each of them. Those that have enough are handed in for their module and forgotten, so that the next
    /// incident of the same name is followed as well.
    pub(super) fn note(&mut self, snapshot: &Snapshot) -> Vec<(String, WriteTask)> {
        for followed in &mut self.0 {
            followed
                .recent_scans
                .push(RecentScan::from_snapshot(snapshot));
        }
        let (complete, others) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|followed| followed.recent_scans.len() > AFTER);
        self.0 = others;
        let complete: Vec<Followed> = complete;
        complete
            .into_iter()
            .map(|followed| (followed.module.clone(), followed.handed_in()))
            .collect()
    }

    fn position(&self, module: &str, name: &str) -> Option<usize> {
        let mut all = self.0.iter();
        all.position(|followed| followed.module == module && followed.name == name)
    }
}

impl Followed {
    fn handed_in(self) -> WriteTask {
        WriteTask::After {
            module: self.module,
            name: self.name,
            recent_scans: self.recent_scans,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use adaptivemm_module_api::units::Uptime;

    use super::*;
    use crate::kernel::{Root, Sampler, Wanted};

    /// Hands a scan to `following` so often; the names of incidents that it hands in, with their scans.
    fn scans(following: &mut Following, count: usize) -> Vec<(String, usize)> {
        let mut sampler = Sampler::new(Root::Recorded([].into()), Wanted::default(), None);
        let snapshot = sampler.take(Uptime::default(), Duration::from_secs(30));
        let jobs = (0..count)
            .flat_map(|_| following.note(&snapshot))
            .collect::<Vec<_>>();
        jobs.into_iter().map(|(_, job)| handed_in(job)).collect()
    }

    fn handed_in(job: WriteTask) -> (String, usize) {
        match job {
            WriteTask::After {
                name, recent_scans, ..
            } => (name, recent_scans.len()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_second_incident_of_a_name_is_followed_like_the_first() {
        let mut following = Following::default();

        for _ in 0..2 {
            assert!(following.begin("memleak", "level"));
            assert_eq!(scans(&mut following, 30), [("level".to_owned(), 11)]);
        }
    }

    #[test]
    fn an_incident_that_is_told_again_at_once_is_followed_once() {
        let mut following = Following::default();

        assert!(following.begin("memleak", "level"));
        assert_eq!(scans(&mut following, 5), []);
        assert!(!following.begin("memleak", "level"));
        assert!(following.begin("zram", "level"), "that of another module");

        let both = [("level".to_owned(), 11), ("level".to_owned(), 11)];
        assert_eq!(scans(&mut following, 30), both);
    }

    #[test]
    fn a_module_with_very_many_incidents_is_followed_less_and_no_other() {
        let mut following = Following::default();

        assert!(following.begin("memleak", "level"));
        for number in 0..20 {
            assert!(following.begin("flood", &number.to_string()));
        }

        let names: Vec<String> = scans(&mut following, 30)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["level", "13", "14", "15", "16", "17", "18", "19"]);
    }

    #[test]
    fn an_incident_that_is_over_soon_has_the_scans_until_then() {
        let mut following = Following::default();

        assert!(following.begin("memleak", "level"));
        assert_eq!(scans(&mut following, 3), []);

        let job = following.end("memleak", "level");
        assert_eq!(job.map(handed_in), Some(("level".to_owned(), 3)));
        assert!(following.begin("memleak", "level"), "it is another one");
        assert!(
            following.end("memleak", "level").is_none(),
            "nothing was seen"
        );
    }
}

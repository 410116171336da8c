//! Evidence of earlier moments, to compare with: close together of late, further apart before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::incidents::evidence::Evidence;

use super::archive;
use crate::incidents::record::History;

/// The number of evidences that are kept.
const MOST: usize = 8;
/// The ending of a file of evidence.
const SUFFIX: &str = ".json.zst";
/// The ending of the file with the history of a module.
const HISTORY: &str = ".history.zst";

/// The evidence of this boot, the oldest first. It outlives a restart of the daemon.
#[derive(Debug)]
pub(in crate::incidents) struct EvidenceStore {
    directory: PathBuf,
    kept: Vec<Evidence>,
}

impl EvidenceStore {
    /// Takes over what a daemon before this one has kept in this boot; of other boots nothing stays.
    pub(in crate::incidents) fn open(state_dir: &Path, boot_id: &str) -> Self {
        let directory = place(state_dir, boot_id);
        let all = state_dir.join("evidence");
        for entry in fs::read_dir(all).into_iter().flatten().flatten() {
            if entry.path() != directory {
                // A directory that cannot be removed is in nobody's way.
                let _left = fs::remove_dir_all(entry.path());
            }
        }
        let files = fs::read_dir(&directory).into_iter().flatten().flatten();
        let mut kept: Vec<Evidence> = files
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().ends_with(SUFFIX))
            .filter_map(|path| archive::unpacked(&path).ok())
            .collect();
        kept.sort_by_key(at);
        let surplus = kept.len().saturating_sub(MOST);
        let surplus: Vec<Evidence> = kept.drain(..surplus).collect();
        let store = Self { directory, kept };
        // A daemon that was killed after it had written the newest has left one too many.
        for evidence in surplus {
            // One that cannot be removed is tried again at the next start.
            let _left = fs::remove_file(store.path(&evidence));
        }
        store
    }

    /// Returns when the last one was taken: since boot, in milliseconds.
    pub(in crate::incidents) fn newest(&self) -> Option<u64> {
        self.kept.last().map(at)
    }

    /// The best one to compare with, for something that began at `from`: the last one before that, or the first one of all.
    pub(in crate::incidents) fn before(&self, from: u64) -> Option<&Evidence> {
        let earlier = self.kept.iter().rev().find(|evidence| at(evidence) <= from);
        earlier.or(self.kept.first())
    }

    /// Keeps evidence, and gives up what is least missed.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written; it is kept in memory all the same.
    pub(in crate::incidents) fn add(&mut self, evidence: Evidence) -> io::Result<()> {
        let now = at(&evidence);
        let written = self.write(&evidence);
        self.kept.push(evidence);
        if self.kept.len() > MOST {
            let times: Vec<u64> = self.kept.iter().map(at).collect();
            let given_up = self.kept.remove(least_missed(&times, now));
            // One that is left over is found at the next start.
            let _left = fs::remove_file(self.path(&given_up));
        }
        written
    }

    fn write(&self, evidence: &Evidence) -> io::Result<()> {
        let state_dir = self.directory.ancestors().nth(2);
        archive::private(state_dir.unwrap_or(&self.directory), &self.directory)?;
        archive::replace(&self.path(evidence), &archive::packed(evidence)?)
    }

    fn path(&self, evidence: &Evidence) -> PathBuf {
        self.directory.join(format!("{}{SUFFIX}", at(evidence)))
    }
}

/// Returns where evidence of a boot is kept, and how the metrics developed.
fn place(state_dir: &Path, boot_id: &str) -> PathBuf {
    state_dir.join("evidence").join(boot_id)
}

/// Keeps how the metrics of a module have developed, for a daemon after this one.
///
/// # Errors
///
/// Returns an error if it cannot be written.
pub(in crate::incidents) fn remember(
    state_dir: &Path,
    boot_id: &str,
    module: &str,
    history: &History,
) -> io::Result<()> {
    let directory = place(state_dir, boot_id);
    archive::private(state_dir, &directory)?;
    let file = directory.join(format!("{module}{HISTORY}"));
    archive::replace(&file, &archive::packed(history)?)
}

/// Returns how the metrics of a module have developed before this daemon; empty if nobody knows.
pub(in crate::incidents) fn remembered(state_dir: &Path, boot_id: &str, module: &str) -> History {
    let file = place(state_dir, boot_id).join(format!("{module}{HISTORY}"));
    archive::unpacked(&file).unwrap_or_default()
}

fn at(evidence: &Evidence) -> u64 {
    evidence.taken.at.uptime_ms
}

/// The one between whose neighbours there is the least, measured by their age: what is old needs fewer witnesses.
/// Never the first or the last.
fn least_missed(times: &[u64], now: u64) -> usize {
    let ages: Vec<u128> = times
        .iter()
        .map(|time| now.saturating_sub(*time).saturating_add(1).into())
        .collect();
    // Ages as a ratio of integers: a / b < c / d as a * d < c * b.
    (1..times.len() - 1)
        .min_by(|&a, &b| (ages[a - 1] * ages[b + 1]).cmp(&(ages[b - 1] * ages[a + 1])))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use adaptivemm_module_api::units::PageSize;

    use super::*;
    use crate::base::clock::Moment;
    use crate::config::EvidenceBudget;
    use crate::incidents::evidence::{EvidenceRequest, Trigger};
    use crate::kernel::Root;

    fn evidence(minute: u64) -> Evidence {
        let (evidence, _) = Evidence::take(&EvidenceRequest {
            root: &Root::Recorded([].into()),
            page_size: PageSize::FOUR_KIB,
            at: Moment {
                time: String::new(),
                uptime_ms: minute * 60_000,
            },
            why: Trigger::Routine,
            levels: Vec::new(),
            budget: EvidenceBudget::default(),
            wants_census: false,
        });
        evidence
    }

    #[test]
    fn of_more_files_than_are_kept_the_newest_stay_and_the_others_are_removed() {
        let home = tempfile::tempdir().unwrap();
        let mut store = EvidenceStore::open(home.path(), "boot");
        for minute in 0..7 {
            store.add(evidence(minute)).unwrap();
        }
        // The daemon is killed before it removes what they replace.
        for minute in 7..10 {
            store.write(&evidence(minute)).unwrap();
        }

        let store = EvidenceStore::open(home.path(), "boot");

        assert_eq!(store.newest(), Some(9 * 60_000));
        let minutes: Vec<u64> = store.kept.iter().map(|kept| at(kept) / 60_000).collect();
        assert_eq!(minutes, [2, 3, 4, 5, 6, 7, 8, 9]);
        let files = fs::read_dir(place(home.path(), "boot")).unwrap();
        assert_eq!(files.count(), MOST, "the surplus is off the disk");
    }

    #[test]
    fn evidence_of_a_week_is_close_together_of_late_and_further_apart_before() {
        let mut hours: Vec<u64> = Vec::new();

        for hour in 0..=168 {
            hours.push(hour);
            if hours.len() > MOST {
                let ms: Vec<u64> = hours.iter().map(|hour| hour * 3_600_000).collect();
                hours.remove(least_missed(&ms, hour * 3_600_000));
            }
        }

        let ages: Vec<u64> = hours.iter().map(|hour| 168 - hour).collect();
        assert_eq!(ages.len(), MOST);
        assert_eq!((ages[0], ages[MOST - 1]), (168, 0));
        assert!(ages[MOST - 2] <= 2, "{ages:?}");
        let gaps = ages[..MOST - 1]
            .windows(2)
            .map(|pair| pair[0].checked_div(pair[1]));
        assert!(
            gaps.flatten().all(|ratio| ratio <= 6),
            "no large gap: {ages:?}"
        );
    }
}

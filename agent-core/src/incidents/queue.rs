//! The way to the clerk: work goes in without waiting, words come out.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use super::Word;
use super::fair_queue::Turns;
use super::writer::{Clerk, Job, Office};

/// So many words wait to be logged.
const WORDS: usize = 64;
/// So long the daemon waits at its end until all is written.
const LONGEST_END: Duration = Duration::from_secs(5);

/// Where work is handed in.
#[derive(Debug)]
pub(super) struct Desk {
    jobs: Arc<Turns<Job>>,
    words: Receiver<Word>,
    ended: Receiver<()>,
    /// Whether it was told that the clerk has died.
    is_end_told: bool,
    /// Work that was lost since this was last told, as too much was waiting, by module.
    lost: BTreeMap<String, u64>,
    /// Words that nobody took in time and that this was told of.
    told: u64,
    /// Words that nobody took in time.
    unsaid: Arc<AtomicU64>,
}

impl Desk {
    pub(super) fn open(office: Office) -> io::Result<Self> {
        let jobs = Arc::new(Turns::new());
        let work = Arc::clone(&jobs);
        let (say, words) = bounded(WORDS);
        let (end, ended) = bounded::<()>(0);
        let unsaid = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&unsaid);
        thread::Builder::new()
            .name("incidents".to_owned())
            .spawn(move || {
                // Dropped with the thread, which tells that it has ended.
                let _end = end;
                let mut clerk = Clerk::new(office);
                let say = |words: Vec<Word>| {
                    for word in words {
                        if say.try_send(word).is_err() {
                            counter.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                };
                say(clerk.resume());
                while let Some(job) = work.next() {
                    say(clerk.work(job));
                }
            })?;
        Ok(Self {
            jobs,
            words,
            ended,
            is_end_told: false,
            lost: BTreeMap::new(),
            told: 0,
            unsaid,
        })
    }

    /// Hands in work of a module, without waiting.
    pub(super) fn hand_in(&mut self, module: &str, job: Job) {
        // What nobody will do is not lost for want of time.
        if !self.is_gone() && !self.jobs.push(module, job) {
            *self.lost.entry(module.to_owned()).or_default() += 1;
        }
    }

    /// Whether the clerk has died: then nothing is kept any more.
    fn is_gone(&self) -> bool {
        self.ended.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// Whether the clerk has died since this was last asked. It may be an hour until there is work for it.
    pub(super) fn is_newly_gone(&mut self) -> bool {
        self.is_gone() && !std::mem::replace(&mut self.is_end_told, true)
    }

    /// Where words come out, for whoever waits for several things.
    pub(super) fn words(&self) -> &Receiver<Word> {
        &self.words
    }

    /// How much work and how many words were lost since this was last asked, and of whom.
    pub(super) fn newly_lost(&mut self) -> (u64, Vec<String>) {
        let unsaid = self.unsaid.load(Ordering::Relaxed);
        let words = unsaid - std::mem::replace(&mut self.told, unsaid);
        let lost = std::mem::take(&mut self.lost);
        let work: u64 = lost.values().sum();
        (work + words, lost.into_keys().collect())
    }

    /// Waits until all is done, but not for long, and returns what is left to say.
    pub(super) fn end(self) -> Vec<Word> {
        self.jobs.end();
        let _over_or_too_slow = self.ended.recv_timeout(LONGEST_END);
        self.words.try_iter().collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.jobs.end();
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::Sender;

    use super::*;
    use crate::incidents::History;
    use crate::incidents::fair_queue::WAITING;

    fn job() -> Job {
        Job::Remember {
            module: "memleak".to_owned(),
            history: History::default(),
        }
    }

    /// A desk whose clerk does nothing, and what is dropped when the clerk ends.
    fn desk() -> (Desk, Sender<()>) {
        let (end, ended) = bounded(0);
        let desk = Desk {
            jobs: Arc::new(Turns::new()),
            words: bounded(0).1,
            ended,
            is_end_told: false,
            lost: BTreeMap::new(),
            told: 0,
            unsaid: Arc::default(),
        };
        (desk, end)
    }

    #[test]
    fn a_clerk_that_is_gone_is_not_one_that_is_slow() {
        let (mut desk, end) = desk();
        for _ in 0..=WAITING {
            desk.hand_in("memleak", job());
        }
        let lost = (1, vec!["memleak".to_owned()]);
        assert_eq!((desk.newly_lost(), desk.is_newly_gone()), (lost, false));

        drop(end);
        desk.hand_in("memleak", job());
        desk.hand_in("memleak", job());

        assert_eq!(
            (desk.newly_lost(), desk.is_newly_gone()),
            ((0, Vec::new()), true)
        );
        assert!(!desk.is_newly_gone(), "it is told once");
    }

    #[test]
    fn that_the_clerk_is_gone_is_told_before_there_is_work_for_it() {
        let (mut desk, end) = desk();
        assert!(!desk.is_newly_gone());

        drop(end);

        assert!(desk.is_newly_gone());
        assert!(!desk.is_newly_gone(), "it is told once");
    }
}

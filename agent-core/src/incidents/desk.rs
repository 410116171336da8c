//! The way to the clerk: work goes in without waiting, words come out.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};

use super::Word;
use super::clerk::{Clerk, Job, Office};

/// So much work may wait; what comes then is lost.
const WAITING: usize = 16;
/// So many words wait to be logged.
const WORDS: usize = 64;
/// So long the daemon waits at its end until all is written.
const LONGEST_END: Duration = Duration::from_secs(5);

/// What became of the clerk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gone {
    No,
    Untold,
    Told,
}

/// Where work is handed in.
#[derive(Debug)]
pub(super) struct Desk {
    jobs: Sender<Job>,
    words: Receiver<Word>,
    ended: Receiver<()>,
    /// Whether the clerk is gone, and whether that was told.
    gone: Gone,
    /// Work that was lost, as too much was waiting, and how much of that was told.
    lost: u64,
    told: u64,
    /// Words that nobody took in time.
    unsaid: Arc<AtomicU64>,
}

impl Desk {
    pub(super) fn open(office: Office) -> io::Result<Self> {
        let (jobs, work) = bounded::<Job>(WAITING);
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
                for job in work {
                    say(clerk.work(job));
                }
            })?;
        Ok(Self {
            jobs,
            words,
            ended,
            gone: Gone::No,
            lost: 0,
            told: 0,
            unsaid,
        })
    }

    /// Hands in work, without waiting.
    pub(super) fn hand_in(&mut self, job: Job) {
        match self.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.lost += 1,
            Err(TrySendError::Disconnected(_)) => {
                if self.gone == Gone::No {
                    self.gone = Gone::Untold;
                }
            }
        }
    }

    /// Whether it was found since this was last asked that the clerk is gone: then nothing is kept any more.
    pub(super) fn is_newly_gone(&mut self) -> bool {
        // It may be an hour until there is work that cannot be handed in.
        let has_ended = self.ended.try_recv() == Err(TryRecvError::Disconnected);
        if has_ended && self.gone == Gone::No {
            self.gone = Gone::Untold;
        }
        let is_newly = self.gone == Gone::Untold;
        if is_newly {
            self.gone = Gone::Told;
        }
        is_newly
    }

    /// Where words come out, for whoever waits for several things.
    pub(super) fn words(&self) -> &Receiver<Word> {
        &self.words
    }

    /// How much work and how many words were lost since this was last asked.
    pub(super) fn newly_lost(&mut self) -> u64 {
        let lost = self.lost + self.unsaid.load(Ordering::Relaxed);
        let newly = lost - self.told;
        self.told = lost;
        newly
    }

    /// Waits until all is done, but not for long, and returns what is left to say.
    pub(super) fn end(self) -> Vec<Word> {
        let Self {
            jobs, words, ended, ..
        } = self;
        drop(jobs);
        let _over_or_too_slow = ended.recv_timeout(LONGEST_END);
        words.try_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::History;

    fn job() -> Job {
        Job::Remember {
            module: "memleak".to_owned(),
            history: History::default(),
        }
    }

    /// A desk whose clerk does nothing, what is handed in, and what is dropped when the clerk ends.
    fn desk() -> (Desk, Receiver<Job>, Sender<()>) {
        let (jobs, work) = bounded(1);
        let (end, ended) = bounded(0);
        let desk = Desk {
            jobs,
            words: bounded(0).1,
            ended,
            gone: Gone::No,
            lost: 0,
            told: 0,
            unsaid: Arc::default(),
        };
        (desk, work, end)
    }

    #[test]
    fn a_clerk_that_is_gone_is_not_one_that_is_slow() {
        let (mut desk, work, _end) = desk();
        desk.hand_in(job());
        desk.hand_in(job());
        assert_eq!((desk.newly_lost(), desk.is_newly_gone()), (1, false));

        drop(work);
        desk.hand_in(job());
        desk.hand_in(job());

        assert_eq!((desk.newly_lost(), desk.is_newly_gone()), (0, true));
        assert!(!desk.is_newly_gone(), "it is told once");
    }

    #[test]
    fn that_the_clerk_is_gone_is_told_before_there_is_work_for_it() {
        let (mut desk, _work, end) = desk();
        assert!(!desk.is_newly_gone());

        drop(end);

        assert!(desk.is_newly_gone());
        assert!(!desk.is_newly_gone(), "it is told once");
    }
}

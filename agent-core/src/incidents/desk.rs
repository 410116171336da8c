//! The way to the clerk: work goes in without waiting, words come out.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::Word;
use super::clerk::{Clerk, Job, Office};

/// So much work may wait; what comes then is lost.
const WAITING: usize = 16;
/// So many words wait to be logged.
const WORDS: usize = 64;
/// So long the daemon waits at its end until all is written.
const LONGEST_END: Duration = Duration::from_secs(5);

/// Where work is handed in.
#[derive(Debug)]
pub(super) struct Desk {
    jobs: Sender<Job>,
    words: Receiver<Word>,
    ended: Receiver<()>,
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
                for job in work {
                    for word in clerk.work(job) {
                        if say.try_send(word).is_err() {
                            counter.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            })?;
        Ok(Self {
            jobs,
            words,
            ended,
            lost: 0,
            told: 0,
            unsaid,
        })
    }

    /// Hands in work, without waiting.
    pub(super) fn hand_in(&mut self, job: Job) {
        if self.jobs.try_send(job).is_err() {
            self.lost += 1;
        }
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

//! The way to the writer: work goes in without waiting, words come out.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use super::IncidentMessage;
use super::fair_queue::FairQueue;
use super::writer::{IncidentConfig, IncidentWriter, WriteTask};

/// The number of messages that wait to be logged.
const WORDS: usize = 64;
/// The time that the daemon waits at its end until all is written.
const LONGEST_END: Duration = Duration::from_secs(5);

/// The queue in which work is handed in.
#[derive(Debug)]
pub(super) struct IncidentQueue {
    jobs: Arc<FairQueue<WriteTask>>,
    messages: Receiver<IncidentMessage>,
    ended: Receiver<()>,
    /// True if it was told that the writer has died.
    is_end_told: bool,
    /// Work that was lost since this was last told, as too much was waiting, by module.
    lost: BTreeMap<String, u64>,
    /// Words that nobody took in time and that this was told of.
    told: u64,
    /// Words that nobody took in time.
    unsaid: Arc<AtomicU64>,
}

impl IncidentQueue {
    pub(super) fn open(config: IncidentConfig) -> io::Result<Self> {
        let jobs = Arc::new(FairQueue::new());
        let work = Arc::clone(&jobs);
        let (say, messages) = bounded(WORDS);
        let (end, ended) = bounded::<()>(0);
        let unsaid = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&unsaid);
        thread::Builder::new()
            .name("incidents".to_owned())
            .spawn(move || {
                // Dropped with the thread, which tells that it has ended.
                let _end = end;
                let mut writer = IncidentWriter::new(config);
                let say = |messages: Vec<IncidentMessage>| {
                    for message in messages {
                        if say.try_send(message).is_err() {
                            counter.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                };
                say(writer.resume());
                while let Some(job) = work.next() {
                    say(writer.work(job));
                }
            })?;
        Ok(Self {
            jobs,
            messages,
            ended,
            is_end_told: false,
            lost: BTreeMap::new(),
            told: 0,
            unsaid,
        })
    }

    /// Hands in work of a module, without waiting.
    pub(super) fn hand_in(&mut self, module: &str, job: WriteTask) {
        // Work that nobody will do is not lost for want of time.
        if !self.is_gone() && !self.jobs.push(module, job) {
            *self.lost.entry(module.to_owned()).or_default() += 1;
        }
    }

    /// Returns true if the writer has died: then nothing is kept any more.
    fn is_gone(&self) -> bool {
        self.ended.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// Returns true if the writer has died since this was last asked. It may be an hour until there is work for it.
    pub(super) fn is_newly_gone(&mut self) -> bool {
        self.is_gone() && !std::mem::replace(&mut self.is_end_told, true)
    }

    /// Returns where messages come out, for whoever waits for several things.
    pub(super) fn messages(&self) -> &Receiver<IncidentMessage> {
        &self.messages
    }

    /// Returns how much work and how many messages were lost since this was last asked, and of which modules.
    pub(super) fn newly_lost(&mut self) -> (u64, Vec<String>) {
        let unsaid = self.unsaid.load(Ordering::Relaxed);
        let messages = unsaid - std::mem::replace(&mut self.told, unsaid);
        let lost = std::mem::take(&mut self.lost);
        let work: u64 = lost.values().sum();
        (work + messages, lost.into_keys().collect())
    }

    /// Waits until all is done, but not for long, and returns what is left to say.
    pub(super) fn end(self) -> Vec<IncidentMessage> {
        self.jobs.end();
        let _over_or_too_slow = self.ended.recv_timeout(LONGEST_END);
        self.messages.try_iter().collect()
    }
}

impl Drop for IncidentQueue {
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

    fn job() -> WriteTask {
        WriteTask::Remember {
            module: "memleak".to_owned(),
            history: History::default(),
        }
    }

    /// A desk whose writer does nothing, and what is dropped when the writer ends.
    fn queue() -> (IncidentQueue, Sender<()>) {
        let (end, ended) = bounded(0);
        let queue = IncidentQueue {
            jobs: Arc::new(FairQueue::new()),
            messages: bounded(0).1,
            ended,
            is_end_told: false,
            lost: BTreeMap::new(),
            told: 0,
            unsaid: Arc::default(),
        };
        (queue, end)
    }

    #[test]
    fn a_clerk_that_is_gone_is_not_one_that_is_slow() {
        let (mut queue, end) = queue();
        for _ in 0..=WAITING {
            queue.hand_in("memleak", job());
        }
        let lost = (1, vec!["memleak".to_owned()]);
        assert_eq!((queue.newly_lost(), queue.is_newly_gone()), (lost, false));

        drop(end);
        queue.hand_in("memleak", job());
        queue.hand_in("memleak", job());

        assert_eq!(
            (queue.newly_lost(), queue.is_newly_gone()),
            ((0, Vec::new()), true)
        );
        assert!(!queue.is_newly_gone(), "it is told once");
    }

    #[test]
    fn that_the_clerk_is_gone_is_told_before_there_is_work_for_it() {
        let (mut queue, end) = queue();
        assert!(!queue.is_newly_gone());

        drop(end);

        assert!(queue.is_newly_gone());
        assert!(!queue.is_newly_gone(), "it is told once");
    }
}

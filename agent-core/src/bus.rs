//! Hands a snapshot to every module and collects their words: one thread per module, a deadline for all.
//!
//! A module that is still busy gets no new snapshot, and what it says too late is dropped. One that is
//! late too often, or panics, is quarantined: its thread is left to itself and never waited for again.

mod worker;

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::loader::{Instance, Verdict};
use crate::sampler::Snapshot;
use crate::words::Words;
use worker::{Job, Reply, Seat, Worker};

/// How the bus treats modules that do not answer in time.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long a scan waits for a module.
    pub deadline: Duration,
    /// How many scans in a row a module may miss before it is quarantined.
    pub max_late: u32,
}

/// How a module's scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The module answered.
    Answered(Verdict),
    /// It did not answer in time, or is still busy with an earlier snapshot: how many scans it has missed.
    Late(u32),
    /// It is quarantined, since this scan or an earlier one.
    Quarantined(Reason),
    /// It was not asked yet.
    Silent,
}

/// Why a module was quarantined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It panicked; the message is among its problems.
    Panicked,
    /// It did not answer for this many scans.
    Hung(u32),
    /// Its thread is gone.
    Died,
}

/// A module on the bus.
#[derive(Debug)]
pub struct Member {
    name: String,
    deadline: Option<Duration>,
    seat: Seat,
    state: State,
    words: Words,
    ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// Since this scan.
    Busy(u64),
    Quarantined(Reason),
}

impl Member {
    /// A module with a thread of its own. `deadline` is its own, if it has one.
    ///
    /// # Errors
    ///
    /// If the kernel gives us no more threads.
    pub fn on_thread(
        name: &str,
        instance: Instance,
        deadline: Option<Duration>,
    ) -> io::Result<Self> {
        Ok(Self::new(
            name,
            Seat::Thread(Worker::start(name, instance)?),
            deadline,
        ))
    }

    /// A module that runs in the caller's thread: for replay, where nothing can be late.
    #[must_use]
    pub fn inline(name: &str, instance: Instance) -> Self {
        Self::new(name, Seat::Inline(Box::new(instance)), None)
    }

    fn new(name: &str, seat: Seat, deadline: Option<Duration>) -> Self {
        let name = name.to_owned();
        Self {
            name,
            deadline,
            seat,
            state: State::Idle,
            words: Words::default(),
            ending: Ending::Silent,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it said in this scan; nothing unless it answered.
    #[must_use]
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// How this scan ended for it.
    #[must_use]
    pub fn ending(&self) -> Ending {
        self.ending
    }

    fn quarantine(&mut self, reason: Reason) {
        self.state = State::Quarantined(reason);
        self.ending = Ending::Quarantined(reason);
        self.words.keep_problems();
        self.seat = Seat::Abandoned;
    }

    /// Forgets the last scan. Why it was quarantined stays.
    fn begin(&mut self) {
        match self.state {
            State::Quarantined(reason) => self.ending = Ending::Quarantined(reason),
            State::Idle | State::Busy(_) => {
                self.words.clear();
                self.ending = Ending::Silent;
            }
        }
    }

    /// Whether it waits for work, so that it can be taken over into another bus.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    fn start(&mut self, index: usize, snapshot: &Arc<Snapshot>, reply_to: &Sender<Reply>) {
        match &mut self.seat {
            Seat::Inline(instance) => match instance.scan(snapshot, &mut self.words) {
                Verdict::Panicked => self.quarantine(Reason::Panicked),
                verdict => self.ending = Ending::Answered(verdict),
            },
            Seat::Thread(worker) => {
                let job = Job {
                    member: index,
                    snapshot: Arc::clone(snapshot),
                    words: std::mem::take(&mut self.words),
                    reply_to: reply_to.clone(),
                    core: thread::current(),
                };
                if worker.hand_out(job) {
                    self.state = State::Busy(snapshot.scan);
                } else {
                    self.quarantine(Reason::Died);
                }
            }
            Seat::Abandoned => {}
        }
    }
}

/// All modules, by name.
#[derive(Debug)]
pub struct Bus {
    members: Vec<Member>,
    replies: Receiver<Reply>,
    reply_to: Sender<Reply>,
}

impl Bus {
    /// For these modules, which are asked in the order of their names.
    #[must_use]
    pub fn new(mut members: Vec<Member>) -> Self {
        members.sort_by(|a, b| a.name.cmp(&b.name));
        // A module has one snapshot at a time, so no more replies than modules are ever on their way.
        let (reply_to, replies) = bounded(members.len().max(1));
        Self {
            members,
            replies,
            reply_to,
        }
    }

    /// The members, by name.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Gives up all members, so that those that are idle can go into a new bus.
    #[must_use]
    pub fn into_members(self) -> Vec<Member> {
        self.members
    }

    /// One scan: every module that is free looks at the snapshot. Returns when all have answered, or at
    /// the deadline.
    pub fn scan(&mut self, snapshot: &Arc<Snapshot>, patience: Patience) {
        for member in &mut self.members {
            member.begin();
        }
        self.take_late_replies();
        self.hand_out(snapshot, patience.max_late);
        self.collect(snapshot.scan, patience.deadline);
    }

    /// What came after its deadline is dropped; its author is free again.
    fn take_late_replies(&mut self) {
        while let Ok(reply) = self.replies.try_recv() {
            self.settle(reply, None);
        }
    }

    fn hand_out(&mut self, snapshot: &Arc<Snapshot>, max_late: u32) {
        for (index, member) in self.members.iter_mut().enumerate() {
            match member.state {
                State::Quarantined(_) => {}
                State::Idle => member.start(index, snapshot, &self.reply_to),
                State::Busy(since) => {
                    let missed = u32::try_from(snapshot.scan - since).unwrap_or(u32::MAX);
                    if missed >= max_late {
                        member.quarantine(Reason::Hung(missed));
                    } else {
                        member.ending = Ending::Late(missed);
                    }
                }
            }
        }
    }

    /// Waits for the words of this scan. Threads unpark us after a reply; parking costs less than the
    /// channel's own waiting, which spins first.
    #[expect(clippy::disallowed_methods, reason = "a deadline is about real time")]
    fn collect(&mut self, scan: u64, deadline: Duration) {
        let start = Instant::now();
        loop {
            while let Ok(reply) = self.replies.try_recv() {
                self.settle(reply, Some(scan));
            }
            let waiting = self
                .members
                .iter()
                .filter(|member| member.state == State::Busy(scan));
            let deadlines = waiting.map(|member| member.deadline.unwrap_or(deadline));
            let waited = start.elapsed();
            let left = deadlines
                .max()
                .map(|longest| longest.saturating_sub(waited));
            let Some(left) = left.filter(|left| !left.is_zero()) else {
                break;
            };
            thread::park_timeout(left);
        }
        for member in self
            .members
            .iter_mut()
            .filter(|member| member.state == State::Busy(scan))
        {
            member.ending = Ending::Late(0);
        }
    }

    /// Takes in a reply. Words about another scan than the current one came too late.
    fn settle(&mut self, reply: Reply, current: Option<u64>) {
        let member = &mut self.members[reply.member];
        if matches!(member.state, State::Quarantined(_)) {
            return;
        }
        let in_time = current == Some(reply.scan);
        member.state = State::Idle;
        member.words = reply.words;
        if reply.verdict == Verdict::Panicked {
            member.quarantine(Reason::Panicked);
        } else if in_time {
            member.ending = Ending::Answered(reply.verdict);
        } else {
            member.words.clear();
        }
    }
}

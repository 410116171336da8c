//! Hands a snapshot to every module and collects their words: one thread per module, a deadline for all.
//!
//! A module that is still busy gets no new snapshot, and what it says too late is dropped, but for warnings, which are
//! said with the scan in which they come. One that is late in too many scans in a row, or breaks down, is quarantined:
//! nobody waits for it, and after a pause, which grows, it is made anew. One in a process of its own is made anew at
//! once, twice.

mod handle;
mod worker;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use adaptivemm_module_api::units::Uptime;
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::kernel::Snapshot;
use crate::modules::abi::CallResult;
use crate::modules::runner::CreateError;
use crate::modules::saved_state::SavedStates;
use handle::State;
pub use handle::{LateFinding, ModuleHandle};
use worker::Reply;

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
pub enum ScanResult {
    /// The module answered.
    Answered(CallResult),
    /// It did not answer in time, or is still busy with an earlier snapshot: how many scans it has missed.
    Late(u32),
    /// It broke down in this scan, and is made anew.
    Restarting(Reason),
    /// It is quarantined, since this scan or an earlier one; for how long, or until a reload.
    Quarantined(Reason, Option<Duration>),
    /// It was not asked.
    Silent,
}

/// Why a module is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It panicked; the message is among its problems.
    Panicked,
    /// It did not answer for this many scans.
    Hung(u32),
    /// It answered too late, or not at all, in this many scans in a row.
    Late(u32),
    /// Its files cost too much, or could not be read in time, in this many scans; which is among its problems.
    Files(u32),
    /// Its process ended; how is among its problems.
    Died,
    /// It could not be made; why is among its problems.
    NotCreated,
    /// Its thread is gone.
    Gone,
    /// It was running when the daemon died, so often.
    AtWork(u8),
    /// It is about to be made anew.
    Restarting,
    /// It is not run at all, until a reload; why is among its problems.
    Idle,
}

/// All modules, by name.
#[derive(Debug)]
pub struct ModulePool {
    handles: Vec<ModuleHandle>,
    replies: Receiver<Reply>,
    reply_to: Sender<Reply>,
}

/// Waits until all modules are made, for a limited time. One that takes longer, or breaks down, is quarantined;
/// one whose options are wrong is returned: which, and what is wrong.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a deadline is about real time")]
pub fn await_start(
    handles: &mut [ModuleHandle],
    within: Duration,
) -> Vec<(String, Vec<(String, String)>)> {
    let start = Instant::now();
    let mut wrong = Vec::new();
    loop {
        let mut all_made = true;
        for handle in &mut *handles {
            match handle.look_for_start() {
                Some(Err(CreateError::Options(problems))) => {
                    wrong.push((handle.name().to_owned(), problems));
                    handle.strike(Reason::NotCreated);
                }
                Some(Err(not_created)) => handle.fail_to_start(&not_created),
                Some(Ok(())) | None => all_made &= !matches!(handle.state, State::Starting(_)),
            }
        }
        let left = within.saturating_sub(start.elapsed());
        if all_made || left.is_zero() {
            break;
        }
        thread::park_timeout(left);
    }
    for handle in handles
        .iter_mut()
        .filter(|handle| matches!(handle.state, State::Starting(_)))
    {
        handle.fail_to_start(&CreateError::Broken(format!(
            "it was not created within {} s",
            within.as_secs()
        )));
    }
    wrong
}

impl ModulePool {
    /// For these modules, which are asked in the order of their names.
    #[must_use]
    pub fn new(mut handles: Vec<ModuleHandle>) -> Self {
        handles.sort_by(|a, b| a.name().cmp(b.name()));
        // A module has one snapshot at a time, so no more replies than modules are ever on their way.
        let (reply_to, replies) = bounded(handles.len().max(1));
        Self {
            handles,
            replies,
            reply_to,
        }
    }

    /// The modules, by name.
    #[must_use]
    pub fn handles(&self) -> &[ModuleHandle] {
        &self.handles
    }

    /// Keeps what modules that did their work want to be kept.
    pub(crate) fn hand_over_states(&mut self, states: &mut SavedStates) {
        for handle in &mut self.handles {
            if handle.ending == ScanResult::Answered(CallResult::Good) {
                handle.hand_over_state(states);
            }
        }
    }

    /// Gives up all modules, so that those that are idle can go into a new bus.
    #[must_use]
    pub fn into_members(self) -> Vec<ModuleHandle> {
        self.handles
    }

    /// One scan: every module that is free looks at the snapshot. Returns when all have answered, or at
    /// the deadline. While it waits it says that it is alive, as often as `alive` wants to hear that.
    pub fn scan(
        &mut self,
        snapshot: &Arc<Snapshot>,
        patience: Patience,
        alive: &mut dyn FnMut() -> Option<Duration>,
    ) {
        for handle in &mut self.handles {
            handle.begin(snapshot.scan, snapshot.uptime);
        }
        self.take_late_replies(snapshot.uptime);
        self.hand_out(snapshot, patience.max_late);
        self.collect(snapshot, patience.deadline, alive);
        for handle in &mut self.handles {
            handle.tell_late_findings();
        }
    }

    /// The warnings that came after the last scan, and whose they are: there may be no other scan.
    pub(crate) fn late_findings(&mut self, now: Uptime) -> Vec<(String, LateFinding)> {
        self.take_late_replies(now);
        let handles = self.handles.iter_mut();
        let named = |handle: &mut ModuleHandle| {
            let late = handle.take_late_findings();
            let name = handle.name().to_owned();
            late.into_iter().map(move |late| (name.clone(), late))
        };
        handles.flat_map(named).collect()
    }

    /// Lets the modules say what others of their names have said too late.
    pub(crate) fn hand_on(&mut self, late: Vec<(String, LateFinding)>) {
        for (name, late) in late {
            if let Some(handle) = self.handles.iter_mut().find(|handle| handle.name() == name) {
                handle.keep_late_finding(late);
            }
        }
    }

    /// Quarantines a module, before it is asked: its files have cost too much in so many scans.
    pub(crate) fn quarantine_for_files(&mut self, name: &str, scans: u32, why: &str) {
        for handle in self
            .handles
            .iter_mut()
            .filter(|handle| handle.name() == name)
        {
            handle.strike_for_files(scans, why);
        }
    }

    /// Lets a module that is quarantined for its files rest anew.
    pub(crate) fn prolong(&mut self, name: &str, now: Uptime) {
        for handle in self
            .handles
            .iter_mut()
            .filter(|handle| handle.name() == name)
        {
            handle.prolong(now);
        }
    }

    /// What came after its deadline is dropped, but for warnings; its author is free again.
    fn take_late_replies(&mut self, now: Uptime) {
        while let Ok(reply) = self.replies.try_recv() {
            self.settle(reply, None, now);
        }
    }

    fn hand_out(&mut self, snapshot: &Arc<Snapshot>, max_late: u32) {
        self.start_the_made(snapshot);
        for (index, handle) in self.handles.iter_mut().enumerate() {
            match handle.state {
                // One that was made in this scan, in this thread, has answered already.
                State::Idle if handle.ending == ScanResult::Silent => {
                    if handle.is_too_late(max_late) {
                        handle.strike(Reason::Late(handle.missed()));
                    } else {
                        handle.start(index, snapshot, &self.reply_to);
                    }
                }
                State::Busy(since) | State::Starting(since) if since < snapshot.scan => {
                    let has_hung = snapshot.scan - since >= u64::from(max_late);
                    if has_hung {
                        handle.strike(Reason::Hung(handle.missed()));
                    } else if handle.is_too_late(max_late) {
                        handle.strike(Reason::Late(handle.missed()));
                    } else {
                        handle.miss();
                    }
                }
                State::Idle | State::Busy(_) | State::Starting(_) | State::Resting(_) => {}
            }
        }
    }

    /// Asks the modules that were made anew.
    fn start_the_made(&mut self, snapshot: &Arc<Snapshot>) {
        for (index, handle) in self.handles.iter_mut().enumerate() {
            match handle.look_for_start() {
                Some(Ok(())) => handle.start(index, snapshot, &self.reply_to),
                Some(Err(not_created)) => handle.fail_to_start(&not_created),
                None => {}
            }
        }
    }

    /// Waits for the words of this scan. Whoever answers unparks us; parking costs less than the channel's own waiting,
    /// which spins first.
    #[expect(clippy::disallowed_methods, reason = "a deadline is about real time")]
    fn collect(
        &mut self,
        snapshot: &Arc<Snapshot>,
        deadline: Duration,
        alive: &mut dyn FnMut() -> Option<Duration>,
    ) {
        let start = Instant::now();
        let scan = snapshot.scan;
        loop {
            while let Ok(reply) = self.replies.try_recv() {
                self.settle(reply, Some(scan), snapshot.uptime);
            }
            self.start_the_made(snapshot);
            let waiting = self
                .handles
                .iter()
                .filter(|handle| handle.is_awaited_in(scan));
            let deadlines = waiting.map(|handle| handle.deadline().unwrap_or(deadline));
            let waited = start.elapsed();
            let left = deadlines.map(|deadline| deadline.saturating_sub(waited));
            // Up to the first one: whoever has a later one may have answered by then.
            let Some(left) = left.filter(|left| !left.is_zero()).min() else {
                break;
            };
            thread::park_timeout(alive().map_or(left, |again| left.min(again)));
        }
        for handle in self
            .handles
            .iter_mut()
            .filter(|handle| handle.is_awaited_in(scan))
        {
            handle.miss();
        }
    }

    /// Takes in a reply. Words about another scan than the current one came too late.
    fn settle(&mut self, reply: Reply, current: Option<u64>, now: Uptime) {
        let handle = &mut self.handles[reply.handle];
        let is_in_time = current == Some(reply.scan);
        if is_in_time || matches!(reply.verdict, CallResult::Panicked | CallResult::Died) {
            if handle.state == State::Busy(reply.scan) {
                handle.output = reply.output;
                handle.answered(reply.verdict, now);
            }
            return;
        }
        // Also of one that nobody waits for any more.
        let mut output = reply.output;
        handle.keep_late_findings(&mut output, reply.seen);
        if handle.state == State::Busy(reply.scan) {
            handle.output = output;
            handle.state = State::Idle;
        }
    }
}

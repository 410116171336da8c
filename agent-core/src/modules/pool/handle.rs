//! One module on the bus: whether it can be asked, and what becomes of it when it breaks down.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use adaptivemm_module_api::Severity;
use adaptivemm_module_api::units::Uptime;
use crossbeam_channel::Sender;

use super::worker::{Job, Reply, Worker};
use super::{Reason, ScanResult};
use crate::kernel::Snapshot;
use crate::modules::abi::CallResult;
use crate::modules::crash_marker::Slot;
use crate::modules::output::{Finding, ModuleOutput};
use crate::modules::runner::{CreateError, Recipe, Runner};
use crate::modules::saved_state::SavedStates;

/// A module in a process of its own is started again so often before it is quarantined.
const RESTARTS: u32 = 2;
/// The pause before the first restart; the next is four times as long.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
/// The first quarantine; the next is twice as long.
const QUARANTINE: Duration = Duration::from_secs(60);
/// The longest time of a quarantine.
const LONGEST_QUARANTINE: Duration = Duration::from_secs(3600);
/// The number of late warnings that are kept until the next scan.
const MOST_LATE: usize = 64;
/// The time of good work after which a module has a clean record.
const PROBATION: Duration = Duration::from_secs(3600);

/// A module on the bus.
#[derive(Debug)]
pub struct ModuleHandle {
    recipe: Recipe,
    deadline: Option<Duration>,
    slot: Option<Slot>,
    seat: Seat,
    pub(super) state: State,
    pub(super) output: ModuleOutput,
    pub(super) ending: ScanResult,
    /// The number of breakdowns since it had a clean record.
    strikes: u32,
    /// Since when it does good work again.
    good_since: Option<Uptime>,
    /// The time at which the last scan began.
    now: Option<Uptime>,
    /// The number of scans in a row in which it has not answered in time.
    late: u32,
    /// Warnings that came too late, and were not told yet.
    untold: Vec<LateFinding>,
    /// The late findings that are told in this scan.
    told: Vec<LateFinding>,
}

/// A finding that came after the deadline of its scan.
#[derive(Debug, Clone, PartialEq)]
pub struct LateFinding {
    /// The time at which the snapshot was taken that it is about.
    pub seen: Uptime,
    /// The finding itself.
    pub finding: Finding,
}

/// The place where a module runs.
#[derive(Debug)]
enum Seat {
    /// The module runs in the caller's thread.
    Inline(Option<Runner>),
    /// The module runs in a thread of its own.
    Thread(Option<Worker>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The module is being made, since this scan.
    Starting(u64),
    /// The module waits for work.
    Idle,
    /// The module looks at a snapshot, since this scan.
    Busy(u64),
    /// The module is not asked.
    Resting(Rest),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rest {
    reason: Reason,
    /// The length of the rest; `None` until a reload.
    pause: Option<Duration>,
    /// Since when; `None` until the first scan.
    since: Option<Uptime>,
}

impl ModuleHandle {
    /// Creates a module with a thread of its own, which makes it. `deadline` is its own, if it has one.
    ///
    /// # Errors
    ///
    /// Returns an error if the kernel gives us no more threads.
    pub fn on_thread(
        recipe: Recipe,
        deadline: Option<Duration>,
        slot: Option<Slot>,
    ) -> io::Result<Self> {
        let worker = Worker::start(recipe.clone(), slot.clone())?;
        let seat = Seat::Thread(Some(worker));
        let state = State::Starting(0);
        Ok(Self::new(recipe, deadline, slot, seat, state))
    }

    /// A module that runs in the caller's thread: for replay, where nothing can be late.
    #[must_use]
    pub fn inline(recipe: Recipe) -> Self {
        Self::new(recipe, None, None, Seat::Inline(None), State::Starting(0))
    }

    /// A module that is not even started, for this reason, until a reload.
    #[must_use]
    pub fn quarantined(recipe: Recipe, reason: Reason) -> Self {
        let rest = State::Resting(Rest {
            reason,
            pause: None,
            since: None,
        });
        let mut handle = Self::new(recipe, None, None, Seat::Thread(None), rest);
        handle.ending = ScanResult::Quarantined(reason, None);
        handle
    }

    /// A module that is not run, for this reason, until a reload.
    #[must_use]
    pub fn idle(recipe: Recipe, why: &str) -> Self {
        let mut handle = Self::quarantined(recipe, Reason::Idle);
        handle
            .output
            .add_problem(|| (String::new(), why.to_owned()));
        handle
    }

    /// Sets a module that is there already to idle.
    pub(crate) fn set_idle(&mut self, why: &str) {
        *self = Self::idle(self.recipe.clone(), why);
    }

    fn new(
        recipe: Recipe,
        deadline: Option<Duration>,
        slot: Option<Slot>,
        seat: Seat,
        state: State,
    ) -> Self {
        Self {
            recipe,
            deadline,
            slot,
            seat,
            state,
            output: ModuleOutput::default(),
            ending: ScanResult::Silent,
            strikes: 0,
            good_since: None,
            now: None,
            late: 0,
            untold: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Returns the name of the module.
    #[must_use]
    pub fn name(&self) -> &str {
        self.recipe.module.name()
    }

    /// Returns the version of the module.
    pub(crate) fn version(&self) -> &str {
        &self.recipe.module.description.version
    }

    /// Returns the output of this scan; nothing unless it answered.
    #[must_use]
    pub fn output(&self) -> &ModuleOutput {
        &self.output
    }

    /// Keeps what it said that it wants to be kept.
    pub(super) fn hand_over_state(&mut self, states: &mut SavedStates) {
        let module = &self.recipe.module;
        if let Some(state) = self.output.take_kept() {
            states.keep(module.name(), &module.description.version, state);
        }
    }

    /// Returns what it said too late in earlier scans, and is told in this one.
    #[must_use]
    pub fn late_findings(&self) -> &[LateFinding] {
        &self.told
    }

    /// Returns how this scan ended for it.
    #[must_use]
    pub fn ending(&self) -> ScanResult {
        self.ending
    }

    /// Returns the time that a scan waits for it, if it has a deadline of its own.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Returns true if it waits for work, so that it can be taken over into another pool.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// Returns true if the scan waits for it.
    pub(super) fn is_awaited_in(&self, scan: u64) -> bool {
        self.state == State::Busy(scan) || self.state == State::Starting(scan)
    }

    /// Looks whether the module is made. `None` if that still goes on, or was known before.
    pub(super) fn look_for_start(&mut self) -> Option<Result<(), CreateError>> {
        let State::Starting(_) = self.state else {
            return None;
        };
        let made = match &mut self.seat {
            Seat::Inline(runner) => match self.recipe.make(&Arc::default()) {
                Ok(made) => {
                    *runner = Some(made);
                    Ok(())
                }
                Err(not_created) => Err(not_created),
            },
            Seat::Thread(worker) => worker.as_ref()?.made()?,
        };
        match &made {
            Ok(()) => self.state = State::Idle,
            Err(_) => self.dismiss(),
        }
        Some(made)
    }

    /// Begins a scan: forgets the last one, or why it is not asked, once it has rested enough.
    pub(super) fn begin(&mut self, scan: u64, now: Uptime) {
        self.now = Some(now);
        if let State::Resting(rest) = &mut self.state {
            let Some(since) = rest.since else {
                // The module broke down before the first scan, which is the first to tell.
                rest.since = Some(now);
                return;
            };
            let (reason, pause) = (rest.reason, rest.pause);
            let rested = pause.is_some_and(|pause| now.0.saturating_sub(since.0) >= pause);
            if !(rested && self.has_left()) {
                self.ending = if reason == Reason::Restarting {
                    ScanResult::Silent
                } else {
                    ScanResult::Quarantined(reason, pause)
                };
                return;
            }
            self.restart(scan);
        }
        self.output.clear();
        self.ending = ScanResult::Silent;
    }

    /// Returns true if nothing need be read for it in a scan that begins now.
    pub(crate) fn rests(&self, now: Uptime) -> bool {
        let State::Resting(Rest { pause, since, .. }) = self.state else {
            return false;
        };
        pause
            .zip(since)
            .is_none_or(|(pause, since)| now.since(since) < pause)
    }

    /// Begins its rest anew, if it rests because of its files.
    pub(super) fn prolong(&mut self, now: Uptime) {
        if let State::Resting(rest) = &mut self.state {
            if matches!(rest.reason, Reason::Files(_)) {
                rest.since = Some(now);
            }
        }
    }

    /// Quarantines it, as its files cost too much: another process of it would read the same.
    pub(super) fn strike_for_files(&mut self, scans: u32, why: &str) {
        if matches!(self.state, State::Resting(_)) {
            return;
        }
        self.output.clear();
        self.output.add_problem(|| (String::new(), why.to_owned()));
        self.strike(Reason::Files(scans));
    }

    /// Returns true if nothing of it runs any more.
    fn has_left(&self) -> bool {
        match &self.seat {
            Seat::Inline(_) => true,
            Seat::Thread(worker) => worker.as_ref().is_none_or(Worker::has_ended),
        }
    }

    fn restart(&mut self, scan: u64) {
        self.state = State::Starting(scan);
        // The state that it kept may be why it broke down.
        self.recipe.state = Arc::default();
        if let Seat::Thread(worker) = &mut self.seat {
            // Without a thread it is found not to be made.
            *worker = Worker::start(self.recipe.clone(), self.slot.clone()).ok();
            if worker.is_none() {
                self.state = State::Idle;
            }
        }
    }

    /// Hands it a snapshot.
    pub(super) fn start(
        &mut self,
        index: usize,
        snapshot: &Arc<Snapshot>,
        reply_to: &Sender<Reply>,
    ) {
        match &mut self.seat {
            Seat::Inline(Some(runner)) => {
                let verdict = runner.scan(snapshot, &mut self.output);
                self.answered(verdict, snapshot.uptime);
            }
            Seat::Thread(Some(worker)) => {
                let job = Job {
                    handle: index,
                    snapshot: Arc::clone(snapshot),
                    output: std::mem::take(&mut self.output),
                    reply_to: reply_to.clone(),
                    core: thread::current(),
                };
                if worker.hand_out(job) {
                    self.state = State::Busy(snapshot.scan);
                } else {
                    self.strike(Reason::Gone);
                }
            }
            Seat::Inline(None) | Seat::Thread(None) => self.strike(Reason::Gone),
        }
    }

    /// Takes in how the module ended its work, in time unless it broke down; its output are in place already.
    pub(super) fn answered(&mut self, verdict: CallResult, now: Uptime) {
        self.state = State::Idle;
        match verdict {
            CallResult::Panicked => self.give_up(Reason::Panicked),
            CallResult::Died => self.give_up(Reason::Died),
            CallResult::Good | CallResult::Failed => {
                self.ending = ScanResult::Answered(verdict);
                self.late = 0;
                self.commend(now);
            }
        }
    }

    /// Notes that it has not answered this scan in time.
    pub(super) fn miss(&mut self) {
        self.ending = ScanResult::Late(self.late);
        self.late = self.late.saturating_add(1);
    }

    /// Returns the number of scans in a row in which it has not answered in time.
    pub(super) fn missed(&self) -> u32 {
        self.late
    }

    /// Returns true if it has not answered in time in as many scans in a row as it may. An answer that comes too late
    /// does not change that, or one that is always late would never be found out.
    pub(super) fn is_too_late(&self, max_late: u32) -> bool {
        self.late >= max_late
    }

    /// Takes the warnings out of words that came too late. A request would rest on numbers of then, but a warning is said
    /// once, and must not be lost; nor may the end of an incident.
    pub(super) fn keep_late_findings(&mut self, output: &mut ModuleOutput, seen: Uptime) {
        for finding in output.findings.drain(..) {
            let is_warning = matches!(finding.severity, Severity::Warning | Severity::Error);
            let is_of_incident =
                !finding.incident.is_empty() && finding.severity != Severity::Debug;
            if is_warning || is_of_incident {
                self.keep_late_finding(LateFinding { seen, finding });
            }
        }
        output.clear();
    }

    /// Keeps a warning until it is told.
    pub(super) fn keep_late_finding(&mut self, late: LateFinding) {
        if self.untold.len() < MOST_LATE {
            self.untold.push(late);
        }
    }

    /// The end of a scan: what came too late until now is told in this one.
    pub(super) fn tell_late_findings(&mut self) {
        self.told.clear();
        self.told.append(&mut self.untold);
    }

    /// Returns the late findings that were not told.
    pub(super) fn take_late_findings(&mut self) -> Vec<LateFinding> {
        std::mem::take(&mut self.untold)
    }

    /// Gives it up after it broke down: its thread has no more to do.
    fn give_up(&mut self, reason: Reason) {
        self.strike(reason);
        self.dismiss();
    }

    /// Nobody need wait until its thread has ended.
    fn dismiss(&mut self) {
        if let Seat::Thread(worker) = &mut self.seat {
            *worker = None;
        }
    }

    /// Notes good work: after a time of that its record is clean.
    fn commend(&mut self, now: Uptime) {
        let since = *self.good_since.get_or_insert(now);
        if now.0.saturating_sub(since.0) >= PROBATION {
            self.strikes = 0;
        }
    }

    /// Notes that it could not be made.
    pub(super) fn fail_to_start(&mut self, not_created: &CreateError) {
        self.output.clear();
        self.output
            .add_problem(|| (String::new(), not_created.to_string()));
        self.strike(Reason::NotCreated);
    }

    /// Notes that it broke down: it is started again after a pause, or quarantined.
    pub(super) fn strike(&mut self, reason: Reason) {
        self.strikes += 1;
        self.late = 0;
        self.good_since = None;
        self.output.keep_problems();
        match &mut self.seat {
            Seat::Inline(runner) => *runner = None,
            Seat::Thread(worker) => {
                if let Some(worker) = worker {
                    worker.set_aside();
                }
            }
        }
        let is_final = self.recipe.is_here() || matches!(reason, Reason::Files(_));
        let restarts = if is_final { 0 } else { RESTARTS };
        let (reason, pause) = match self.strikes.checked_sub(restarts + 1) {
            None => {
                self.ending = ScanResult::Restarting(reason);
                (
                    Reason::Restarting,
                    RESTART_PAUSE * 4u32.pow(self.strikes - 1),
                )
            }
            Some(before) => {
                let pause = QUARANTINE
                    .saturating_mul(1 << before.min(16))
                    .min(LONGEST_QUARANTINE);
                self.ending = ScanResult::Quarantined(reason, Some(pause));
                (reason, pause)
            }
        };
        self.state = State::Resting(Rest {
            reason,
            pause: Some(pause),
            since: self.now,
        });
    }
}

impl Drop for ModuleHandle {
    fn drop(&mut self) {
        // One that waits for work ends by itself; of any other nobody knows when it will.
        if let (false, Seat::Thread(Some(worker))) = (self.is_idle(), &mut self.seat) {
            worker.set_aside();
        }
    }
}

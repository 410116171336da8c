//! One scan from the kernel's files to what was done, as in the picture: sampler, pool, policy,
//! actuator. The daemon, a replay and a single snapshot all go this way.

mod build;
mod error;
mod idle;
mod rehearsal;
mod site;
mod start;
mod tunable_state;

use std::time::Duration;

use adaptivemm_module_api::units::Uptime;
use crossbeam_channel::Receiver;

use crate::actions::policy::{Policy, Ruling};
use crate::actions::request_outcome::{Outcome, RequestOutcome};
use crate::actions::{Actuator, Ledger, Notice, Restored};
use crate::base::news::News;
use crate::config::{ModuleSettings, Settings};
use crate::decisions::system_counters::SystemCounters;
use crate::decisions::{Decisions, Record};
use crate::incidents::{IncidentMessage, Incidents};
use crate::kernel::trace::Frame;
use crate::kernel::tunables;
use crate::kernel::{Excess, FileCosts, Sampler, Snapshot, Wanted};
use crate::modules::abi::CallResult;
use crate::modules::catalogue::Registration;
use crate::modules::crash_marker::CrashMarker;
use crate::modules::pool::{LateFinding, ModuleHandle, ModulePool, Patience, Reason, ScanResult};
use crate::modules::saved_state::SavedStates;

pub use error::{BuildError, BuildErrors};
pub use idle::Idle;
use rehearsal::Rehearsal;
pub use site::{Site, Threads};
use start::{chosen, policy};
pub use tunable_state::TunableState;

/// The daemon without its clock, its signals and its log.
#[derive(Debug)]
pub struct Agent {
    sampler: Sampler,
    bus: ModulePool,
    policy: Policy,
    actuator: Actuator,
    /// The recording that the requests of modules change, instead of a machine.
    rehearsal: Option<Rehearsal>,
    period: Duration,
    patience: Patience,
    threads: Threads,
    marker: Option<CrashMarker>,
    decisions: Decisions,
    states: SavedStates,
    incidents: Incidents,
    /// The files that the modules themselves read.
    needed: Wanted,
    /// The modules on the bus, as they were found and configured.
    running: Vec<(Registration, ModuleSettings)>,
    idle: Vec<Idle>,
}

/// The events of one scan.
#[derive(Debug)]
pub struct Round<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// The modules with their output, by name.
    pub handles: &'a [ModuleHandle],
    /// The outcomes of their requests, in the order of the modules.
    pub outcomes: Vec<RequestOutcome>,
    /// The tunables that were restored, as no module looks after them any more.
    pub restored: Vec<Restored>,
    /// Notices about tunables and compactions, without anybody having asked.
    pub notices: Vec<Notice>,
    /// New decisions, and what happened after earlier ones.
    pub records: Vec<Record>,
    /// News if decisions or states cannot be written, or can be again.
    pub news: Vec<News>,
    /// The files that the modules themselves read; the rest is only for explaining decisions.
    pub needed: &'a Wanted,
}

impl Round<'_> {
    /// Returns true if anything of the machine could be read, if anything was to be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let mut results = self.snapshot.readings().map(|(_, _, result)| result);
        results.next().is_none_or(Result::is_ok) || results.any(Result::is_ok)
    }

    /// Returns true if a file is read only to explain decisions, so that it is no loss for any module if there is none.
    #[must_use]
    pub fn is_optional(&self, path: &str) -> bool {
        let mut explaining = Wanted::default();
        SystemCounters::want(&mut explaining);
        explaining.names(path) && !self.needed.names(path)
    }
}

/// The enabled modules that would not be run, as another one owns what they want to change.
#[must_use]
pub fn clashing(settings: &Settings, modules: &[Registration]) -> Vec<Idle> {
    let (_, clashes) = policy(&chosen(settings, modules));
    clashes.iter().map(Idle::clashing).collect()
}

impl Agent {
    /// Reads everything that the core knows how to read, for somebody who looks at the snapshot itself.
    pub fn want_everything(&mut self) {
        let Wanted { files, modules, .. } = self.sampler.wanted().clone();
        self.sampler.want(Wanted {
            files,
            modules,
            ..Wanted::everything()
        });
    }

    /// The names of the modules that were started.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        let names = self.bus.handles().iter().map(ModuleHandle::name);
        names.filter(|name| self.idle.iter().all(|idle| idle.module != *name))
    }

    /// The modules that are enabled and not run until a reload.
    #[must_use]
    pub fn idle(&self) -> &[Idle] {
        &self.idle
    }

    /// The modules, by name, as they were after the last scan.
    #[must_use]
    pub fn handles(&self) -> &[ModuleHandle] {
        self.bus.handles()
    }

    /// Returns the last snapshot.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        self.sampler.last()
    }

    /// Returns how a module that was started was found and configured.
    #[must_use]
    pub fn settings(&self, module: &str) -> Option<&(Registration, ModuleSettings)> {
        let mut running = self.running.iter();
        running.find(|(_, settings)| settings.name == module)
    }

    /// Returns the tunables that modules may change, as they are now.
    pub fn tunables(&self) -> impl Iterator<Item = TunableState> {
        let names = self.sampler.last().tunables.iter();
        let knobs = names.filter_map(|tunable| tunables::find(tunable.name));
        knobs.map(|knob| {
            let entry = self.actuator.ledger().entry(knob.name);
            TunableState {
                name: knob.name.to_owned(),
                value: self.actuator.current(knob),
                original: entry.and_then(|entry| entry.original.parse().ok()),
                owner: self.policy.owner(knob.name).map(str::to_owned),
                yielded: self.actuator.is_yielded(knob),
            }
        })
    }

    /// Returns the tunables that are changed, with their original values.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        self.actuator.ledger()
    }

    /// The modules that do not work, before there was a scan: their names, and why.
    pub fn broken(&self) -> impl Iterator<Item = (&str, &str)> {
        let handles = self.bus.handles().iter();
        handles.filter(|handle| is_broken(handle)).map(|handle| {
            let problem = handle.output().problems.first();
            (
                handle.name(),
                problem.map_or("no reason given", |(_, text)| text),
            )
        })
    }

    /// The time between two scans.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Takes over the files of the next frame of a recorded machine.
    pub fn apply(&mut self, frame: &Frame) {
        match &mut self.rehearsal {
            Some(rehearsal) => self.sampler.apply(&rehearsal.news(frame)),
            None => self.sampler.apply(frame),
        }
    }

    /// Reads the machine, lets every module look at it, and does what they ask for as far as it is
    /// allowed. `now` is the time since boot.
    pub fn scan(&mut self, now: Uptime) -> Round<'_> {
        self.scan_watched(now, &mut || None)
    }

    /// Scans, and calls `alive` while it waits for modules: again after the time that it returns.
    pub fn scan_watched(
        &mut self,
        now: Uptime,
        alive: &mut dyn FnMut() -> Option<Duration>,
    ) -> Round<'_> {
        self.let_rest(now);
        let actuator = &mut self.actuator;
        let snapshot = self
            .sampler
            .take_with(now, self.period, |snapshot| mark(snapshot, actuator));
        for excess in self.sampler.excesses(self.patience.max_late) {
            let Excess { module, scans, why } = excess;
            self.bus.quarantine_for_files(&module, scans, &why);
        }
        self.bus.scan(&snapshot, self.patience, alive);
        let mut outcomes = self.carry_out(now);
        let restored = self.restore_of_the_quarantined();
        if self.rehearsal.is_some() {
            let changes = rehearsal::frame(self.actuator.rehearsed());
            self.sampler.apply(&changes);
        }
        let notices = self.actuator.notices();
        let handles = self.bus.handles();
        let records = self
            .decisions
            .follow(&snapshot, handles, &notices, &mut outcomes);
        self.bus.hand_over_states(&mut self.states);
        self.states.pass(now);
        let handles = self.bus.handles();
        self.incidents.follow(&snapshot, handles);
        let news = self.decisions.news().into_iter();
        let news = news
            .chain(self.states.news())
            .chain(self.incidents.news())
            .collect();
        Round {
            snapshot: self.sampler.last(),
            handles,
            outcomes,
            restored,
            notices,
            records,
            news,
            needed: &self.needed,
        }
    }

    /// Reads nothing for modules in quarantine that only they know. One of which a file still hangs stays there.
    fn let_rest(&mut self, now: Uptime) {
        let handles = self.bus.handles().iter();
        let resting =
            handles.filter(|handle| matches!(handle.ending(), ScanResult::Quarantined(..)));
        let resting: Vec<String> = resting.map(|handle| handle.name().to_owned()).collect();
        for name in &resting {
            if self.sampler.is_stuck(name) {
                self.bus.prolong(name, now);
            }
        }
        let handles = self.bus.handles();
        self.sampler.rest(|name| {
            let mut handles = handles.iter();
            handles.any(|handle| handle.name() == name && handle.rests(now))
        });
    }

    /// Returns the cost of the files of a module, without those that the core reads for everybody.
    #[must_use]
    pub fn file_costs(&self, module: &str) -> FileCosts {
        self.sampler.file_costs(module)
    }

    /// Does what modules ask for, as far as they may.
    fn carry_out(&mut self, now: Uptime) -> Vec<RequestOutcome> {
        let mut outcomes = Vec::new();
        for handle in self.bus.handles() {
            // What a module wants that could not make sense of the machine is not to be trusted.
            if handle.ending() != ScanResult::Answered(CallResult::Good) {
                continue;
            }
            for request in &handle.output().requests {
                let outcome = match self.policy.decide(handle.name(), request) {
                    Ruling::NotOwner => Outcome::NotOwner,
                    Ruling::Advise => Outcome::Advised,
                    Ruling::CarryOut => match self.actuator.carry_out(&request.action, now) {
                        Ok(outcome) => Outcome::CarriedOut(outcome),
                        Err(error) => Outcome::Failed(error.to_string()),
                    },
                };
                outcomes.push(RequestOutcome {
                    module: handle.name().to_owned(),
                    request: request.clone(),
                    outcome,
                    decision: None,
                });
            }
        }
        outcomes
    }

    /// Restores what modules have changed that are not asked any more.
    fn restore_of_the_quarantined(&mut self) -> Vec<Restored> {
        let handles = self.bus.handles().iter();
        let quarantined: Vec<&str> = handles
            .filter(|handle| matches!(handle.ending(), ScanResult::Quarantined(..)))
            .map(ModuleHandle::name)
            .collect();
        if quarantined.is_empty() {
            return Vec::new();
        }
        let policy = &self.policy;
        self.actuator.restore_those(|tunable| {
            let owner = policy.owner(tunable);
            owner.is_some_and(|owner| quarantined.contains(&owner))
        })
    }

    /// Returns the modules that reported late since the last scan, with their findings.
    pub fn late_findings(&mut self) -> Vec<(String, LateFinding)> {
        self.bus.late_findings(self.sampler.last().uptime)
    }

    /// Returns what has happened after the last decisions so far: there are no more scans.
    pub fn cut_short(&mut self) -> Vec<Record> {
        self.decisions.cut_short()
    }

    /// Resumes the tuning of tunables that were changed externally: of this one, or of all. Returns how many there are.
    pub fn resume(&mut self, tunable: Option<&str>) -> usize {
        self.actuator.resume(tunable)
    }

    /// Returns the receiver of messages about incidents, which do not belong to a scan.
    #[must_use]
    pub fn incident_words(&self) -> Receiver<IncidentMessage> {
        self.incidents.messages()
    }

    /// Waits until all incidents are written, but not for long. Returns the messages that are left.
    pub fn end_incidents(&mut self) -> Vec<IncidentMessage> {
        self.incidents.end()
    }

    /// Forgets who was at work: the daemon ends because it was told to.
    pub fn end(self) {
        if let Some(marker) = self.marker {
            marker.remove();
        }
        self.decisions.end();
        self.states.end();
    }

    /// Gives back what was changed, this tunable or all, and leaves it alone until it is resumed.
    pub fn hand_over(&mut self, tunable: Option<&str>, now: Uptime) -> Vec<Restored> {
        self.actuator.hand_over(tunable, now)
    }

    /// True as long as nobody knows what a daemon changed that died, as its ledger cannot be read for now.
    #[must_use]
    pub fn is_ledger_unread(&self) -> bool {
        self.actuator.is_ledger_unread()
    }

    /// Gives back everything that was changed, by us or by a daemon that died.
    pub fn restore(&mut self) -> Vec<Restored> {
        self.actuator.restore()
    }
}

/// Says of the tunables in a snapshot whose values they have.
fn mark(snapshot: &mut Snapshot, actuator: &mut Actuator) {
    let now = snapshot.uptime;
    for tunable in &mut snapshot.tunables {
        if let Some((knob, value)) = tunables::find(tunable.name).zip(tunable.value) {
            let standing = actuator.observe(knob, value, now);
            tunable.original = standing.original.or(tunable.value);
            tunable.yielded = standing.is_yielded;
        }
    }
}

/// Returns true if a module is quarantined or about to be restarted, but not idle.
fn is_broken(handle: &ModuleHandle) -> bool {
    match handle.ending() {
        ScanResult::Quarantined(reason, _) => reason != Reason::Idle,
        ScanResult::Restarting(_) => true,
        ScanResult::Silent | ScanResult::Answered(_) | ScanResult::Late(_) => false,
    }
}

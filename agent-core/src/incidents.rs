//! Incidents: findings worth keeping evidence for, so that an administrator can see what happened without having been
//! there.
//!
//! A module names the incident that a finding belongs to. The core remembers how its metrics have developed and what the
//! kernel's files held in some of the last scans; a thread of its own, the writer, takes evidence of who holds memory,
//! compares it with that of before, and writes everything into a directory.

mod event;
pub mod evidence;
mod explanations;
mod fair_queue;
pub(crate) mod owner;
mod queue;
mod record;
mod scans_after;
mod store;
mod writer;

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use adaptivemm_module_api::Severity;
use adaptivemm_module_api::units::Uptime;
use crossbeam_channel::Receiver;

use crate::base::clock;
use crate::base::clock::Moment;
use crate::base::news::News;
use crate::incidents::evidence::{Class, Level, Trigger};
use crate::kernel::Snapshot;
use crate::modules::abi::CallResult;
use crate::modules::output::{Finding, Number};
use crate::modules::pool::{LateFinding, ModuleHandle, ScanResult};

pub use event::{Attribution, IncidentEvent, IncidentMessage, StoredPart};
pub(crate) use explanations::{best_explanation, best_explanations, is_worth_telling};
pub(crate) use owner::owner_for;
use queue::IncidentQueue;
use record::KERNEL_MEMORY;
pub use record::{FindingRecord, History, Incident, Machine, State, VERSION};
use scans_after::Following;
pub use store::archive::Archive;
use store::metric_history::MetricHistory;
use store::recent_scans::{RecentScan, RecentScans};
pub use writer::IncidentConfig;
use writer::{NewFinding, WriteTask};

/// Evidence is taken so often in any case, so that there is always something to compare with.
const ROUTINE: Duration = Duration::from_secs(3600);
/// The time between two reminders that reports are lost.
const REMINDER: Duration = Duration::from_secs(3600);

/// The incidents of the daemon, if they are kept.
#[derive(Debug, Default)]
pub struct Incidents(Option<Box<Watch>>);

#[derive(Debug)]
struct Watch {
    queue: IncidentQueue,
    histories: Vec<MetricHistory>,
    recent_scans: RecentScans,
    /// The settings, with the place where a daemon before this one has left what it remembered.
    config: IncidentConfig,
    /// The time of the last scan.
    now: Uptime,
    /// Reports that were lost since that was last told, of whom, and when that was.
    lost: u64,
    losers: BTreeSet<String>,
    lost_told: Option<Uptime>,
    /// The time at which evidence was last taken.
    taken: Option<Uptime>,
    following: Following,
}

impl Incidents {
    /// Creates what keeps no incidents: for replays and simulations.
    #[must_use]
    pub fn unkept() -> Self {
        Self::default()
    }

    /// Starts the writer, which keeps them.
    ///
    /// # Errors
    ///
    /// Returns an error if the kernel gives us no more threads.
    pub fn kept(config: IncidentConfig) -> io::Result<Self> {
        Ok(Self(Some(Box::new(Watch {
            queue: IncidentQueue::open(config.clone())?,
            config,
            histories: Vec::new(),
            recent_scans: RecentScans::default(),
            now: Uptime::default(),
            lost: 0,
            losers: BTreeSet::new(),
            lost_told: None,
            taken: None,
            following: Following::default(),
        }))))
    }

    /// Looks at a scan and at what the modules said of it. What is kept of every scan goes into buffers that are there
    /// already.
    pub(crate) fn follow(&mut self, snapshot: &Snapshot, handles: &[ModuleHandle]) {
        if let Some(watch) = &mut self.0 {
            watch.follow(snapshot, handles);
        }
    }

    /// Returns where messages come out that do not belong to a scan.
    #[must_use]
    pub fn messages(&self) -> Receiver<IncidentMessage> {
        self.0
            .as_ref()
            .map_or_else(crossbeam_channel::never, |watch| {
                watch.queue.messages().clone()
            })
    }

    /// Returns what there is to tell, if the writer could not keep up since this was last asked.
    pub(crate) fn news(&mut self) -> Option<News> {
        let watch = self.0.as_mut()?;
        if watch.queue.is_newly_gone() {
            return Some(News {
                is_bad: true,
                text: "the thread that writes incidents has died: no incident is recorded until the daemon is restarted; \
                       findings are still logged"
                    .to_owned(),
            });
        }
        let (lost, modules) = watch.queue.newly_lost();
        watch.lost += lost;
        watch.losers.extend(modules);
        let is_due = watch
            .lost_told
            .is_none_or(|told| watch.now.since(told) >= REMINDER);
        if watch.lost == 0 || !is_due {
            return None;
        }
        watch.lost_told = Some(watch.now);
        let whose = std::mem::take(&mut watch.losers).into_iter();
        let whose: Vec<String> = whose.filter(|module| !module.is_empty()).collect();
        let whose = if whose.is_empty() {
            String::new()
        } else {
            format!(" (of {})", whose.join(", "))
        };
        let lost = std::mem::take(&mut watch.lost);
        Some(News {
            is_bad: true,
            text: format!(
                "incident reports dropped: {lost}{whose}; collecting evidence takes longer than the time between reports"
            ),
        })
    }

    /// Waits until all is written, but not for long; what is left to say.
    pub fn end(&mut self) -> Vec<IncidentMessage> {
        let Some(mut watch) = self.0.take() else {
            return Vec::new();
        };
        watch.remember();
        watch.queue.end()
    }
}

impl Watch {
    fn follow(&mut self, snapshot: &Snapshot, handles: &[ModuleHandle]) {
        let answered = handles
            .iter()
            .filter(|handle| handle.ending() == ScanResult::Answered(CallResult::Good));
        for handle in answered.clone() {
            let metrics = handle.output().metrics();
            if !metrics.is_empty() {
                self.history(handle.name()).note(snapshot.uptime, metrics);
            }
        }
        self.now = snapshot.uptime;
        self.recent_scans.note(snapshot);
        let is_due = self
            .taken
            .is_none_or(|taken| snapshot.uptime.since(taken) >= ROUTINE);
        if is_due {
            let why = if self.taken.is_none() {
                Trigger::Start
            } else {
                Trigger::Routine
            };
            self.take("", why, snapshot, handles);
            self.remember();
        }
        for handle in handles {
            for LateFinding { seen, finding } in handle.late_findings() {
                if !finding.incident.is_empty() {
                    self.hear(handle.name(), finding, *seen, snapshot, handles);
                }
            }
        }
        for handle in answered {
            for finding in &handle.output().findings {
                if !finding.incident.is_empty() {
                    let seen = snapshot.uptime;
                    self.hear(handle.name(), finding, seen, snapshot, handles);
                }
            }
        }
        for (module, job) in self.following.note(snapshot) {
            self.queue.hand_in(&module, job);
        }
    }

    /// Has evidence taken, for this module or for nobody.
    fn take(&mut self, module: &str, why: Trigger, snapshot: &Snapshot, handles: &[ModuleHandle]) {
        self.taken = Some(snapshot.uptime);
        let job = WriteTask::Take {
            why,
            at: moment(snapshot.uptime),
            levels: levels(handles),
            page_size: snapshot.page_size,
        };
        self.queue.hand_in(module, job);
    }

    fn hear(
        &mut self,
        module: &str,
        finding: &Finding,
        seen: Uptime,
        snapshot: &Snapshot,
        handles: &[ModuleHandle],
    ) {
        if finding.severity == Severity::Debug {
            self.take(module, Trigger::Suspicion, snapshot, handles);
            return;
        }
        let mut recent_scans = Vec::new();
        // The writer does its work in this order: what there is of an incident belongs to it as long as it is open.
        if finding.ends_incident {
            if let Some(job) = self.following.end(module, &finding.incident) {
                self.queue.hand_in(module, job);
            }
        } else if finding.severity <= Severity::Notice
            && self.following.begin(module, &finding.incident)
        {
            recent_scans = self.recent_scans.all();
            recent_scans.push(RecentScan::from_snapshot(snapshot));
        }
        let history = self.history(module).history();
        let heard = NewFinding {
            module: module.to_owned(),
            name: finding.incident.clone(),
            severity: finding.severity,
            told: told(finding, seen, snapshot.uptime),
            history,
            levels: levels(handles),
            page_size: snapshot.page_size,
            period_ms: u64::try_from(snapshot.period.as_millis()).unwrap_or(u64::MAX),
            recent_scans,
        };
        self.queue.hand_in(module, WriteTask::Hear(Box::new(heard)));
    }

    /// Lets a daemon after this one go on.
    fn remember(&mut self) {
        for history in &self.histories {
            let job = WriteTask::Remember {
                module: history.module().to_owned(),
                history: history.history(),
            };
            self.queue.hand_in(history.module(), job);
        }
    }

    fn history(&mut self, module: &str) -> &mut MetricHistory {
        let index = self
            .histories
            .iter()
            .position(|history| history.module() == module);
        let index = index.unwrap_or_else(|| {
            let IncidentConfig {
                state_dir, boot_id, ..
            } = &self.config;
            let earlier = store::evidence_store::remembered(state_dir, boot_id, module);
            self.histories.push(MetricHistory::resume(module, earlier));
            self.histories.len() - 1
        });
        &mut self.histories[index]
    }
}

/// The classes of memory, as far as the module memleak publishes them. Another module may use the same names for something
/// else.
fn levels(handles: &[ModuleHandle]) -> Vec<Level> {
    let Some(accountant) = handles.iter().find(|handle| handle.name() == KERNEL_MEMORY) else {
        return Vec::new();
    };
    let metrics = accountant.output().metrics();
    Class::ALL
        .into_iter()
        .filter_map(|class| level(class, metrics))
        .collect()
}

fn level(class: Class, metrics: &[Number]) -> Option<Level> {
    let metric = metrics
        .iter()
        .find(|metric| metric.name == class.metric())?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "bytes of a machine are far from the limits of an i64"
    )]
    let bytes = Some(metric.value).filter(|value| value.is_finite())? as i64;
    Some(Level { class, bytes })
}

/// Returns what a module has found in a snapshot that was taken at `seen`.
fn told(finding: &Finding, seen: Uptime, now: Uptime) -> FindingRecord {
    FindingRecord {
        at: Moment {
            time: (clock::time_of_day() - Duration::from_secs(now.since(seen).as_secs()))
                .to_string(),
            ..moment(seen)
        },
        severity: finding.severity.name().to_owned(),
        code: finding.code.clone(),
        text: finding.text.clone(),
        ends: finding.ends_incident,
        details: finding.details.lines().map(str::to_owned).collect(),
        numbers: finding
            .numbers
            .iter()
            .filter(|number| number.value.is_finite())
            .map(|number| (number.name.clone(), number.value))
            .collect(),
    }
}

fn moment(uptime: Uptime) -> Moment {
    Moment {
        time: clock::time_of_day().to_string(),
        uptime_ms: u64::try_from(uptime.0.as_millis()).unwrap_or(u64::MAX),
    }
}

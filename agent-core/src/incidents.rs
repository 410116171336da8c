//! Incidents: findings worth keeping evidence for, so that an administrator can see what happened without having been
//! there.
//!
//! A module names the incident that a finding belongs to. The core remembers how its metrics have developed and what the
//! kernel's files held in some of the last scans; a thread of its own, the clerk, takes evidence of who holds memory,
//! compares it with that of before, and writes everything into a directory.

mod archive;
mod chronicle;
mod clerk;
mod desk;
mod record;
pub mod report;
mod shelf;
mod stills;
mod turns;

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use adaptivemm_module_api::Severity;
use adaptivemm_module_api::units::Uptime;
use crossbeam_channel::Receiver;

use crate::bus::{Ending, LateFinding, Member};
use crate::clock;
use crate::config::TellOwners;
use crate::decisions::News;
use crate::evidence::{Class, Level, Why};
use crate::loader::Verdict;
use crate::sampler::Snapshot;
use crate::words::{Finding, Number};

pub use archive::{Archive, Room};
use chronicle::Chronicle;
pub use clerk::Office;
use clerk::{Heard, Job};
use desk::Desk;
pub use record::{History, Incident, Machine, Moment, Told, VERSION};
use stills::{Still, Stills};

/// Evidence is taken so often in any case, so that there is always something to compare with.
const ROUTINE: Duration = Duration::from_secs(3600);
/// So many scans after an incident was opened are kept.
const AFTER: usize = 10;
/// The module that tells how large each class of memory is.
const ACCOUNTANT: &str = "memleak";
/// How often it is told that reports are lost.
const REMINDER: Duration = Duration::from_secs(3600);
/// So many incidents can be followed at once.
const MOST_FOLLOWED: usize = 8;

/// Something to be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// How bad it is.
    pub severity: Severity,
    /// Whose incident it is, or `core`.
    pub module: String,
    /// In words.
    pub text: String,
    /// The same for whoever must not know all of it.
    pub for_others: ForOthers,
    /// The incident that it is about.
    pub incident: Option<String>,
}

/// Texts that do not say all of whose memory it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForOthers {
    /// With the name of the program, and neither its process nor its service.
    pub program: String,
    /// Not even with that.
    pub nameless: String,
}

impl ForOthers {
    /// Each as it is told so much.
    pub(crate) fn of(text: impl Fn(TellOwners) -> String) -> Self {
        Self {
            program: text(TellOwners::Program),
            nameless: text(TellOwners::None),
        }
    }
}

/// Sees to it that incidents are kept.
#[derive(Debug, Default)]
pub struct Incidents(Option<Box<Watch>>);

#[derive(Debug)]
struct Watch {
    desk: Desk,
    chronicles: Vec<Chronicle>,
    stills: Stills,
    /// Where a daemon before this one has left what it remembered.
    office: Office,
    /// When the last scan was.
    now: Uptime,
    /// Reports that were lost since that was last told, of whom, and when that was.
    lost: u64,
    losers: BTreeSet<String>,
    lost_told: Option<Uptime>,
    /// When evidence was last taken.
    taken: Option<Uptime>,
    followed: Vec<Followed>,
}

/// An incident that was just opened.
#[derive(Debug)]
struct Followed {
    module: String,
    name: String,
    stills: Vec<Still>,
    is_handed_in: bool,
}

impl Incidents {
    /// Nothing is kept: for replays and simulations.
    #[must_use]
    pub fn unkept() -> Self {
        Self::default()
    }

    /// They are kept there.
    ///
    /// # Errors
    ///
    /// If the kernel gives us no more threads.
    pub fn kept(office: Office) -> io::Result<Self> {
        Ok(Self(Some(Box::new(Watch {
            desk: Desk::open(office.clone())?,
            office,
            chronicles: Vec::new(),
            stills: Stills::default(),
            now: Uptime::default(),
            lost: 0,
            losers: BTreeSet::new(),
            lost_told: None,
            taken: None,
            followed: Vec::new(),
        }))))
    }

    /// Looks at a scan and at what the modules said of it. What is kept of every scan goes into buffers that are there
    /// already.
    pub(crate) fn follow(&mut self, snapshot: &Snapshot, members: &[Member]) {
        if let Some(watch) = &mut self.0 {
            watch.follow(snapshot, members);
        }
    }

    /// Where words come out that do not belong to a scan.
    #[must_use]
    pub fn words(&self) -> Receiver<Word> {
        self.0
            .as_ref()
            .map_or_else(crossbeam_channel::never, |watch| watch.desk.words().clone())
    }

    /// Whether the clerk could not keep up since this was last asked.
    pub(crate) fn news(&mut self) -> Option<News> {
        let watch = self.0.as_mut()?;
        let (lost, modules) = watch.desk.newly_lost();
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
                "evidence takes longer than the time between what is reported; reports that are not kept: {lost}{whose}"
            ),
        })
    }

    /// Waits until all is written, but not for long; what is left to say.
    pub fn end(&mut self) -> Vec<Word> {
        let Some(mut watch) = self.0.take() else {
            return Vec::new();
        };
        watch.remember();
        watch.desk.end()
    }
}

impl Watch {
    fn follow(&mut self, snapshot: &Snapshot, members: &[Member]) {
        let answered = members
            .iter()
            .filter(|member| member.ending() == Ending::Answered(Verdict::Good));
        for member in answered.clone() {
            let metrics = member.words().metrics();
            if !metrics.is_empty() {
                self.chronicle(member.name()).note(snapshot.uptime, metrics);
            }
        }
        self.now = snapshot.uptime;
        self.stills.note(snapshot);
        let is_due = self
            .taken
            .is_none_or(|taken| snapshot.uptime.since(taken) >= ROUTINE);
        if is_due {
            let why = if self.taken.is_none() {
                Why::Start
            } else {
                Why::Routine
            };
            self.take("", why, snapshot, members);
            self.remember();
        }
        for member in members {
            for LateFinding { seen, finding } in member.late_findings() {
                if !finding.incident.is_empty() {
                    self.hear(member.name(), finding, *seen, snapshot, members);
                }
            }
        }
        for member in answered {
            for finding in &member.words().findings {
                if !finding.incident.is_empty() {
                    let seen = snapshot.uptime;
                    self.hear(member.name(), finding, seen, snapshot, members);
                }
            }
        }
        self.go_on_following(snapshot);
    }

    /// Has evidence taken, for this module or for nobody.
    fn take(&mut self, module: &str, why: Why, snapshot: &Snapshot, members: &[Member]) {
        self.taken = Some(snapshot.uptime);
        let job = Job::Take {
            why,
            at: moment(snapshot.uptime),
            levels: levels(members),
            page_size: snapshot.page_size,
        };
        self.desk.hand_in(module, job);
    }

    fn hear(
        &mut self,
        module: &str,
        finding: &Finding,
        seen: Uptime,
        snapshot: &Snapshot,
        members: &[Member],
    ) {
        if finding.severity == Severity::Debug {
            self.take(module, Why::Suspicion, snapshot, members);
            return;
        }
        let is_news = finding.severity <= Severity::Notice;
        let is_same =
            |followed: &Followed| followed.module == module && followed.name == finding.incident;
        let is_known = self.followed.iter().any(is_same);
        let mut stills = Vec::new();
        if is_news && !is_known {
            stills = self.stills.all();
            stills.push(Still::of(snapshot));
            if self.followed.len() >= MOST_FOLLOWED {
                self.follow_one_less();
            }
            self.followed.push(Followed {
                module: module.to_owned(),
                name: finding.incident.clone(),
                stills: Vec::new(),
                is_handed_in: false,
            });
        }
        let history = self.chronicle(module).history();
        let heard = Heard {
            module: module.to_owned(),
            name: finding.incident.clone(),
            severity: finding.severity,
            told: told(finding, seen, snapshot.uptime),
            history,
            levels: levels(members),
            page_size: snapshot.page_size,
            period_ms: u64::try_from(snapshot.period.as_millis()).unwrap_or(u64::MAX),
            stills,
        };
        self.desk.hand_in(module, Job::Hear(Box::new(heard)));
    }

    /// Gives up the oldest incident of the module of which most are followed.
    fn follow_one_less(&mut self) {
        let count = |module: &str| {
            let same = self.followed.iter().filter(|each| each.module == module);
            same.count()
        };
        // Of modules with as many, the one with the oldest.
        let followed = self.followed.iter().enumerate().rev();
        let counted = followed.map(|(index, each)| (count(&each.module), index));
        let most = counted.max_by_key(|(count, _)| *count);
        let Some((_, index)) = most else { return };
        let module = self.followed[index].module.clone();
        let oldest = self.followed.iter().position(|each| each.module == module);
        if let Some(oldest) = oldest {
            self.followed.remove(oldest);
        }
    }

    /// Keeps the scans after an incident.
    fn go_on_following(&mut self, snapshot: &Snapshot) {
        for followed in &mut self.followed {
            if followed.is_handed_in {
                continue;
            }
            followed.stills.push(Still::of(snapshot));
            if followed.stills.len() > AFTER {
                followed.is_handed_in = true;
                let job = Job::After {
                    module: followed.module.clone(),
                    name: followed.name.clone(),
                    stills: std::mem::take(&mut followed.stills),
                };
                self.desk.hand_in(&followed.module, job);
            }
        }
    }

    /// Lets a daemon after this one go on.
    fn remember(&mut self) {
        for chronicle in &self.chronicles {
            let job = Job::Remember {
                module: chronicle.module().to_owned(),
                history: chronicle.history(),
            };
            self.desk.hand_in(chronicle.module(), job);
        }
    }

    fn chronicle(&mut self, module: &str) -> &mut Chronicle {
        let index = self
            .chronicles
            .iter()
            .position(|chronicle| chronicle.module() == module);
        let index = index.unwrap_or_else(|| {
            let Office {
                state_dir, boot_id, ..
            } = &self.office;
            let earlier = shelf::remembered(state_dir, boot_id, module);
            self.chronicles.push(Chronicle::of(module, earlier));
            self.chronicles.len() - 1
        });
        &mut self.chronicles[index]
    }
}

/// The classes of memory, as far as the module memleak publishes them. Another module may use the same names for something
/// else.
fn levels(members: &[Member]) -> Vec<Level> {
    let metrics = |name: &str| {
        let accountant = members.iter().find(|member| member.name() == ACCOUNTANT);
        let mut all = accountant
            .into_iter()
            .flat_map(|member| member.words().metrics());
        all.find(|metric| metric.name == name)
            .map(|metric| metric.value)
    };
    let level = |class: Class| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "bytes of a machine are far from the limits of an i64"
        )]
        let bytes = metrics(class.metric()).filter(|value| value.is_finite())? as i64;
        Some(Level { class, bytes })
    };
    Class::ALL.into_iter().filter_map(level).collect()
}

/// What a module has found in a snapshot that was taken at `seen`.
fn told(finding: &Finding, seen: Uptime, now: Uptime) -> Told {
    let finite = |number: &&Number| number.value.is_finite();
    Told {
        at: Moment {
            time: (clock::time_of_day() - Duration::from_secs(now.since(seen).as_secs()))
                .to_string(),
            ..moment(seen)
        },
        severity: finding.severity.name().to_owned(),
        code: finding.code.clone(),
        text: finding.text.clone(),
        details: finding.details.lines().map(str::to_owned).collect(),
        numbers: finding
            .numbers
            .iter()
            .filter(finite)
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

//! One scan from the kernel's files to what was done, as in the picture: sampler, bus, arbiter,
//! actuator. The daemon, a replay and a single snapshot all go this way.

use std::fmt;
use std::io;
use std::time::Duration;

use adaptivemm_module_api::units::{PageSize, Uptime};

use crate::actuator::{Actuator, Ledger, Mode, Outcome, Restored};
use crate::arbiter::{Arbiter, Clash, Decision, Permit};
use crate::bus::{Bus, Ending, Member, Patience, Reason, await_start};
use crate::config::{ModuleSettings, Settings};
use crate::isolation::START_WAIT;
use crate::loader::{Registration, Verdict};
use crate::marker::{Marker, TOO_MANY};
use crate::runner::Recipe;
use crate::sampler::Snapshot;
use crate::sampler::{Root, Sampler, Wanted};
use crate::trace::Frame;
use crate::words::Request;

/// The longest time that a scan waits for its modules, unless the configuration says otherwise.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Where modules run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// Each in a thread of its own, with a deadline.
    OnePerModule,
    /// All in the caller's thread: in a replay nothing can be late.
    None,
}

/// Where a daemon works, and how.
#[derive(Debug)]
pub struct Site {
    /// The machine.
    pub root: Root,
    /// Of the machine; without it, it is worked out or asked of the kernel.
    pub page_size: Option<PageSize>,
    /// Whether the machine is changed.
    pub mode: Mode,
    /// Where original values are noted.
    pub ledger: Ledger,
    /// Where modules run.
    pub threads: Threads,
    /// Where it is noted who is at work.
    pub marker: Option<Marker>,
}

impl Site {
    /// A machine that is looked at and not changed, in one thread.
    #[must_use]
    pub fn looked_at(root: Root) -> Self {
        Self {
            root,
            page_size: None,
            mode: Mode::Simulate,
            ledger: Ledger::in_memory(),
            threads: Threads::None,
            marker: None,
        }
    }
}

/// The daemon without its clock, its signals and its log.
#[derive(Debug)]
pub struct Agent {
    sampler: Sampler,
    bus: Bus,
    arbiter: Arbiter,
    actuator: Actuator,
    period: Duration,
    patience: Patience,
    threads: Threads,
    marker: Option<Marker>,
    /// The modules on the bus, as they were found and configured.
    running: Vec<(Registration, ModuleSettings)>,
}

/// Why the modules could not be started. All reasons at once.
#[derive(Debug)]
pub struct BuildErrors(pub Vec<BuildError>);

/// Why a module could not be started.
#[derive(Debug)]
pub enum BuildError {
    /// Its options make no sense together.
    Options {
        /// The module.
        module: String,
        /// The option, or nothing.
        key: String,
        /// What is wrong.
        text: String,
    },
    /// Two modules want the same tunable.
    Clash(Clash),
    /// The kernel gives us no more threads.
    Thread {
        /// The module.
        module: String,
        /// What the kernel said.
        source: io::Error,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options { module, key, text } if key.is_empty() => {
                write!(f, "module {module}: {text}")
            }
            Self::Options { module, key, text } => {
                write!(f, "[modules.{module}.config] {key}: {text}")
            }
            Self::Clash(clash) => write!(f, "{clash}"),
            Self::Thread { module, source } => {
                write!(f, "cannot start the thread of {module}: {source}")
            }
        }
    }
}

impl std::error::Error for BuildError {}

/// What happened in one scan.
#[derive(Debug)]
pub struct Round<'a> {
    /// What was seen.
    pub snapshot: &'a Snapshot,
    /// What every module said, by name.
    pub members: &'a [Member],
    /// What became of their requests, in the order of the modules.
    pub deeds: Vec<Deed>,
}

/// A request and what became of it.
#[derive(Debug)]
pub struct Deed {
    /// Who asked.
    pub module: String,
    /// For what.
    pub request: Request,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was carried out, as far as it could be.
    CarriedOut(Outcome),
    /// It could not be carried out.
    Failed(String),
    /// It was only said, as the module is to advise.
    Advised,
    /// Another module owns the tunable.
    NotOwner,
}

impl Agent {
    /// Starts the enabled modules. With a marker, a module that was at work when the daemon died too often is
    /// not started.
    ///
    /// # Errors
    ///
    /// If some of them cannot be started; then none is.
    pub fn build(
        site: Site,
        settings: &Settings,
        modules: &[Registration],
    ) -> Result<Self, BuildErrors> {
        let Site {
            root,
            page_size,
            mode,
            ledger,
            threads,
            mut marker,
        } = site;
        let chosen = chosen(settings, modules);
        let arbiter =
            arbiter(&chosen).map_err(|clash| BuildErrors(vec![BuildError::Clash(clash)]))?;
        let members = start(&chosen, threads, marker.as_mut()).map_err(BuildErrors)?;
        Ok(Self {
            sampler: Sampler::new(root.clone(), wanted(&chosen), page_size),
            bus: Bus::new(members),
            arbiter,
            actuator: Actuator::new(root, mode, ledger),
            period: settings.core.period,
            patience: patience(settings),
            threads,
            marker,
            running: owned(&chosen),
        })
    }

    /// Takes over a new configuration. A module whose settings and file did not change goes on as it is, with
    /// all that it has learned; the others are started anew.
    ///
    /// # Errors
    ///
    /// If some module cannot be started; then everything stays as it was.
    pub fn reconfigure(
        &mut self,
        settings: &Settings,
        modules: &[Registration],
    ) -> Result<(), BuildErrors> {
        let chosen = chosen(settings, modules);
        let arbiter =
            arbiter(&chosen).map_err(|clash| BuildErrors(vec![BuildError::Clash(clash)]))?;
        let idle = |name: &str| {
            self.bus
                .members()
                .iter()
                .any(|member| member.name() == name && member.is_idle())
        };
        let keeps: Vec<bool> = chosen
            .iter()
            .map(|(module, settings)| self.runs(module, settings) && idle(&settings.name))
            .collect();
        let fresh: Vec<_> = chosen
            .iter()
            .zip(&keeps)
            .filter(|(_, keep)| !**keep)
            .map(|(each, _)| *each)
            .collect();
        for (module, _) in &fresh {
            if let Some(marker) = &mut self.marker {
                marker.forgive(module.name());
            }
        }
        let mut members = start(&fresh, self.threads, self.marker.as_mut()).map_err(BuildErrors)?;
        let kept = |member: &Member| {
            chosen
                .iter()
                .zip(&keeps)
                .any(|((_, settings), keep)| *keep && settings.name == member.name())
        };
        let old = std::mem::replace(&mut self.bus, Bus::new(Vec::new())).into_members();
        members.extend(old.into_iter().filter(kept));
        self.bus = Bus::new(members);
        self.sampler.want(wanted(&chosen));
        self.arbiter = arbiter;
        self.period = settings.core.period;
        self.patience = patience(settings);
        self.running = owned(&chosen);
        Ok(())
    }

    /// Whether this very module is on the bus with these settings.
    fn runs(&self, module: &Registration, settings: &ModuleSettings) -> bool {
        self.running
            .iter()
            .any(|(running, set)| module.is_still(running) && set == settings)
    }

    /// Reads everything that the core knows how to read, for somebody who looks at the snapshot itself.
    pub fn want_everything(&mut self) {
        let files = self.sampler.wanted().files.clone();
        self.sampler.want(Wanted {
            files,
            ..Wanted::everything()
        });
    }

    /// The names of the modules that were started.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.bus.members().iter().map(Member::name)
    }

    /// The modules that do not work, before there was a scan: their names, and why.
    pub fn broken(&self) -> impl Iterator<Item = (&str, &str)> {
        let quarantined = |member: &&Member| {
            matches!(
                member.ending(),
                Ending::Quarantined(..) | Ending::Restarting(_)
            )
        };
        self.bus.members().iter().filter(quarantined).map(|member| {
            let problem = member.words().problems.first();
            (
                member.name(),
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
        self.sampler.apply(frame);
    }

    /// Reads the machine, lets every module look at it, and does what they ask for as far as it is
    /// allowed. `now` is the time since boot.
    pub fn scan(&mut self, now: Uptime) -> Round<'_> {
        let snapshot = self.sampler.take(now, self.period);
        self.bus.scan(&snapshot, self.patience);
        let mut deeds = Vec::new();
        for member in self.bus.members() {
            // What a module wants that could not make sense of the machine is not to be trusted.
            if member.ending() != Ending::Answered(Verdict::Good) {
                continue;
            }
            for request in &member.words().requests {
                let fate = match self.arbiter.decide(member.name(), request) {
                    Decision::NotOwner => Fate::NotOwner,
                    Decision::Advise => Fate::Advised,
                    Decision::CarryOut => match self.actuator.carry_out(&request.action) {
                        Ok(outcome) => Fate::CarriedOut(outcome),
                        Err(error) => Fate::Failed(error.to_string()),
                    },
                };
                deeds.push(Deed {
                    module: member.name().to_owned(),
                    request: request.clone(),
                    fate,
                });
            }
        }
        Round {
            snapshot: self.sampler.last(),
            members: self.bus.members(),
            deeds,
        }
    }

    /// Forgets who was at work: the daemon ends because it was told to.
    pub fn end(self) {
        if let Some(marker) = self.marker {
            marker.remove();
        }
    }

    /// Gives back everything that was changed, by us or by a daemon that died.
    pub fn restore(&mut self) -> Vec<Restored> {
        self.actuator.restore()
    }
}

/// The enabled modules with their settings.
fn chosen<'a>(
    settings: &'a Settings,
    modules: &'a [Registration],
) -> Vec<(&'a Registration, &'a ModuleSettings)> {
    let find =
        |settings: &ModuleSettings| modules.iter().find(|module| module.name() == settings.name);
    let enabled = settings.modules.iter().filter(|settings| settings.enabled);
    enabled
        .filter_map(|settings| Some((find(settings)?, settings)))
        .collect()
}

fn owned(chosen: &[(&Registration, &ModuleSettings)]) -> Vec<(Registration, ModuleSettings)> {
    chosen
        .iter()
        .map(|(module, settings)| ((*module).clone(), (*settings).clone()))
        .collect()
}

fn permit(module: &Registration, settings: &ModuleSettings) -> Permit {
    Permit::new(&module.description.writes, settings.allow.as_deref())
}

fn arbiter(chosen: &[(&Registration, &ModuleSettings)]) -> Result<Arbiter, Clash> {
    let permits: Vec<Permit> = chosen
        .iter()
        .map(|(module, settings)| permit(module, settings))
        .collect();
    let modules = chosen.iter().zip(&permits);
    Arbiter::new(modules.map(|((module, settings), permit)| (module.name(), permit, settings.mode)))
}

fn wanted(chosen: &[(&Registration, &ModuleSettings)]) -> Wanted {
    let mut wanted = Wanted::default();
    for (module, _) in chosen {
        module
            .description
            .needs
            .iter()
            .for_each(|path| wanted.add_file(path));
        module
            .description
            .writes
            .iter()
            .for_each(|name| wanted.add_tunable(name));
    }
    wanted
}

fn patience(settings: &Settings) -> Patience {
    let core = &settings.core;
    let usual = (core.period / 4).min(LONGEST_WAIT);
    Patience {
        deadline: core.deadline.unwrap_or(usual),
        max_late: core.max_late,
    }
}

/// Starts modules. If options are wrong, or there are no more threads, none is; one that breaks down is
/// quarantined.
fn start(
    chosen: &[(&Registration, &ModuleSettings)],
    threads: Threads,
    mut marker: Option<&mut Marker>,
) -> Result<Vec<Member>, Vec<BuildError>> {
    let mut members = Vec::new();
    let mut errors = Vec::new();
    for (module, settings) in chosen {
        match start_one(module, settings, threads, marker.as_deref_mut()) {
            Ok(member) => members.push(member),
            Err(source) => errors.push(BuildError::Thread {
                module: settings.name.clone(),
                source,
            }),
        }
    }
    for (module, problems) in await_start(&mut members, START_WAIT) {
        errors.extend(problems.into_iter().map(|(key, text)| BuildError::Options {
            module: module.clone(),
            key,
            text,
        }));
    }
    if errors.is_empty() {
        Ok(members)
    } else {
        Err(errors)
    }
}

fn start_one(
    module: &Registration,
    settings: &ModuleSettings,
    threads: Threads,
    marker: Option<&mut Marker>,
) -> io::Result<Member> {
    let recipe = Recipe {
        module: module.clone(),
        values: settings.values.clone(),
        permit: permit(module, settings),
        isolation: settings.isolation.unwrap_or(module.isolation),
    };
    let deaths = marker
        .as_ref()
        .map_or(0, |marker| marker.deaths(module.name()));
    // Also for one that is not started: the next daemon is to know, however this one ends.
    let slot = marker.and_then(|marker| marker.slot(module.name()));
    if deaths >= TOO_MANY && recipe.is_here() {
        return Ok(Member::quarantined(recipe, Reason::AtWork(deaths)));
    }
    match threads {
        Threads::None => Ok(Member::inline(recipe)),
        Threads::OnePerModule => Member::on_thread(recipe, settings.deadline, slot),
    }
}

impl Fate {
    /// For programs, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::CarriedOut(Outcome::Done { .. }) => "done",
            Self::CarriedOut(Outcome::Simulated { .. }) => "simulated",
            Self::CarriedOut(Outcome::AlreadySo) => "already-so",
            Self::CarriedOut(Outcome::Yielded { .. }) => "yielded",
            Self::Failed(_) => "failed",
            Self::Advised => "advised",
            Self::NotOwner => "not-owner",
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CarriedOut(outcome) => write!(f, "{outcome}"),
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Advised => f.write_str("advised, not done"),
            Self::NotOwner => f.write_str("refused: another module owns it"),
        }
    }
}

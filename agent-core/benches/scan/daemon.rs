//! What the daemon does every period, without its clock and its log daemon.

use std::path::{Path, PathBuf};
use std::time::Duration;

use adaptivemm_module_api::units::Uptime;
use agent_core::base::linked::CHOSEN;
use agent_core::config::{self, CommandLine, Settings, Sources};
use agent_core::decisions::Decisions;
use agent_core::incidents::{IncidentConfig, Incidents};
use agent_core::kernel::Root;
use agent_core::log::messages::Reporter;
use agent_core::log::sinks::Logger;
use agent_core::modules::catalogue;
use agent_core::modules::catalogue::Registration;
use agent_core::modules::crash_marker::CrashMarker;
use agent_core::modules::saved_state::SavedStates;
use agent_core::scan::{Agent, Site, Threads};

/// The threads that write what is kept, by the names that the kernel has for them.
#[allow(dead_code, reason = "not everybody needs these")]
pub(crate) const WRITERS: [&str; 3] = ["incidents", "module-states", "decision-log"];
/// Evidence is taken, and what is remembered is written, once in so many scans: an hour.
#[allow(dead_code, reason = "not everybody needs these")]
pub(crate) const HOUR: u32 = 120;

/// A daemon with modules that are linked in, as they are configured without a configuration.
#[derive(Debug)]
pub(crate) struct Daemon {
    agent: Agent,
    reporter: Reporter,
    journal: Logger,
    now: Duration,
    scans: u32,
    findings: usize,
    requests: usize,
}

impl Daemon {
    /// With those that run by default.
    #[allow(dead_code, reason = "not everybody needs these")]
    pub(crate) fn new(root: Root, threads: Threads) -> Self {
        Self::with_modules(CHOSEN, root, threads)
    }

    /// With those of these names that run by default.
    pub(crate) fn with_modules(names: &[&str], root: Root, threads: Threads) -> Self {
        let (modules, settings) = chosen(names);
        let site = Site {
            threads,
            ..Site::looked_at(root)
        };
        Self::at(site, &settings, &modules)
    }

    /// The same with a thread for each, and with all that a live daemon keeps, below this directory.
    #[allow(dead_code, reason = "not everybody needs these")]
    pub(crate) fn keeping(names: &[&str], root: Root, state_dir: &Path) -> Self {
        const BOOT: &str = "of-this-test";
        let (modules, settings) = chosen(names);
        let office = IncidentConfig {
            root: root.clone(),
            state_dir: state_dir.to_owned(),
            boot_id: BOOT.to_owned(),
            room: settings.core.incidents,
            census: settings.core.incident_census,
            budget: settings.core.evidence_budget,
        };
        let site = Site {
            threads: Threads::OnePerModule,
            marker: Some(CrashMarker::take_over(state_dir).unwrap()),
            decisions: Decisions::kept(state_dir, Some(BOOT.to_owned())),
            states: SavedStates::kept(state_dir, BOOT),
            incidents: Incidents::kept(office).unwrap(),
            ..Site::looked_at(root)
        };
        Self::at(site, &settings, &modules)
    }

    fn at(site: Site, settings: &Settings, modules: &[Registration]) -> Self {
        Self {
            agent: Agent::build(site, settings, modules).unwrap(),
            reporter: Reporter::new(),
            journal: Logger::to_writer(Box::new(std::io::sink()), 0),
            now: Duration::ZERO,
            scans: 0,
            findings: 0,
            requests: 0,
        }
    }

    /// One scan, a period after the one before.
    pub(crate) fn scan(&mut self) {
        self.now += self.agent.period();
        self.scans += 1;
        let round = self.agent.scan(Uptime(self.now));
        self.reporter.report(&round, &mut self.journal);
        let findings = round
            .handles
            .iter()
            .map(|handle| handle.output().findings.len());
        self.findings += findings.sum::<usize>();
        self.requests += round.outcomes.len();
    }

    /// How many scans there were so far.
    #[allow(dead_code, reason = "not everybody needs this")]
    pub(crate) fn scans(&self) -> u32 {
        self.scans
    }

    /// How many findings and requests there were so far.
    #[allow(dead_code, reason = "not everybody needs this")]
    pub(crate) fn said(&self) -> usize {
        self.findings + self.requests
    }

    /// How many findings there were so far.
    #[allow(dead_code, reason = "not everybody needs this")]
    pub(crate) fn findings(&self) -> usize {
        self.findings
    }
}

/// Modules that are linked in, and how they are configured without a configuration.
fn chosen(names: &[&str]) -> (Vec<Registration>, Settings) {
    let (mut modules, _) = catalogue::registrations();
    modules.retain(|module| names.contains(&module.name()));
    let schemas: Vec<_> = modules
        .iter()
        .map(|module| module.description.schema.clone())
        .collect();
    let nowhere = Sources {
        root: PathBuf::from("/nowhere"),
        file: None,
        drop_in: None,
        command_line: CommandLine::default(),
    };
    let settings = config::load(&nowhere, &schemas).settings;
    (modules, settings)
}

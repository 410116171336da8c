//! What the daemon does every period, without its clock and its log daemon.

use std::path::PathBuf;
use std::time::Duration;

use adaptivemm_module_api::units::Uptime;
use agent_core::agent::{Agent, Site, Threads};
use agent_core::catalogue;
use agent_core::config::{self, CommandLine, Sources};
use agent_core::journal::Journal;
use agent_core::linked::CHOSEN;
use agent_core::reporter::Reporter;
use agent_core::sampler::Root;

/// A daemon with modules that are linked in, as they are configured without a configuration.
#[derive(Debug)]
pub(crate) struct Daemon {
    agent: Agent,
    reporter: Reporter,
    journal: Journal,
    now: Duration,
    findings: usize,
}

impl Daemon {
    /// With those that run by default.
    #[allow(dead_code, reason = "not everybody needs these")]
    pub(crate) fn new(root: Root, threads: Threads) -> Self {
        Self::with_modules(CHOSEN, root, threads)
    }

    /// With those of these names that run by default.
    pub(crate) fn with_modules(names: &[&str], root: Root, threads: Threads) -> Self {
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
        Self {
            agent: Agent::build(
                Site {
                    threads,
                    ..Site::looked_at(root)
                },
                &settings,
                &modules,
            )
            .unwrap(),
            reporter: Reporter::new(),
            journal: Journal::to_writer(Box::new(std::io::sink()), 0),
            now: Duration::ZERO,
            findings: 0,
        }
    }

    /// One scan, a period after the one before.
    pub(crate) fn scan(&mut self) {
        self.now += self.agent.period();
        let round = self.agent.scan(Uptime(self.now));
        self.reporter.report(&round, &mut self.journal);
        let findings = round
            .members
            .iter()
            .map(|member| member.words().findings.len());
        self.findings += findings.sum::<usize>();
    }

    /// How many there were so far.
    pub(crate) fn findings(&self) -> usize {
        self.findings
    }
}

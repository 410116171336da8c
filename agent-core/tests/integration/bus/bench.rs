//! What the tests of the bus share: one daemon on a small machine, and what it logged.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adaptivemm_module_api::units::Uptime;
use agent_core::actions::{Mode, Restored};
use agent_core::config::{self, CommandLine, Settings, Sources};
use agent_core::kernel::Root;
use agent_core::log::messages::Reporter;
use agent_core::log::sinks::Logger;
use agent_core::modules::catalogue::registrations;
use agent_core::scan::{Agent, BuildErrors, Site, Threads};
use tempfile::TempDir;

use crate::linked_in::only;

const WSF: &str = "proc/sys/vm/watermark_scale_factor";
const PERIOD: u64 = 30;
/// Long enough that a module that behaves is never late, on however busy a machine.
pub(crate) const AMPLE: &str = "[core]\ndeadline-secs = 60\n";
pub(crate) const BOTH: [Threads; 2] = [Threads::OnePerModule, Threads::None];

/// What was logged.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<String>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap()
            .push_str(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A machine of one tunable, with the daemon on it.
pub(crate) struct Bench {
    pub(crate) machine: TempDir,
    pub(crate) agent: Agent,
    reporter: Reporter,
    pub(crate) journal: Logger,
    paper: Paper,
    pub(crate) secs: u64,
}

pub(crate) fn settings(text: &str) -> Settings {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("adaptivemmd.toml");
    fs::write(&file, format!("{text}\n{}", only(&[]))).unwrap();
    let schemas: Vec<_> = registrations()
        .0
        .into_iter()
        .map(|module| module.description.schema)
        .collect();
    let sources = Sources {
        root: "/nowhere".into(),
        file: Some(file),
        drop_in: None,
        command_line: CommandLine::default(),
    };
    let loaded = config::load(&sources, &schemas);
    assert!(loaded.is_valid(), "{:#?}", loaded.diagnostics);
    loaded.settings
}

pub(crate) fn build(
    machine: &Path,
    mode: Mode,
    threads: Threads,
    text: &str,
) -> Result<Agent, BuildErrors> {
    let root = Root::Directory(machine.to_owned());
    let site = Site {
        mode,
        threads,
        ..Site::looked_at(root)
    };
    Agent::build(site, &settings(text), &registrations().0)
}

impl Bench {
    pub(crate) fn new(threads: Threads, text: &str) -> Self {
        Self::with_mode(Mode::Live, threads, text)
    }

    pub(crate) fn with_mode(mode: Mode, threads: Threads, text: &str) -> Self {
        let machine = tempfile::tempdir().unwrap();
        fs::create_dir_all(machine.path().join("proc/sys/vm")).unwrap();
        fs::write(machine.path().join(WSF), "10\n").unwrap();
        fs::write(machine.path().join("proc/sys/vm/swappiness"), "60\n").unwrap();
        let paper = Paper::default();
        Self {
            agent: build(machine.path(), mode, threads, text).unwrap(),
            machine,
            reporter: Reporter::new(),
            journal: Logger::to_writer(Box::new(paper.clone()), 0),
            paper,
            secs: 0,
        }
    }

    /// One scan, a period after the one before. Returns what was logged.
    pub(crate) fn scan(&mut self) -> String {
        self.secs += PERIOD;
        let round = self.agent.scan(Uptime(Duration::from_secs(self.secs)));
        self.reporter.report(&round, &mut self.journal);
        std::mem::take(&mut self.paper.0.lock().unwrap())
    }

    pub(crate) fn scans(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.scan()).collect()
    }

    /// Returns what was given back.
    pub(crate) fn reload(&mut self, text: &str) -> String {
        let modules = registrations().0;
        let restored = self.agent.reconfigure(&settings(text), &modules).unwrap();
        self.reporter = Reporter::new();
        lines(&restored)
    }

    /// Gives everything back, and says what that was.
    pub(crate) fn restore(&mut self) -> String {
        lines(&self.agent.restore())
    }

    pub(crate) fn tunable(&self) -> String {
        let text = fs::read_to_string(self.machine.path().join(WSF)).unwrap();
        text.trim_end().to_owned()
    }

    pub(crate) fn set_tunable(&self, text: &str) {
        fs::write(self.machine.path().join(WSF), text).unwrap();
    }
}

/// The modules that are not run.
pub(crate) fn idle(agent: &Agent) -> Vec<String> {
    let idle = agent.idle().iter();
    idle.map(|idle| idle.module.clone()).collect()
}

fn lines(restored: &[Restored]) -> String {
    let lines: Vec<String> = restored.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

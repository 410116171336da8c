//! What these tests share: a daemon on a small machine, with a library of its own that holds the module that
//! misbehaves and the calm one; and what it logged.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use adaptivemm_module_api::units::Uptime;
use agent_core::actions::Mode;
use agent_core::config::{self, CommandLine, Settings, Sources};
use agent_core::kernel::Root;
use agent_core::log::messages::Reporter;
use agent_core::log::sinks::Logger;
use agent_core::modules::catalogue::{Catalogue, Registration};
use agent_core::modules::isolation::Program;
use agent_core::modules::pool::ScanResult;
use agent_core::scan::{Agent, BuildErrors, Site, Threads};
use tempfile::TempDir;

use crate::cc::places::fit_directory;
use crate::linked_in::only;

pub(crate) const BOTH: [&str; 2] = ["none", "process"];
/// Long enough that a module that behaves is never late, on however busy a machine.
pub(crate) const AMPLE: &str = "deadline-ms = 20_000";
/// For a module that does not answer at all.
pub(crate) const SHORT: &str = "deadline-ms = 100";
const WSF: &str = "proc/sys/vm/watermark_scale_factor";

/// A directory that nobody but its owner can write to, as those below `/tmp` are not.
pub(crate) fn trusted_directory() -> TempDir {
    // Of what is made in it, too, whoever runs this: many a user's umask lets the group write.
    let _of_whoever_runs_this = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let directory = tempfile::Builder::new()
        .prefix("containment-")
        .permissions(fs::Permissions::from_mode(0o755))
        .tempdir_in(fit_directory())
        .unwrap();
    assert!(directory.path().is_absolute());
    directory
}

/// Puts a copy of the library into a directory. It was built with these tests, and lies beside them.
pub(crate) fn install(directory: &Path) -> PathBuf {
    let beside = std::env::current_exe().unwrap();
    let library = directory.join("chaos.so");
    fs::copy(beside.with_file_name("libchaos.so"), &library).unwrap();
    fs::set_permissions(&library, fs::Permissions::from_mode(0o755)).unwrap();
    library
}

/// What the configuration says of the module that misbehaves, and of the calm one.
pub(crate) fn modules(isolation: &str, deadline: &str, options: &str) -> String {
    format!(
        "[modules.calm]\nenabled = true\ndeadline-ms = 20_000\n\
         [modules.chaos]\nenabled = true\nisolation = \"{isolation}\"\n{deadline}\n\
         [modules.chaos.config]\n{options}\n"
    )
}

/// What was logged.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<String>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut paper = self.0.lock().unwrap();
        paper.push_str(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A daemon without its clock.
pub(crate) struct Bench {
    pub(crate) directory: TempDir,
    pub(crate) agent: Agent,
    reporter: Reporter,
    journal: Logger,
    paper: Paper,
    pub(crate) now: Duration,
    /// Between two scans.
    pub(crate) step: Duration,
    /// How long the last scan took.
    pub(crate) took: Duration,
}

fn load(directory: &Path, modules: &str) -> (Settings, Vec<Registration>) {
    let file = directory.join("adaptivemmd.toml");
    let module_dir = directory.join("modules");
    let core = format!("[core]\nmodule-dir = \"{}\"\n", module_dir.display());
    fs::write(&file, core + modules + "\n" + &only(&[])).unwrap();
    let sources = Sources {
        root: "/nowhere".into(),
        file: Some(file),
        drop_in: None,
        command_line: CommandLine::default(),
    };
    let program = Program::at(Path::new(env!("CARGO_BIN_EXE_adaptivemmd")));
    let catalogue = Catalogue::gather(&config::placements(&sources), &program);
    assert_eq!(catalogue.refused, []);
    let schemas: Vec<_> = catalogue
        .modules
        .iter()
        .map(|module| module.description.schema.clone())
        .collect();
    let loaded = config::load(&sources, &schemas);
    assert!(loaded.is_valid(), "{:#?}", loaded.diagnostics);
    (loaded.settings, catalogue.modules)
}

impl Bench {
    pub(crate) fn new(modules: &str) -> Self {
        Self::try_new(modules).unwrap()
    }

    pub(crate) fn try_new(modules: &str) -> Result<Self, BuildErrors> {
        let directory = trusted_directory();
        let machine = directory.path().join("machine");
        fs::create_dir_all(machine.join("proc/sys/vm")).unwrap();
        fs::write(machine.join(WSF), "10\n").unwrap();
        fs::write(machine.join("proc/meminfo"), "MemTotal: 1024 kB\n").unwrap();
        fs::create_dir(directory.path().join("modules")).unwrap();
        install(&directory.path().join("modules"));
        let site = Site {
            mode: Mode::Live,
            threads: Threads::OnePerModule,
            ..Site::looked_at(Root::Directory(machine))
        };
        let (settings, registrations) = load(directory.path(), modules);
        let paper = Paper::default();
        Ok(Self {
            agent: Agent::build(site, &settings, &registrations)?,
            directory,
            reporter: Reporter::new(),
            journal: Logger::to_writer(Box::new(paper.clone()), 0),
            paper,
            now: Duration::ZERO,
            step: Duration::from_secs(30),
            took: Duration::ZERO,
        })
    }

    /// One scan, a step after the one before. Returns what was logged.
    pub(crate) fn scan(&mut self) -> String {
        self.now += self.step;
        let start = Instant::now();
        let round = self.agent.scan(Uptime(self.now));
        self.took = start.elapsed();
        let calm = round.handles.iter().find(|handle| handle.name() == "calm");
        if let Some(calm) = calm {
            let said: Vec<&str> = calm
                .output()
                .findings
                .iter()
                .map(|finding| finding.text.as_str())
                .collect();
            assert_eq!(said, [format!("scan {}", round.snapshot.scan)]);
        }
        self.reporter.report(&round, &mut self.journal);
        let log = std::mem::take(&mut *self.paper.0.lock().unwrap());
        log.split_inclusive('\n')
            .filter(|line| !line.starts_with("notice calm: scan "))
            .collect()
    }

    pub(crate) fn scans(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.scan()).collect()
    }

    /// Scans at this time, and how that ended for the module that misbehaves.
    pub(crate) fn scan_at(&mut self, seconds: f64) -> ScanResult {
        self.now = Duration::from_secs_f64(seconds);
        let round = self.agent.scan(Uptime(self.now));
        let chaos = round.handles.iter().find(|handle| handle.name() == "chaos");
        chaos.unwrap().ending()
    }

    pub(crate) fn reload(&mut self, modules: &str) {
        let (settings, registrations) = load(self.directory.path(), modules);
        self.agent.reconfigure(&settings, &registrations).unwrap();
    }

    pub(crate) fn tunable(&self) -> String {
        let text = fs::read_to_string(self.directory.path().join("machine").join(WSF)).unwrap();
        text.trim_end().to_owned()
    }

    /// The processes of its modules.
    pub(crate) fn children(&self) -> Vec<u32> {
        children(std::process::id(), self.directory.path())
    }
}

/// The processes that `parent` started for modules below `directory`, by number. One that has ended, and that
/// nobody has asked how, has no command line any more; it counts if `parent` has no other business.
pub(crate) fn children(parent: u32, directory: &Path) -> Vec<u32> {
    let directory = directory.to_str().unwrap();
    let of_ours = |pid: &u32| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(directory)
    };
    all_children(parent).into_iter().filter(of_ours).collect()
}

/// All processes that `parent` started, those that have ended included.
pub(crate) fn all_children(parent: u32) -> Vec<u32> {
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        after_name.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .filter(is_child)
        .collect()
}

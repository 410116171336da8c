//! The state of each module, in a file of the runtime directory for `adaptivemmd modules`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::base::files;
use crate::log::messages;
use crate::modules::abi::CallResult;
use crate::modules::pool::{ModuleHandle, Reason, ScanResult};

/// The most that is read of the file; all modules need far less.
const LONGEST: u64 = 1 << 20;
/// The mode of the file: everybody may read the state of the modules.
const MODE: u32 = 0o644;

/// Keeps the file as long as the daemon runs. It is written when something changes, not every scan.
#[derive(Debug)]
pub struct ModulesFile {
    path: PathBuf,
    /// The content of the file.
    noted: Vec<ScanResult>,
    modules: Vec<String>,
}

/// The content of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    pid: i32,
    modules: BTreeMap<String, Stand>,
}

/// The state of one module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// `running`, `failing`, `late`, `restarting`, `quarantined` or `idle`.
    pub state: String,
    /// The reason, if it does not simply run.
    pub why: Option<String>,
}

impl ModulesFile {
    /// Prepares the file in this directory, which need not exist yet.
    #[must_use]
    pub fn new(runtime_dir: &Path) -> Self {
        Self {
            path: path(runtime_dir),
            noted: Vec::new(),
            modules: Vec::new(),
        }
    }

    /// Notes how the modules stand after a scan, if that has changed.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; it is tried again when something changes.
    pub fn note(&mut self, handles: &[ModuleHandle]) -> io::Result<()> {
        let endings = || handles.iter().map(|handle| essence(handle.ending()));
        let names = || handles.iter().map(ModuleHandle::name);
        if endings().eq(self.noted.iter().copied())
            && names().eq(self.modules.iter().map(String::as_str))
        {
            return Ok(());
        }
        self.noted = endings().collect();
        self.modules = names().map(str::to_owned).collect();
        let stands = handles
            .iter()
            .map(|handle| (handle.name().to_owned(), stand(handle)));
        let content = Content {
            pid: rustix::process::getpid().as_raw_pid(),
            modules: stands.collect(),
        };
        let text = serde_json::to_vec(&content).map_err(io::Error::from)?;
        files::replace(&self.path, MODE, &[&text])
    }

    /// Removes the file: the daemon ends.
    pub fn remove(self) {
        let _none_there = files::remove(&self.path);
    }
}

fn path(runtime_dir: &Path) -> PathBuf {
    runtime_dir.join("modules.json")
}

/// Returns the states of the modules of the running daemon; none if it is not running.
#[must_use]
pub fn read(runtime_dir: &Path) -> BTreeMap<String, Stand> {
    let content = files::read(&path(runtime_dir), LONGEST).ok();
    let content: Option<Content> = content.and_then(|text| serde_json::from_slice(&text).ok());
    content
        .filter(|content| is_alive(content.pid))
        .map(|content| content.modules)
        .unwrap_or_default()
}

/// Returns true if a process of this number runs; that of another user counts.
fn is_alive(pid: i32) -> bool {
    let pid = Pid::from_raw(pid).filter(|pid| pid.as_raw_pid() > 0);
    pid.is_some_and(|pid| matches!(test_kill_process(pid), Ok(()) | Err(Errno::PERM)))
}

/// Returns the part of a result that is worth writing the file anew: another missed scan is not.
fn essence(ending: ScanResult) -> ScanResult {
    match ending {
        ScanResult::Late(_) => ScanResult::Late(0),
        other => other,
    }
}

/// Returns the state of a module after the last scan.
pub(crate) fn stand(handle: &ModuleHandle) -> Stand {
    let known = handle.output().problems.first().map(|(_, text)| text);
    let problem = known.map_or("no reason given", String::as_str);
    let (state, why) = match handle.ending() {
        ScanResult::Answered(CallResult::Good) => ("running", None),
        ScanResult::Answered(_) => ("failing", Some(problem.to_owned())),
        ScanResult::Late(_) => ("late", Some("does not answer in time".to_owned())),
        ScanResult::Restarting(reason) => {
            ("restarting", Some(messages::breakdown(reason, problem)))
        }
        ScanResult::Quarantined(Reason::Idle, _) => ("idle", Some(problem.to_owned())),
        ScanResult::Quarantined(reason, pause) => (
            "quarantined",
            Some(messages::quarantine(reason, pause, problem)),
        ),
        // It rests before it is started again.
        ScanResult::Silent => ("restarting", known.cloned()),
    };
    Stand {
        state: state.to_owned(),
        why,
    }
}

//! The daemon that runs: how it does, and whether its own view of the machine, which a sandbox narrows, lets it work.

use std::path::PathBuf;

use rustix::io::Errno;
use serde_json::json;

use super::check::Check;
use super::kernel::{can_write, unwritable};
use crate::config::Core;
use crate::daemon::control::{CallError, call};
use crate::daemon::lock::{Lock, NotAlone};
use crate::kernel::Root;
use crate::scan::TunableState;
use crate::status::{Module, Summary};

/// `changed` are the files that it may have to write.
pub(super) fn checks(root: &Root, core: &Core, changed: &[String]) -> Vec<Check> {
    if let Err(NotAlone::Predecessor { pid }) = Lock::alone() {
        let text =
            format!("adaptivemm 2.1 is running as process {pid} and changes the same tunables");
        return vec![Check::problem("daemon", &text).remedy("stop it, and disable its unit")];
    }
    let reply = match call(&core.runtime_dir, "Status", &json!({})) {
        Ok(reply) => reply,
        Err(CallError::NotRunning { .. }) => {
            return vec![Check::note("daemon", "it is not running").remedy("start it")];
        }
        Err(error) => return vec![Check::problem("daemon", &error.to_string())],
    };
    let Ok(summary) = serde_json::from_value::<Summary>(reply) else {
        let text = "the running daemon is of another version";
        return vec![Check::note("daemon", text).remedy("restart it")];
    };
    let text = format!(
        "runs as process {}, version {}",
        summary.pid, summary.version
    );
    let mut checks = vec![Check::well("daemon", &text)];
    checks.extend(reloading(&summary));
    checks.extend(summary.modules.iter().filter_map(module));
    checks.extend(summary.tunables.iter().filter_map(yielded));
    if root.is_live() {
        checks.extend(changed.iter().filter_map(|path| sandbox(summary.pid, path)));
    }
    checks
}

fn reloading(summary: &Summary) -> Option<Check> {
    let problem = summary.reload.as_ref()?.problem.as_ref()?;
    Some(
        Check::problem("daemon", problem)
            .remedy("`adaptivemmd check-config`, then `adaptivemmd reload`"),
    )
}

fn module(module: &Module) -> Option<Check> {
    if module.state == "running" {
        return None;
    }
    let why = module.why.as_deref().unwrap_or("no reason given");
    let text = format!("the module {} is {}: {why}", module.name, module.state);
    let section = if module.state == "idle" {
        "\"A module is idle\" in adaptivemmd(8)"
    } else {
        "\"A module is quarantined\" in adaptivemmd(8)"
    };
    Some(Check::problem("daemon", &text).remedy(section))
}

fn yielded(tunable: &TunableState) -> Option<Check> {
    let name = &tunable.name;
    let text = format!("{name} is paused: it was changed externally");
    let remedy = format!("`adaptivemmd resume {name}`");
    tunable
        .yielded
        .then(|| Check::note("daemon", &text).remedy(&remedy))
}

/// Returns a problem if the daemon itself cannot write a file, as its process sees the file system.
fn sandbox(pid: u32, path: &str) -> Option<Check> {
    let path = PathBuf::from(format!("/proc/{pid}/root{path}"));
    match can_write(&path) {
        // It has no such file, or we may not look.
        Ok(()) | Err(Errno::NOENT | Errno::ACCESS | Errno::PERM) => None,
        Err(errno) => Some(unwritable("daemon", &path, errno)),
    }
}

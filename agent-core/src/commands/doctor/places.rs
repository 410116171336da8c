//! The places that the daemon keeps its own files in, and logs to.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

use super::check::Check;
use crate::config::{Core, LogTarget};
use crate::kernel::Root;

pub(super) fn checks(root: &Root, core: &Core) -> Vec<Check> {
    let state_dir = root.locate(&core.state_dir.to_string_lossy());
    let state_dir = state_dir.unwrap_or_else(|| core.state_dir.clone());
    vec![
        directory("runtime-dir", &core.runtime_dir),
        directory("state-dir", &state_dir),
        log(core),
    ]
}

/// Checks that files can be created in a directory, or the directory itself in the nearest one that exists.
fn directory(key: &str, path: &Path) -> Check {
    let shown = path.display();
    let there = path.ancestors().find(|above| above.exists());
    let there = there.unwrap_or(path);
    let text = if there == path {
        format!("{key} {shown}")
    } else {
        format!("{key} {shown}, to be created in {},", there.display())
    };
    if !there.is_dir() {
        let text = format!("{text} is not a directory");
        return Check::problem("core", &text).remedy(&format!("choose another {key} in [core]"));
    }
    match accessat(
        CWD,
        there,
        Access::WRITE_OK | Access::EXEC_OK,
        AtFlags::empty(),
    ) {
        Ok(()) => Check::well("core", &format!("{text} is writable")),
        Err(errno) => {
            let text = format!("{text} is not writable: {}", io::Error::from(errno));
            let remedy = format!("run as root, or choose another {key} in [core]");
            Check::problem("core", &text).remedy(&remedy)
        }
    }
}

/// Checks that a log daemon listens.
fn log(core: &Core) -> Check {
    let sockets: Vec<&PathBuf> = match core.log_target {
        LogTarget::Stderr => {
            return Check::note("core", "the log goes to standard error, as log-target says");
        }
        LogTarget::Syslog => vec![&core.syslog_socket],
        LogTarget::Journal => vec![&core.journal_socket],
        LogTarget::Auto => vec![&core.syslog_socket, &core.journal_socket],
    };
    let listening: Vec<&PathBuf> = sockets
        .iter()
        .copied()
        .filter(|path| listens(path))
        .collect();
    if listening.is_empty() {
        let text = format!("no log daemon listens on {}", shown(&sockets));
        return Check::problem("core", &text)
            .remedy("start one, or set log-target = \"stderr\" for a daemon in the foreground");
    }
    Check::well(
        "core",
        &format!("a log daemon listens on {}", shown(&listening)),
    )
}

fn listens(socket: &Path) -> bool {
    let probe = UnixDatagram::unbound().and_then(|probe| probe.connect(socket));
    let errno = probe.err().as_ref().map(Errno::from_io_error);
    // A stream listens there, which the daemon speaks as well.
    matches!(errno, None | Some(Some(Errno::PROTOTYPE)))
}

fn shown(sockets: &[&PathBuf]) -> String {
    let paths: Vec<String> = sockets
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(" and ")
}

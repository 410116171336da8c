//! Puts the daemon into the background, as is expected without a service manager.
//!
//! The program starts itself once more, in a session of its own, instead of forking: a fork would leave
//! the child with one thread of several. The caller waits until the daemon has scanned once, so that its
//! exit status says whether the daemon runs.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};

use rustix::process::{chdir, setsid};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use crate::daemon::signals;

/// Tells the second process what it is.
const MARK: &str = "ADAPTIVEMMD_IN_BACKGROUND";

/// The side of the fork that this process is on.
#[derive(Debug)]
pub(crate) enum Background {
    /// It stays in the foreground.
    No,
    /// It is the caller; the daemon runs (0), or ended with this code.
    Parent(i32),
    /// It is the daemon.
    Child(Ready),
}

/// The caller, to be told once the daemon works.
#[derive(Debug)]
pub(crate) struct Ready(());

impl Background {
    /// The daemon works: the caller may go, and with it its terminal.
    pub(crate) fn ready(&self) {
        if let Self::Child(Ready(())) = self {
            // A caller that is gone already need not be told; a missing /dev/null is no reason to end.
            let _told = io::stdout()
                .write_all(b"ready")
                .and_then(|()| io::stdout().flush());
            let _kept_open = leave_terminal();
        }
    }
}

/// Goes into the background.
///
/// # Errors
///
/// If the second process cannot be started.
pub(crate) fn enter() -> io::Result<Background> {
    if env::var_os(MARK).is_some() {
        // It is no group leader unless somebody set the mark by hand.
        let _own_session = setsid();
        chdir("/")?;
        return Ok(Background::Child(Ready(())));
    }
    // This process only waits, and is to end when it is told to.
    signals::let_through();
    let mut child = Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .env(MARK, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut word = Vec::new();
    if let Some(stdout) = child.stdout.as_mut() {
        stdout.read_to_end(&mut word)?;
    }
    if word == b"ready" {
        return Ok(Background::Parent(0));
    }
    let status = child.wait()?;
    Ok(Background::Parent(
        status.code().filter(|&code| code != 0).unwrap_or(1),
    ))
}

fn leave_terminal() -> io::Result<()> {
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

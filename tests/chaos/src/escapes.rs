//! Tries what only a process with descriptors, children or threads can.

use std::fs::{self, File};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::Command;
use std::thread;

use adaptivemm_module_api::{Finding, Out, Severity};

unsafe extern "C" {
    safe fn fork() -> i32;
    safe fn getppid() -> i32;
    safe fn setuid(user: u32) -> i32;
    safe fn kill(process: i32, signal: i32) -> i32;
    safe fn _exit(status: i32) -> !;
}

/// Says of every attempt whether it was successful.
pub(crate) fn all(out: &mut Out<'_>) {
    let attempts = [
        ("open", File::open("/dev/null").is_ok()),
        ("write", fs::write("/tmp/adaptivemmd-chaos", "x").is_ok()),
        ("socket", UnixDatagram::unbound().is_ok()),
        ("pair", UnixStream::pair().is_ok()),
        ("fork", forks()),
        ("run", Command::new("/bin/true").status().is_ok()),
        ("thread", thread::Builder::new().spawn(|| ()).is_ok()),
        ("setuid", setuid(0) == 0),
        ("kill the daemon", kill(getppid(), 0) == 0),
    ];
    for (attempt, success) in attempts {
        let answer = if success { "yes" } else { "no" };
        let text = format!("{attempt}: {answer}");
        out.finding(&Finding::new(Severity::Notice, "attempt", &text));
    }
}

fn forks() -> bool {
    match fork() {
        0 => _exit(0),
        child => child > 0,
    }
}

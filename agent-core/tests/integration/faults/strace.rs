//! The program under `strace`.

use std::fs;
use std::process::{Command, Output};

use crate::faults::bench::{Bench, COMPACT, FILES};

/// The program on this machine, under `strace` with options of its own.
pub(crate) fn traced(bench: &Bench, options: &[&str], arguments: &[&str]) -> Command {
    let program = bench.command(arguments);
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq"])
        .args(options)
        .arg("--")
        .arg(program.get_program())
        .args(program.get_args())
        .env_remove("NOTIFY_SOCKET");
    strace
}

/// Runs a command under `strace`.
pub(crate) fn run(mut strace: Command) -> Output {
    strace.output().unwrap()
}

/// What differs from the machine before anybody changed it.
pub(crate) fn changed(bench: &Bench) -> Vec<(&'static str, String)> {
    let tunables = FILES.iter().filter(|(path, _)| *path != COMPACT);
    let now = tunables.map(|(path, text)| {
        let now = fs::read_to_string(bench.path(path)).unwrap();
        (*path, text.trim(), now.trim().to_owned())
    });
    now.filter(|(_, before, now)| before != now)
        .map(|(path, _, now)| (path, now))
        .collect()
}

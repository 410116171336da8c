//! The daemon without a terminal: in the background, under systemd, or when the terminal is closed.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::pipe::PipeFlags;
use rustix::process::{Signal, getsid, kill_process};

use crate::daemon::QUICK;
use crate::daemon::life::{holder, pid, scans_go_on};
use crate::daemon::machine::Machine;
use crate::daemon::process::{Home, Running, eventually, proc_file};
use crate::daemon::words::{LogDaemon, stderr};

/// A daemon in the background, which nobody else would end.
struct InBackground(u32);

impl InBackground {
    fn of(home: &Home) -> Self {
        Self(holder(home).unwrap())
    }

    fn send(&self, signal: Signal) {
        kill_process(pid(self.0), signal).unwrap();
    }

    /// Whether it runs. A process that nobody waits for is a zombie first.
    fn is_alive(&self) -> bool {
        let state = proc_file(self.0, "stat")
            .and_then(|stat| stat.rsplit_once(") ").map(|(_, rest)| rest[..1].to_owned()));
        state.is_some_and(|state| state != "Z")
    }

    fn is_gone(&self) {
        eventually("it ends", || (!self.is_alive()).then_some(()));
    }
}

impl Drop for InBackground {
    fn drop(&mut self) {
        if self.is_alive() {
            let _gone = kill_process(pid(self.0), Signal::KILL);
        }
    }
}

#[test]
fn it_goes_into_the_background_after_the_first_scan_and_leaves_the_terminal() {
    let home = Home::new(&format!("{QUICK}\nverbosity = 4"), "");
    let log = LogDaemon::listen(&home);

    // This ends only when nobody holds the other end of standard output and standard error.
    let caller = home.command(&[]).output().unwrap();
    let daemon = InBackground::of(&home);
    log.0.set_nonblocking(true).unwrap();
    let told = [log.next(), log.next(), log.next()];
    log.0.set_nonblocking(false).unwrap();

    assert_eq!(
        (
            caller.status.code(),
            caller.stdout.as_slice(),
            stderr(&caller)
        ),
        (Some(0), b"".as_slice(), String::new())
    );
    assert!(told[0].starts_with("core: adaptivemmd "), "{told:?}");
    assert!(told[1].starts_with("memleak: "), "{told:?}");
    assert!(told[2].starts_with("core: scan 1 took "), "{told:?}");
    assert_eq!(getsid(Some(pid(daemon.0))), Ok(pid(daemon.0)));
    let link = |name: &str| fs::read_link(format!("/proc/{}/{name}", daemon.0)).unwrap();
    eventually("it leaves the terminal", || {
        let links = ["cwd", "fd/0", "fd/1", "fd/2"].map(link);
        let gone = ["/", "/dev/null", "/dev/null", "/dev/null"].map(PathBuf::from);
        (links == gone).then_some(())
    });

    daemon.send(Signal::TERM);
    assert_eq!(log.until("ended").last().unwrap(), "core: ended");
    daemon.is_gone();
}

#[test]
fn in_the_background_it_still_finds_its_files_by_the_paths_that_it_was_given() {
    let home = Home::new(QUICK, "");
    let machine = Machine::new(&home, 100);
    let log = LogDaemon::listen(&home);
    let caller = Command::new(env!("CARGO_BIN_EXE_adaptivemmd"))
        .args(["-c", "adaptivemmd.toml", "--root", "machine"])
        .current_dir(home.path(""))
        .env_remove("NOTIFY_SOCKET")
        .output()
        .unwrap();
    assert_eq!(
        (caller.status.code(), stderr(&caller)),
        (Some(0), String::new())
    );
    let daemon = InBackground::of(&home);

    home.configure("period-secs = 0.1\nverbosity = 2", "");
    machine.lose(200);
    daemon.send(Signal::HUP);
    log.until("core: configuration reloaded: a scan every 0.1 s, modules: memleak");
    let told = log.until("memleak: ");
    daemon.send(Signal::TERM);
    log.until("core: ended");

    assert!(
        told.last()
            .unwrap()
            .ends_with("(classic formula 200.0 MiB, baseline 100.0 MiB)"),
        "{told:?}"
    );
}

#[test]
fn systemd_keeps_it_in_the_foreground() {
    let home = Home::new(QUICK, "");
    let log = LogDaemon::listen(&home);
    let daemon = Running::start(home.command(&[]).env("NOTIFY_SOCKET", "/nonexistent"));

    log.until("started");

    assert_eq!(holder(&home), Some(daemon.pid()));
    let (status, said) = daemon.terminate();
    assert_eq!((status.code(), said), (Some(0), Vec::new()));
    log.until("core: ended");
}

#[test]
fn systemd_without_a_log_daemon_is_told_on_standard_error() {
    let home = Home::new(QUICK, "");
    let mut daemon = Running::start(home.command(&[]).env("NOTIFY_SOCKET", "/nonexistent"));

    daemon.until("started");

    assert_eq!(daemon.terminate().0.code(), Some(0));
}

#[test]
fn a_missing_log_daemon_hurts_nobody() {
    let home = Home::new(QUICK, "");

    let caller = home.command(&[]).output().unwrap();
    let daemon = InBackground::of(&home);
    scans_go_on(daemon.0);

    assert_eq!(
        (caller.status.code(), stderr(&caller)),
        (Some(0), String::new())
    );
    daemon.send(Signal::TERM);
    daemon.is_gone();
}

#[test]
fn a_terminal_that_is_closed_does_not_end_it() {
    let home = Home::new(&format!("{QUICK}\nverbosity = 5"), "");
    let (log, stderr) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).unwrap();
    let mut command = home.command(&["-d"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap();
    // The command holds the other end too.
    drop(command);
    eventually("it has the lock", || {
        (holder(&home) == Some(child.id())).then_some(())
    });

    drop(log);
    scans_go_on(child.id());
    kill_process(pid(child.id()), Signal::TERM).unwrap();

    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_terminal_that_was_never_open_does_not_keep_it_from_starting() {
    let home = Home::new(&format!("{QUICK}\nverbosity = 5"), "");
    let program = home.command(&["-d"]);
    let mut child = Command::new("sh")
        .args(["-c", "exec \"$@\" <&- >&- 2>&-", "sh"])
        .arg(program.get_program())
        .args(program.get_args())
        .spawn()
        .unwrap();
    eventually("it has the lock", || {
        (holder(&home) == Some(child.id())).then_some(())
    });

    scans_go_on(child.id());
    kill_process(pid(child.id()), Signal::TERM).unwrap();

    assert_eq!(child.wait().unwrap().code(), Some(0));
}

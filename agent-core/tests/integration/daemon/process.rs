//! The built program as a process, with a configuration and directories of its own.
#![allow(
    clippy::disallowed_methods,
    reason = "waits for processes, and writes the files that they read"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::linked_in::only;

/// Long enough for a machine that is busy with something else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Where one daemon lives.
pub(crate) struct Home {
    directory: TempDir,
    /// The modules that may run, of those that are linked in.
    linked_in: &'static [&'static str],
}

impl Home {
    /// With a configuration: `core` and `modules` are added to what keeps it apart from any other. Of the modules that
    /// are linked in only memleak runs, which changes nothing: the machine may be the real one.
    pub(crate) fn new(core: &str, modules: &str) -> Self {
        let home = Self::with_modules(&["memleak"]);
        home.configure(core, modules);
        home
    }

    /// With the defaults, and only these of the modules that are linked in.
    pub(crate) fn with_modules(linked_in: &'static [&'static str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = Self {
            directory,
            linked_in,
        };
        home.configure("", "");
        home
    }

    /// A path in it. The runtime directory is within the machine that some tests name with `--root`: the daemon of a tree
    /// has all that is its own below that tree.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let is_runtime = name == "run" || name.starts_with("run/");
        let place = self.directory.path();
        if is_runtime {
            place.join("machine").join(name)
        } else {
            place.join(name)
        }
    }

    /// Changes the configuration in one step.
    pub(crate) fn configure(&self, core: &str, modules: &str) {
        let text = format!(
            "[core]\nruntime-dir = \"{}\"\nsyslog-socket = \"{}\"\ndeadline-secs = 5\n{core}\n\
             state-dir = \"{}\"\n{modules}\n{}",
            self.path("run").display(),
            self.path("log").display(),
            self.path("state").display(),
            only(self.linked_in),
        );
        fs::write(self.path("new"), text).unwrap();
        fs::rename(self.path("new"), self.path("adaptivemmd.toml")).unwrap();
    }

    /// The program with this configuration and these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_adaptivemmd"));
        command
            .arg("-c")
            .arg(self.path("adaptivemmd.toml"))
            .args(arguments)
            .env_remove("NOTIFY_SOCKET")
            .env_remove("ADAPTIVEMMD_IN_BACKGROUND")
            .stdin(Stdio::null());
        command
    }

    /// Starts the program; what it says on standard error can be waited for.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }
}

/// The same command as a service runs it that was left no capability; needs root.
pub(crate) fn without_capabilities(plain: &Command) -> Command {
    let arguments = [
        "--bounding-set=-all",
        "--inh-caps=-all",
        "--securebits=+noroot,+noroot_locked",
        "--no-new-privs",
    ];
    started_by("setpriv", &arguments, plain)
}

/// The same command, started by a program that ends its own options at `--`.
pub(crate) fn started_by(program: &str, arguments: &[&str], plain: &Command) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).arg("--");
    command.arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null());
    command
}

/// A process that is killed if the test ends before it does.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (tell, lines) = channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            lines,
            said: Vec::new(),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for a line that contains `text`.
    pub(crate) fn until(&mut self, text: &str) -> String {
        let start = Instant::now();
        while let Some(left) = PATIENCE.checked_sub(start.elapsed()) {
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.said.push(line);
                    if let Some(line) = self.said.last().filter(|line| line.contains(text)) {
                        return line.clone();
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        panic!("{text:?} was not said, but {:#?}", self.said);
    }

    /// What was said since the start, or since this was last asked.
    pub(crate) fn take_said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    /// Waits for the end. Returns the status and everything that was said since the start.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        let start = Instant::now();
        while let Some(left) = PATIENCE.checked_sub(start.elapsed()) {
            match self.lines.recv_timeout(left) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    return (self.child.wait().unwrap(), self.take_said());
                }
            }
        }
        panic!("it does not end; it said {:#?}", self.said);
    }

    /// Ends it as a service manager does.
    pub(crate) fn terminate(self) -> (ExitStatus, Vec<String>) {
        self.send(Signal::TERM);
        self.end()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Waits until `look` sees something.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A file of a process, or nothing once that is gone.
pub(crate) fn proc_file(pid: u32, name: &str) -> Option<String> {
    fs::read_to_string(Path::new("/proc").join(pid.to_string()).join(name)).ok()
}

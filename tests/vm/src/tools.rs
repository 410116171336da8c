//! Programs of the system that do a part of the work, and the packages they come in.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::problem::{Problem, Result};

/// What must be there, and the package of Debian that has it.
pub(crate) const NEEDED: [(&str, &str); 12] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("busybox", "busybox-static"),
    ("cpio", "cpio"),
    ("xz", "xz-utils"),
    ("depmod", "kmod"),
    ("dpkg-deb", "dpkg"),
    ("apt-get", "apt"),
    ("setpriv", "util-linux"),
    ("tar", "tar"),
    ("gcc", "gcc libc6-dev"),
    ("make", "make"),
    ("ldd", "libc-bin"),
];

/// Where a program is, if it is there.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

/// The packages whose programs are missing.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    NEEDED
        .iter()
        .filter(|(program, _)| find(program).is_none())
        .map(|&(_, package)| package)
        .collect()
}

/// A command that is run to its end, for what it prints.
#[derive(Debug)]
pub(crate) struct Tool(Command);

impl Tool {
    pub(crate) fn new(program: &str) -> Self {
        let mut command = Command::new(find(program).unwrap_or_else(|| PathBuf::from(program)));
        command.stdin(Stdio::null());
        Self(command)
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.0.args(arguments);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn within(mut self, directory: &Path) -> Self {
        self.0.current_dir(directory);
        self
    }

    /// Runs it, and gives what it wrote to standard output.
    pub(crate) fn run(mut self) -> Result<Vec<u8>> {
        let what = format!("{:?}", self.0);
        let output = self
            .0
            .output()
            .map_err(|error| Problem::new(format!("cannot run {what}: {error}")))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        let end: Vec<&str> = said.lines().rev().take(15).collect();
        let end: Vec<&str> = end.into_iter().rev().collect();
        Err(Problem::new(format!(
            "{what} failed ({}):\n{}",
            output.status,
            end.join("\n")
        )))
    }

    /// Runs it, and gives what it wrote as text.
    pub(crate) fn text(self) -> Result<String> {
        self.run()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

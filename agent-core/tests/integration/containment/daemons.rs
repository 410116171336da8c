//! The real daemon, with a library of its own.

use std::process::Command;

use crate::containment::bench::{install, trusted_directory};
use crate::daemon::machine::Machine;
use crate::daemon::process::{Home, Running, without_capabilities};
use tempfile::TempDir;

/// Where a daemon with the module that misbehaves lives.
pub(crate) struct Den {
    pub(crate) home: Home,
    pub(crate) library: TempDir,
    machine: Machine,
}

impl Den {
    pub(crate) fn new(core: &str, modules: &str) -> Self {
        let library = trusted_directory();
        install(library.path());
        let home = Home::with_modules(&[]);
        let machine = Machine::new(&home, 0);
        let den = Self {
            home,
            library,
            machine,
        };
        den.configure(core, modules);
        den
    }

    pub(crate) fn configure(&self, core: &str, modules: &str) {
        let directory = self.library.path().display();
        let core = format!("log-target = \"stderr\"\nmodule-dir = \"{directory}\"\n{core}");
        self.home.configure(&core, modules);
    }

    /// The program on its small machine.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(&["--root", self.machine.root()]);
        command.args(arguments);
        command
    }

    pub(crate) fn start(&self) -> Running {
        Running::start(&mut self.command(&["--foreground"]))
    }

    /// As a service that was left no capability; needs root.
    pub(crate) fn start_without_capabilities(&self) -> Running {
        Running::start(&mut without_capabilities(&self.command(&["--foreground"])))
    }

    /// What `adaptivemmd modules` says of the module that misbehaves.
    pub(crate) fn stand(&self) -> String {
        let output = self.command(&["modules"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let chaos = text.lines().skip_while(|line| !line.starts_with("chaos "));
        chaos.take(2).collect::<Vec<_>>().join("\n")
    }
}

//! The daemon and the other commands of the program.

mod check_config;
pub mod cli;
mod control;
mod daemon;
mod doctor;
mod explain;
mod incidents;
mod live;
mod metrics;
mod module_host;
mod modules;
mod record;
mod replay;
mod restore;
mod snapshot;
mod startup;
mod status;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use crate::actions::{Ledger, LedgerError};
use crate::base::clean_text;
use crate::commands::cli::{Cli, Command};
use crate::config::{self, Loaded, ModuleSchema, Settings, Sources};
use crate::daemon::signals;
use crate::kernel::{BOOT_ID, Root, boot_id};
use crate::modules::catalogue::{Catalogue, Registration};
use crate::modules::isolation::Program;

/// The name of the program in its messages.
const PROGRAM: &str = "adaptivemmd";

/// The exit status of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All was done.
    Done,
    /// Something failed, or the answer is no.
    Failed,
    /// There is no daemon that could be asked.
    NotRunning,
    /// The configuration is wrong (`EX_CONFIG` of sysexits.h).
    Configuration,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::from(1),
            Exit::NotRunning => Self::from(3),
            Exit::Configuration => Self::from(78),
        }
    }
}

/// Runs the program with the arguments it was called with.
#[must_use]
pub fn run() -> ExitCode {
    signals::hold_back();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli.with_absolute_paths(),
        Err(error) => return misunderstood(&error),
    };
    // Only these two receive them.
    if !matches!(cli.command, None | Some(Command::Record(_))) {
        signals::let_through();
    }
    if let Some(root) = cli.place.root.as_ref().filter(|root| !root.is_dir()) {
        complain(&format_args!(
            "--root {} is not a directory",
            root.display()
        ));
        return Exit::Failed.into();
    }
    let exit = match &cli.command {
        None if cli.daemon.once && cli.daemon.json => snapshot::run(&cli),
        None => daemon::run(&cli),
        Some(Command::Modules { json }) => modules::run(&cli, *json),
        Some(Command::CheckConfig(options)) => check_config::run(&cli, options),
        Some(Command::Snapshot) => snapshot::run(&cli),
        Some(Command::Record(options)) => record::run(&cli, options),
        Some(Command::Replay(options)) => replay::run(&cli, options),
        Some(Command::Explain(options)) => explain::run(&cli, options),
        Some(Command::Incidents { what }) => incidents::run(&cli, what.as_ref()),
        Some(Command::Status { json, stored }) => status::run(&cli, *json, *stored),
        Some(Command::Doctor { json }) => doctor::run(&cli, *json),
        Some(Command::Metrics { textfile }) => metrics::run(&cli, textfile.as_deref()),
        Some(Command::Restore) => restore::run(&cli),
        Some(Command::Reload) => control::reload(&cli),
        Some(Command::Resume { tunable }) => control::resume(&cli, tunable.as_deref()),
        Some(Command::ModuleHost(options)) => module_host::run(options),
    };
    exit.into()
}

/// Says what is wrong with the arguments, or what was asked for of them: help, the version.
#[must_use]
pub fn misunderstood(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if clean_text::shown(&text) == text {
        error.exit();
    }
    let _nobody_listens = write!(io::stderr(), "{}", clean_text::shown(&text));
    ExitCode::from(2)
}

/// Says what is wrong, on standard error. Paths and arguments are not of us, and do nothing to a terminal.
fn complain(problem: &dyn Display) {
    complain_as(PROGRAM, problem);
}

/// The same for another program of ours.
pub fn complain_as(program: &str, problem: &dyn Display) {
    let problem = problem.to_string();
    // Nobody is left to be told that standard error is closed.
    let problem = clean_text::without_error_numbers(&problem);
    let _nobody_listens = writeln!(io::stderr(), "{program}: {}", clean_text::shown(&problem));
}

/// Prints an error with its reason on standard error.
fn complain_with_source(error: &dyn std::error::Error) {
    match error.source() {
        Some(source) => complain(&format_args!("{error}: {source}")),
        None => complain(&error),
    }
}

/// Prints the result of a command. A reader that has seen enough is no error. What others wrote does nothing to a terminal.
fn print(text: &str) -> Exit {
    print_as(PROGRAM, text)
}

/// The same for another program of ours.
#[must_use]
pub fn print_as(program: &str, text: &str) -> Exit {
    let text = clean_text::shown(text);
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Done,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            complain_as(
                program,
                &format_args!("cannot write to standard output: {error}"),
            );
            Exit::Failed
        }
    }
}

/// The modules that there are with this configuration; what is wrong with others is said on standard error.
fn modules(sources: &Sources) -> Vec<Registration> {
    let catalogue = catalogue(sources);
    for module in &catalogue.refused {
        complain(module);
    }
    for note in &catalogue.notes {
        complain(note);
    }
    catalogue.modules
}

fn catalogue(sources: &Sources) -> Catalogue {
    Catalogue::gather(&config::placements(sources), &Program::this())
}

/// Returns the directory of decisions and incidents, even if the configuration is wrong in other places.
fn state_dir(cli: &Cli) -> PathBuf {
    let state_dir = load(&cli.sources(), &[]).settings.core.state_dir;
    let below = cli.root().locate(&state_dir.to_string_lossy());
    below.unwrap_or(state_dir)
}

/// The ledger of this boot, and what is wrong with the one that was there.
fn ledger(cli: &Cli, runtime_dir: &Path) -> (Ledger, Option<LedgerError>) {
    let boot = boot(&cli.root());
    // Without a boot id nobody can tell of which boot a ledger is, so none is ever taken over.
    let unknown = || format!("unknown, as seen by process {}", std::process::id());
    Ledger::open(runtime_dir, &boot.unwrap_or_else(unknown))
}

/// The name of this boot, if the kernel says.
fn boot(root: &Root) -> Option<String> {
    boot_id(&root.read(BOOT_ID).ok()?).ok()
}

fn schemas(modules: &[Registration]) -> Vec<ModuleSchema> {
    modules
        .iter()
        .map(|module| module.description.schema.clone())
        .collect()
}

/// The configuration. With `--root`, the runtime directory is below it: a tree that plays a machine has a daemon and a
/// ledger of its own, and the ledger of the machine we run on is not for it.
fn load(sources: &Sources, modules: &[Registration]) -> Loaded {
    let mut loaded = config::load(sources, &schemas(modules));
    let runtime_dir = &mut loaded.settings.core.runtime_dir;
    if !runtime_dir.starts_with(&sources.root) {
        let root = Root::Directory(sources.root.clone());
        if let Some(below) = root.locate(&runtime_dir.to_string_lossy()) {
            *runtime_dir = below;
        }
    }
    loaded
}

/// The settings in force; what is wrong with them is said on standard error.
fn settings(cli: &Cli, modules: &[Registration]) -> Result<Settings, Exit> {
    let loaded = load(&cli.sources(), modules);
    let bad = loaded
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error() || diagnostic.is_warning());
    bad.for_each(|diagnostic| complain(&diagnostic));
    if loaded.is_valid() {
        Ok(loaded.settings)
    } else {
        Err(Exit::Configuration)
    }
}

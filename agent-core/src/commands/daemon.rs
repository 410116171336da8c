//! The daemon, and `--once`.

use std::path::Path;

use crossbeam_channel::{Receiver, never};

use super::startup::Startup;
use super::{Exit, boot, complain, complain_with_source};
use crate::actions::{Ledger, Mode};
use crate::base::files;
use crate::commands::cli::{Cli, Daemon};
use crate::config::{Core, Diagnostic, LogTarget, Settings};
use crate::daemon::background::{self, Background};
use crate::daemon::control::{Call, Server};
use crate::daemon::lock::Lock;
use crate::daemon::main_loop::{MainLoop, Reloaded};
use crate::daemon::sd_notify::Service;
use crate::daemon::signals;
use crate::decisions::Decisions;
use crate::incidents::{IncidentConfig, Incidents};
use crate::log::messages::report_restored;
use crate::log::sinks::{self, Entry, Event, Logger};
use crate::modules::catalogue::Catalogue;
use crate::modules::crash_marker::{self, CrashMarker, TOO_MANY};
use crate::modules::saved_state::SavedStates;
use crate::scan::{Agent, BuildError, BuildErrors, Site, Threads};
use crate::status::modules_file::ModulesFile;
use adaptivemm_module_api::Severity;

/// The verbosity at which the status of every module is written.
const WITH_STATUS: u8 = 2;

pub(super) fn run(cli: &Cli) -> Exit {
    let startup = Startup::read(&cli.sources());
    let loaded = &startup.loaded;
    if !loaded.is_valid() {
        loaded
            .diagnostics
            .iter()
            .for_each(|diagnostic| complain(diagnostic));
        return Exit::Configuration;
    }
    if loaded.settings.core.log_target == LogTarget::Stderr && !stays_in_foreground(&cli.daemon) {
        complain(&"log-target \"stderr\" needs --foreground; else choose another log-target");
        return Exit::Configuration;
    }
    let background = if stays_in_foreground(&cli.daemon) {
        Background::No
    } else {
        match background::enter() {
            Ok(background) => background,
            Err(error) => return failed(&format_args!("cannot go into the background: {error}")),
        }
    };
    match background {
        Background::Parent(code) => {
            if code == 0 {
                Exit::Done
            } else {
                exit_of(code)
            }
        }
        Background::No | Background::Child(_) => start(cli, &startup, &background),
    }
}

fn exit_of(code: i32) -> Exit {
    if code == 78 {
        Exit::Configuration
    } else {
        Exit::Failed
    }
}

fn stays_in_foreground(daemon: &Daemon) -> bool {
    daemon.debug
        || daemon.foreground
        || daemon.simulate
        || daemon.once
        || std::env::var_os("NOTIFY_SOCKET").is_some()
}

fn start(cli: &Cli, startup: &Startup, background: &Background) -> Exit {
    let settings = &startup.loaded.settings;
    let _lock = match places(cli, settings) {
        Ok(lock) => lock,
        Err(exit) => return exit,
    };
    let wishes = match signals::receive() {
        Ok(wishes) => wishes,
        Err(error) => return failed(&format_args!("cannot handle signals: {error}")),
    };
    let mode = if cli.daemon.simulate {
        Mode::Simulate
    } else {
        Mode::Live
    };
    let mut journal = journal(&cli.daemon, settings);
    tell(&startup.loaded.diagnostics, &mut journal);
    tell_of(&startup.catalogue, &mut journal);
    let site = site(cli, mode, settings, &mut journal);
    let agent = match startup.build(site) {
        Ok(agent) => agent,
        Err(errors) => return refused(&errors),
    };
    tell_of_idle(&agent, &mut journal);
    let standing = match mode {
        Mode::Simulate | Mode::Rehearse => None,
        Mode::Live => Some(ModulesFile::new(&settings.core.runtime_dir)),
    };
    let service = service(&cli.daemon);
    let mut main_loop = MainLoop::new(agent, journal, standing, service);
    // Changes of a daemon that died before it could restore them.
    main_loop.restore();
    if cli.daemon.once {
        main_loop.scan();
        main_loop.end();
        return Exit::Done;
    }
    let (_control, calls) = control(mode, settings, &mut main_loop);
    let mut core = settings.core.clone();
    main_loop.run(
        &wishes,
        &calls,
        || background.ready(),
        |agent, journal| reload(cli, &mut core, agent, journal),
    );
    main_loop.end();
    Exit::Done
}

/// Takes the lock, and sees to it that only the daemon can change its files. A simulation writes nothing, not even a lock,
/// and may run beside the daemon.
fn places(cli: &Cli, settings: &Settings) -> Result<Option<Lock>, Exit> {
    if cli.daemon.simulate {
        return Ok(None);
    }
    let runtime_dir = &settings.core.runtime_dir;
    let lock = Lock::take(runtime_dir).map_err(|error| {
        complain_with_source(&error);
        Exit::Failed
    })?;
    let state_dir = &settings.core.state_dir;
    let located = cli.root().locate(&state_dir.to_string_lossy());
    let state_dir = located.as_ref().unwrap_or(state_dir);
    match files::trusted(state_dir) {
        Err(error) if error.is_dangerous() => {
            return Err(failed(&format_args!(
                "the state-dir cannot be trusted: {error}"
            )));
        }
        // One that cannot be written costs records, and each of those says so.
        Ok(()) | Err(_) => {}
    }
    // The last daemon may have been killed while it replaced a file.
    files::remove_leftovers(runtime_dir);
    files::remove_leftovers(state_dir);
    Ok(Some(lock))
}

fn site(cli: &Cli, mode: Mode, settings: &Settings, journal: &mut Logger) -> Site {
    Site {
        root: cli.root(),
        page_size: None,
        mode,
        ledger: ledger(cli, mode, settings, journal),
        threads: Threads::OnePerModule,
        marker: marker(mode, settings, journal),
        decisions: decisions(cli, mode, settings),
        states: states(cli, mode, settings),
        incidents: incidents(cli, mode, settings, journal),
    }
}

/// Returns the service manager to notify. Nobody waits for a daemon that ends after one scan.
fn service(daemon: &Daemon) -> Service {
    if daemon.once {
        Service::default()
    } else {
        Service::from_environment()
    }
}

/// Starts the server of the control socket. Without it, signals still work.
fn control(
    mode: Mode,
    settings: &Settings,
    main_loop: &mut MainLoop,
) -> (Option<Server>, Receiver<Call>) {
    if mode != Mode::Live {
        return (None, never());
    }
    match Server::start(&settings.core.runtime_dir, settings.core.tell_owners) {
        Ok((server, calls)) => (Some(server), calls),
        Err(error) => {
            let directory = settings.core.runtime_dir.display();
            let text = format!(
                "no control socket in {directory}; `status`, `restore` and other commands will not work: {error}"
            );
            main_loop.say(Severity::Warning, Event::Trouble, &text);
            (None, never())
        }
    }
}

/// Says why the modules cannot be started, and how that ends.
fn refused(BuildErrors(errors): &BuildErrors) -> Exit {
    for error in errors {
        complain(error);
    }
    if errors
        .iter()
        .any(|error| matches!(error, BuildError::Thread { .. }))
    {
        Exit::Failed
    } else {
        Exit::Configuration
    }
}

fn failed(problem: &dyn std::fmt::Display) -> Exit {
    complain(problem);
    Exit::Failed
}

/// Opens the log: on the terminal for a person, else at the log daemon.
fn journal(daemon: &Daemon, settings: &Settings) -> Logger {
    let core = &settings.core;
    let verbosity = verbosity(daemon, settings);
    let at_terminal = daemon.debug || daemon.simulate || daemon.once;
    // Whoever keeps it in the foreground looks after its standard error, as systemd does.
    let no_log_daemon = stays_in_foreground(daemon) && !Path::new(&core.syslog_socket).exists();
    match core.log_target {
        LogTarget::Stderr => Logger::to_terminal(verbosity),
        LogTarget::Journal => Logger::to_native(&core.journal_socket, verbosity),
        LogTarget::Auto if at_terminal => Logger::to_terminal(verbosity),
        LogTarget::Auto if sinks::has_stderr() => {
            Logger::to_native(&core.journal_socket, verbosity)
        }
        LogTarget::Auto if no_log_daemon => Logger::to_terminal(verbosity),
        LogTarget::Auto | LogTarget::Syslog => Logger::to_syslog(&core.syslog_socket, verbosity),
    }
}

/// Returns the verbosity; a simulation also shows what the modules see.
fn verbosity(daemon: &Daemon, settings: &Settings) -> u8 {
    let least = if daemon.simulate || daemon.once {
        WITH_STATUS
    } else {
        0
    };
    settings.core.verbosity.max(least)
}

fn tell(diagnostics: &[Diagnostic], journal: &mut Logger) {
    for diagnostic in diagnostics {
        let severity = if diagnostic.is_error() {
            Severity::Error
        } else if diagnostic.is_warning() {
            Severity::Warning
        } else {
            Severity::Info
        };
        let text = diagnostic.headline();
        journal.write(&Entry::new(severity, "core", &text).event(Event::Setting));
    }
}

/// Tells which files are not used, and why.
fn tell_of(catalogue: &Catalogue, journal: &mut Logger) {
    for refused in &catalogue.refused {
        let text = refused.to_string();
        let entry = Entry::new(Severity::Error, "core", &text).event(Event::ModuleRefused);
        journal.write(&entry.fields(&[("REASON", &refused.reason)]));
    }
    for note in &catalogue.notes {
        journal.write(&Entry::new(Severity::Notice, "core", note));
    }
}

/// Tells which modules are not run, although they are enabled, why, and what can be done about it.
fn tell_of_idle(agent: &Agent, journal: &mut Logger) {
    for idle in agent.idle() {
        let text = format!("is idle: {idle}");
        let entry = Entry::new(Severity::Warning, &idle.module, &text).event(Event::ModuleIdle);
        journal.write(&entry.fields(&[("REASON", &idle.reason)]));
    }
}

/// Opens the ledger of original values, with what the last daemon left in it.
fn ledger(cli: &Cli, mode: Mode, settings: &Settings, journal: &mut Logger) -> Ledger {
    if mode == Mode::Simulate {
        return Ledger::in_memory();
    }
    let (ledger, error) = super::ledger(cli, &settings.core.runtime_dir);
    if let Some(error) = error {
        let text = error.to_string();
        journal.write(&Entry::new(Severity::Error, "core", &text).event(Event::Trouble));
    }
    ledger
}

/// Opens the log of decisions. A simulation writes none.
fn decisions(cli: &Cli, mode: Mode, settings: &Settings) -> Decisions {
    let root = cli.root();
    match (
        mode,
        root.locate(&settings.core.state_dir.to_string_lossy()),
    ) {
        (Mode::Live, Some(state_dir)) => Decisions::kept(&state_dir, boot(&root)),
        (Mode::Live | Mode::Simulate | Mode::Rehearse, _) => Decisions::unkept(),
    }
}

/// Opens the saved states of the modules. A simulation writes none.
fn states(cli: &Cli, mode: Mode, settings: &Settings) -> SavedStates {
    let root = cli.root();
    let state_dir = root.locate(&settings.core.state_dir.to_string_lossy());
    match (mode, state_dir, boot(&root)) {
        (Mode::Live, Some(state_dir), Some(boot_id)) => SavedStates::kept(&state_dir, &boot_id),
        // Nobody could say whether a state is one of this boot.
        (Mode::Live | Mode::Simulate | Mode::Rehearse, _, _) => SavedStates::in_memory(),
    }
}

/// Opens the store of incidents. A simulation writes none, and a single scan sees nothing grow.
fn incidents(cli: &Cli, mode: Mode, settings: &Settings, journal: &mut Logger) -> Incidents {
    let root = cli.root();
    let core = &settings.core;
    let state_dir = root.locate(&core.state_dir.to_string_lossy());
    let (Mode::Live, false, Some(state_dir)) = (mode, cli.daemon.once, state_dir) else {
        return Incidents::unkept();
    };
    if core.incidents.count == 0 {
        return Incidents::unkept();
    }
    let boot_id = boot(&root).unwrap_or_else(|| format!("unknown-{}", std::process::id()));
    let kept = Incidents::kept(IncidentConfig {
        root,
        state_dir,
        boot_id,
        room: core.incidents,
        census: core.incident_census,
        budget: core.evidence_budget,
    });
    kept.unwrap_or_else(|error| {
        let text = format!("cannot keep evidence of incidents: {error}");
        journal.write(&Entry::new(Severity::Warning, "core", &text));
        Incidents::unkept()
    })
}

/// Opens the crash marker, and reports the modules that were running when the last daemon died.
fn marker(mode: Mode, settings: &Settings, journal: &mut Logger) -> Option<CrashMarker> {
    if mode == Mode::Simulate {
        return None;
    }
    let marker = match CrashMarker::take_over(&settings.core.runtime_dir) {
        Ok(marker) => marker,
        Err(error) => {
            let text = format!(
                "crash marker unavailable; a crashing module could not be identified: {error}"
            );
            journal.write(&Entry::new(Severity::Warning, "core", &text).event(Event::Trouble));
            return None;
        }
    };
    if let Err(error) = crash_marker::listen() {
        let text = format!(
            "crash marker incomplete; after a crash every running module is a suspect: {error}"
        );
        journal.write(&Entry::new(Severity::Warning, "core", &text).event(Event::Trouble));
    }
    for (module, deaths) in marker.suspects() {
        let text = format!(
            "module {module} was running when the daemon died (times so far: {deaths}); after {TOO_MANY} times \
             it is quarantined; isolation = \"process\" would protect the daemon from it"
        );
        let entry = Entry::new(Severity::Warning, "core", &text).event(Event::ModuleSuspected);
        journal.write(&entry.fields(&[("SUSPECT", module)]));
    }
    Some(marker)
}

/// Returns the settings that say where the log goes.
fn log_place(core: &Core) -> (LogTarget, &Path, &Path) {
    (core.log_target, &core.syslog_socket, &core.journal_socket)
}

/// Takes over a new configuration. `core` is the one in force, and is replaced. The log goes on where it
/// is unless it is to go elsewhere.
fn reload(cli: &Cli, core: &mut Core, agent: &mut Agent, journal: &mut Logger) -> Reloaded {
    let Startup { catalogue, loaded } = Startup::read(&cli.sources());
    tell(&loaded.diagnostics, journal);
    tell_of(&catalogue, journal);
    if !loaded.is_valid() {
        let errors = loaded
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error())
            .count();
        let plural = if errors == 1 { "" } else { "s" };
        return Err(format!("it has {errors} error{plural}"));
    }
    let restored = agent
        .reconfigure(&loaded.settings, &catalogue.modules)
        .map_err(|BuildErrors(errors)| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            errors.join("; ")
        })?;
    tell_of_idle(agent, journal);
    for restored in &restored {
        report_restored(restored, journal);
    }
    let old = std::mem::replace(core, loaded.settings.core.clone());
    for (key, is_another) in [
        ("runtime-dir", old.runtime_dir != core.runtime_dir),
        ("state-dir", old.state_dir != core.state_dir),
        ("max-incidents", old.incidents.count != core.incidents.count),
        (
            "max-incidents-mib",
            old.incidents.bytes != core.incidents.bytes,
        ),
        (
            "incident-census",
            old.incident_census != core.incident_census,
        ),
        (
            "evidence-budget-ms",
            old.evidence_budget != core.evidence_budget,
        ),
        ("tell-owners", old.tell_owners != core.tell_owners),
    ] {
        if is_another {
            let text = format!("{key} changed: restart the daemon to apply it");
            journal.write(&Entry::new(Severity::Warning, "core", &text).event(Event::Setting));
        }
    }
    if log_place(&old) != log_place(core) {
        return Ok(Some(self::journal(&cli.daemon, &loaded.settings)));
    }
    journal.set_verbosity(verbosity(&cli.daemon, &loaded.settings));
    Ok(None)
}

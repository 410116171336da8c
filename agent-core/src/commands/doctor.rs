//! `adaptivemmd doctor`: what this kernel, this machine and this configuration can do and cannot, with the reason and the
//! remedy. It changes nothing, and asks the daemon that runs, if one does.

mod check;
mod daemon;
mod evidence;
mod isolation;
mod kernel;
mod others;
mod places;

use rustix::process::geteuid;
use serde_json::{Value, json};

use super::startup::{Startup, StartupOutcome};
use super::{Exit, print};
use crate::base::clean_text::without_error_numbers;
use crate::commands::cli::Cli;
use crate::config::{Loaded, ModuleMode};
use crate::kernel::Root;
use crate::modules::catalogue::Catalogue;

use check::{Check, Verdict};

pub(super) fn run(cli: &Cli, is_json: bool) -> Exit {
    let (startup, outcome) = Startup::read(&cli.sources()).rehearse();
    let checks = checks(cli, &startup, &outcome);
    let problems = checks.iter().filter(|check| check.is_problem()).count();
    let printed = print(&if is_json {
        let checks: Vec<Value> = checks.iter().map(Check::object).collect();
        format!("{}\n", json!({ "problems": problems, "checks": checks }))
    } else {
        without_error_numbers(&text(&checks, problems)).into_owned()
    });
    match (printed, problems) {
        (Exit::Done, _) if !outcome.is_start() => Exit::Configuration,
        (Exit::Done, 0) => Exit::Done,
        (Exit::Done, _) => Exit::Failed,
        (failed, _) => failed,
    }
}

fn checks(cli: &Cli, startup: &Startup, outcome: &StartupOutcome) -> Vec<Check> {
    let Startup { catalogue, loaded } = startup;
    let root = cli.root();
    let core = &loaded.settings.core;
    let mut checks = vec![user()];
    checks.extend(configuration(loaded, outcome));
    checks.extend(places::checks(&root, core));
    checks.extend(modules_in_files(catalogue));
    checks.extend(isolation::checks(&root, catalogue));
    let settings = loaded.settings.modules.iter();
    for (module, settings) in catalogue.modules.iter().zip(settings) {
        let faults = faults(module.name(), outcome);
        if faults.is_empty() {
            checks.extend(kernel::module_checks(&root, module, settings));
        }
        checks.extend(faults);
    }
    checks.extend(evidence::checks(&root, core));
    checks.extend(others::checks(&root));
    checks.extend(daemon::checks(
        &root,
        core,
        &changed_files(&root, startup, outcome),
    ));
    checks
}

/// Notes why an enabled module would not run.
fn faults(module: &str, outcome: &StartupOutcome) -> Vec<Check> {
    let idle = outcome.idle.iter().filter(|idle| idle.module == module);
    let idle = idle.map(|idle| {
        let text = format!("idle: {}", idle.reason);
        Check::problem(module, &text).remedy(&idle.remedy)
    });
    let broken = outcome.broken.iter().filter(|(name, _)| name == module);
    let broken = broken.map(|(_, why)| {
        let text = format!("does not work: {why}");
        Check::problem(module, &text).remedy("\"A module is quarantined\" in adaptivemmd(8)")
    });
    idle.chain(broken).collect()
}

/// The files that modules at work change; nothing in a recording.
fn changed_files(root: &Root, startup: &Startup, outcome: &StartupOutcome) -> Vec<String> {
    let modules = startup.catalogue.modules.iter();
    let modules = modules.zip(&startup.loaded.settings.modules);
    let at_work = modules.filter(|(module, settings)| {
        let may_change = settings.enabled && settings.mode == ModuleMode::Active;
        may_change && !outcome.is_idle(module.name())
    });
    at_work
        .flat_map(|(module, settings)| kernel::changes(module, settings))
        .flat_map(|change| kernel::files(root, change))
        .collect()
}

/// Notes whose rights the checks have: those of the user who asks.
fn user() -> Check {
    if geteuid().is_root() {
        return Check::well("core", "running as root, as the daemon must");
    }
    let text = "not running as root: the checks show what the daemon could do as this user";
    Check::note("core", text).remedy("run it as root")
}

fn configuration(loaded: &Loaded, outcome: &StartupOutcome) -> Vec<Check> {
    let mut checks = Vec::new();
    for diagnostic in &loaded.diagnostics {
        let text = diagnostic.headline();
        let remedy = "`adaptivemmd check-config` shows the place";
        if diagnostic.is_error() {
            checks.push(Check::problem("core", &text).remedy(remedy));
        } else if diagnostic.is_warning() {
            checks.push(Check::note("core", &text).remedy(remedy));
        }
    }
    let errors = outcome.errors.iter();
    checks.extend(errors.map(|error| Check::problem("core", error).remedy("set something else")));
    if outcome.is_start() {
        checks.push(Check::well(
            "core",
            "the daemon would start with this configuration",
        ));
    }
    checks
}

fn modules_in_files(catalogue: &Catalogue) -> Vec<Check> {
    let refused = catalogue.refused.iter().map(|refused| {
        let text = format!("{} is not loaded: {}", refused.subject, refused.reason);
        Check::problem("core", &text).remedy("\"Modules in files\" in adaptivemmd.toml(5)")
    });
    let notes = catalogue.notes.iter().map(|note| Check::note("core", note));
    refused.chain(notes).collect()
}

fn text(checks: &[Check], problems: usize) -> String {
    let mut text = String::new();
    let mut subject = "";
    for check in checks {
        if check.subject != subject {
            subject = &check.subject;
            text.push_str(subject);
            text.push('\n');
        }
        text.push_str(&check.to_string());
    }
    let count = |verdict| {
        checks
            .iter()
            .filter(|check| check.verdict == verdict)
            .count()
    };
    let notes = count(Verdict::Note);
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let (problems_end, notes_end) = (plural(problems), plural(notes));
    text + &format!("{problems} problem{problems_end}, {notes} note{notes_end}\n")
}

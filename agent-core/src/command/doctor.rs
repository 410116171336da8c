//! `adaptivemmd doctor`: what this kernel, this machine and this configuration can do and cannot, with the reason and the
//! remedy. It changes nothing, and asks the daemon that runs, if one does.

mod check;
mod daemon;
mod kernel;
mod others;
mod places;

use rustix::process::geteuid;
use serde_json::{Value, json};

use super::{Exit, catalogue, load, print};
use crate::catalogue::Catalogue;
use crate::cli::Cli;
use crate::config::Loaded;
use crate::sampler::Root;
use crate::words::clean::without_error_numbers;

use check::{Check, Verdict};

pub(super) fn run(cli: &Cli, is_json: bool) -> Exit {
    let catalogue = catalogue(&cli.sources());
    let loaded = load(&cli.sources(), &catalogue.modules);
    let checks = checks(cli, &catalogue, &loaded);
    let problems = checks.iter().filter(|check| check.is_problem()).count();
    let printed = print(&if is_json {
        let checks: Vec<Value> = checks.iter().map(Check::object).collect();
        format!("{}\n", json!({ "problems": problems, "checks": checks }))
    } else {
        without_error_numbers(&text(&checks, problems)).into_owned()
    });
    match (printed, problems) {
        (Exit::Done, 0) => Exit::Done,
        (Exit::Done, _) => Exit::Failed,
        (failed, _) => failed,
    }
}

fn checks(cli: &Cli, catalogue: &Catalogue, loaded: &Loaded) -> Vec<Check> {
    let root = cli.root();
    let core = &loaded.settings.core;
    let mut checks = vec![user()];
    checks.extend(configuration(loaded));
    checks.extend(places::checks(&root, core));
    checks.extend(modules_in_files(catalogue));
    let settings = loaded.settings.modules.iter();
    for (module, settings) in catalogue.modules.iter().zip(settings) {
        checks.extend(kernel::module_checks(&root, module, settings));
    }
    checks.extend(kernel::evidence_checks(&root));
    checks.extend(others::checks(&root));
    checks.extend(daemon::checks(
        &root,
        core,
        &changed_files(&root, catalogue, loaded),
    ));
    checks
}

/// The files that enabled modules change; nothing in a recording.
fn changed_files(root: &Root, catalogue: &Catalogue, loaded: &Loaded) -> Vec<String> {
    let modules = catalogue.modules.iter().zip(&loaded.settings.modules);
    let enabled = modules.filter(|(_, settings)| settings.enabled);
    enabled
        .flat_map(|(module, settings)| kernel::changes(module, settings))
        .flat_map(|change| kernel::files(root, change))
        .collect()
}

/// What is found holds for the user who asks.
fn user() -> Check {
    if geteuid().is_root() {
        return Check::well("core", "this is root, as the daemon has to be");
    }
    let text = "this is not root: what follows is what the daemon could do as this user";
    Check::note("core", text).remedy("ask again as root")
}

fn configuration(loaded: &Loaded) -> Vec<Check> {
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
    if loaded.is_valid() {
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

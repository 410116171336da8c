//! `adaptivemmd check-config`: would the daemon start with this configuration?

use std::fmt::Write;
use std::path::PathBuf;

use super::startup::{Startup, complain_of_idle};
use super::{Exit, complain, print, schemas};
use crate::commands::cli::{CheckConfig, Cli};
use crate::config::{self, Diagnostic, Loaded, Sources};
use crate::modules::catalogue::Registration;

pub(super) fn run(cli: &Cli, options: &CheckConfig) -> Exit {
    let mut sources = cli.sources();
    sources.drop_in.clone_from(&options.drop_in);
    let startup = Startup::read(&sources);
    for module in &startup.catalogue.refused {
        complain(module);
    }
    for note in &startup.catalogue.notes {
        complain(note);
    }
    if options.convert {
        return convert(&sources, &startup.catalogue.modules);
    }
    let (Startup { loaded, .. }, outcome) = startup.rehearse();
    complain_all(&loaded.diagnostics);
    outcome.errors.iter().for_each(|error| complain(error));
    if !outcome.is_start() {
        return Exit::Configuration;
    }
    complain_of_idle(&outcome.idle);
    for (module, why) in &outcome.broken {
        complain(&format_args!("module {module} does not work: {why}"));
    }
    print(&if options.show {
        loaded.show()
    } else {
        verdict(&loaded, outcome.idle.len())
    })
}

fn verdict(loaded: &Loaded, idle: usize) -> String {
    let warnings = loaded
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_warning())
        .count();
    let warnings = match warnings + idle {
        0 => String::new(),
        1 => ", with 1 warning".to_owned(),
        count => format!(", with {count} warnings"),
    };
    let mut text = format!("the configuration is valid{warnings}; read:\n");
    for file in &loaded.files {
        let _never_fails = writeln!(text, "  {}", file.display());
    }
    if loaded.files.is_empty() {
        text.push_str("  no file; all settings have their defaults\n");
    }
    text
}

fn convert(sources: &Sources, modules: &[Registration]) -> Exit {
    let file = sources.file.clone();
    let found: Option<PathBuf> = file.or_else(|| config::legacy_path(&sources.root));
    let Some(path) = found else {
        complain(
            &"there is neither /etc/sysconfig/adaptivemmd nor /etc/default/adaptivemmd; name a file with -c",
        );
        return Exit::Failed;
    };
    match config::read(&path) {
        Ok(text) => {
            let converted = config::convert(&text, &path, &schemas(modules));
            complain_all(&converted.diagnostics);
            print(&converted.toml)
        }
        Err(error) => {
            complain(&format_args!("{}: {error}", path.display()));
            Exit::Failed
        }
    }
}

fn complain_all(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        complain(diagnostic);
    }
}

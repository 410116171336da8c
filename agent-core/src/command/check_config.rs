//! `adaptivemmd check-config`: would the daemon start with this configuration?

use std::fmt::Write;
use std::path::PathBuf;

use super::{Exit, complain, load, modules, print, schemas};
use crate::agent::{Agent, Site};
use crate::catalogue::{Origin, Registration};
use crate::cli::{CheckConfig, Cli};
use crate::config::{self, Diagnostic, Isolation, Loaded, Sources};
use crate::sampler::Root;

pub(super) fn run(cli: &Cli, options: &CheckConfig) -> Exit {
    let mut sources = cli.sources();
    sources.drop_in.clone_from(&options.drop_in);
    let modules = modules(&sources);
    if options.convert {
        return convert(&sources, &modules);
    }
    let loaded = load(&sources, &modules);
    complain_all(&loaded.diagnostics);
    if !loaded.is_valid() {
        return Exit::Configuration;
    }
    // Modules have the last word on their own options. Those in files say it in processes of their own, so
    // that this one comes to its end.
    let mut settings = loaded.settings.clone();
    for (module, settings) in modules.iter().zip(&mut settings.modules) {
        if module.origin != Origin::LinkedIn {
            settings.isolation = Some(Isolation::Process);
        }
    }
    match Agent::build(Site::looked_at(Root::live()), &settings, &modules) {
        Ok(agent) => {
            for (module, why) in agent.broken() {
                complain(&format_args!("module {module} does not work: {why}"));
            }
        }
        Err(errors) => {
            errors.0.iter().for_each(|error| complain(error));
            return Exit::Configuration;
        }
    }
    print(&if options.show {
        loaded.show()
    } else {
        verdict(&loaded)
    })
}

fn verdict(loaded: &Loaded) -> String {
    let warnings = loaded
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_warning())
        .count();
    let warnings = match warnings {
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

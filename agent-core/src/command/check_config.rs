//! `adaptivemmd check-config`: would the daemon start with this configuration?

use std::fmt::Write;
use std::path::PathBuf;

use super::{Exit, complain, load, print, schemas};
use crate::actuator::Mode;
use crate::agent::{Agent, Threads};
use crate::cli::{CheckConfig, Cli};
use crate::config::{self, Diagnostic, Loaded};
use crate::loader::Registration;
use crate::sampler::Root;

pub(super) fn run(cli: &Cli, options: &CheckConfig, modules: &[Registration]) -> Exit {
    if options.convert {
        return convert(cli, modules);
    }
    let mut sources = cli.sources();
    sources.drop_in.clone_from(&options.drop_in);
    let loaded = load(&sources, modules);
    complain_all(&loaded.diagnostics);
    if !loaded.is_valid() {
        return Exit::Configuration;
    }
    // Modules have the last word on their own options.
    let threads = Threads::None;
    let built = Agent::build(
        Root::live(),
        None,
        Mode::Simulate,
        threads,
        &loaded.settings,
        modules,
    );
    if let Err(errors) = built {
        errors.0.iter().for_each(|error| complain(error));
        return Exit::Configuration;
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

fn convert(cli: &Cli, modules: &[Registration]) -> Exit {
    let sources = cli.sources();
    let found: Option<PathBuf> = sources.file.or_else(|| config::legacy_path(&sources.root));
    let Some(path) = found else {
        complain(
            &"there is neither /etc/sysconfig/adaptivemmd nor /etc/default/adaptivemmd; name a file with -c",
        );
        return Exit::Failed;
    };
    match std::fs::read(&path) {
        Ok(text) => {
            let converted = config::convert(&text, &path, &schemas(modules));
            complain_all(&converted.diagnostics);
            print(&converted.toml)
        }
        Err(error) => {
            complain(&format_args!("cannot read {}: {error}", path.display()));
            Exit::Failed
        }
    }
}

fn complain_all(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        complain(diagnostic);
    }
}

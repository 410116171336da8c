//! `adaptivemmd modules`: which modules there are, how they stand, and what can be chosen about each.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::{Exit, catalogue, complain, print, settings};
use crate::base::clean_text::without_error_numbers;
use crate::commands::cli::Cli;
use crate::config::{Isolation, ModuleSettings, OptionSchema, Value};
use crate::modules::catalogue::{Catalogue, Origin, Registration};
use crate::scan::{Idle, clashing};
use crate::status::modules_file::{self, Stand};

pub(super) fn run(cli: &Cli, json: bool) -> Exit {
    let catalogue = catalogue(&cli.sources());
    let settings = match settings(cli, &catalogue.modules) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let stands = modules_file::read(&settings.core.runtime_dir);
    let clashing = clashing(&settings, &catalogue.modules);
    let modules = catalogue.modules.iter().zip(&settings.modules);
    let listed: Vec<Listed<'_>> = modules
        .map(|(module, settings)| Listed::new(module, settings, &stands, &clashing))
        .collect();
    for note in &catalogue.notes {
        complain(note);
    }
    if json {
        let modules: Vec<Json> = listed.iter().map(Listed::object).collect();
        return print(&format!(
            "{}\n",
            json!({ "modules": modules, "refused": refused(&catalogue) })
        ));
    }
    let mut text: String = listed.iter().map(Listed::paragraph).collect();
    for refused in &catalogue.refused {
        let _never_fails = writeln!(text, "{} (refused)\n  {}", refused.subject, refused.reason);
    }
    let text = without_error_numbers(&text);
    print(if text.is_empty() {
        "no module is installed\n"
    } else {
        &text
    })
}

fn refused(catalogue: &Catalogue) -> Json {
    catalogue
        .refused
        .iter()
        .map(|refused| json!({ "subject": refused.subject, "reason": refused.reason }))
        .collect()
}

/// A module, as it is set and as it stands.
struct Listed<'a> {
    module: &'a Registration,
    settings: &'a ModuleSettings,
    isolation: &'static str,
    state: &'a str,
    why: Option<String>,
}

impl<'a> Listed<'a> {
    fn new(
        module: &'a Registration,
        settings: &'a ModuleSettings,
        stands: &'a BTreeMap<String, Stand>,
        clashing: &[Idle],
    ) -> Self {
        let stand = stands.get(module.name());
        let (state, why) = match (settings.enabled, stand) {
            (false, None) => ("disabled", None),
            // No daemon runs, or it has not been told yet.
            (true, None) => {
                let mut clashing = clashing.iter();
                match clashing.find(|idle| idle.module == module.name()) {
                    None => ("enabled", None),
                    Some(idle) => ("idle", Some(idle.to_string())),
                }
            }
            (_, Some(stand)) => (stand.state.as_str(), stand.why.clone()),
        };
        Self {
            module,
            settings,
            isolation: match settings.isolation.unwrap_or(module.isolation) {
                Isolation::None => "none",
                Isolation::Process => "process",
            },
            state,
            why,
        }
    }

    fn paragraph(&self) -> String {
        let description = &self.module.description;
        let flag = description.schema.flag.as_deref().unwrap_or("no flag");
        let (name, version) = (self.module.name(), &description.version);
        let mut text = format!("{name} {version} ({}, {flag})\n", self.state);
        let mut line = |line: &str| {
            let _never_fails = writeln!(text, "  {line}");
        };
        if let Some(why) = &self.why {
            line(&format!("{}: {why}", self.state));
        }
        line(&format!(
            "{}.",
            description.schema.description.trim_end_matches('.')
        ));
        line(&match self.isolation {
            "none" => self.module.origin.to_string(),
            _ => format!("{}, in its own process", self.module.origin),
        });
        line(&format!("reads {}", list(&description.needs)));
        line(&format!("changes {}", list(&description.writes)));
        for (option, (_, value)) in self.options() {
            let default = &option.default;
            let default = if default == value {
                String::new()
            } else {
                format!(", default {default}")
            };
            let help = match option.help.trim_end_matches('.') {
                "" => String::new(),
                help => format!(": {help}"),
            };
            let range = range(option, &default);
            line(&format!("{} = {value}{help}{range}", option.name));
        }
        text
    }

    fn options(&self) -> impl Iterator<Item = (&'a OptionSchema, &'a (String, Value))> {
        let options = self.module.description.schema.options.iter();
        options.zip(&self.settings.values)
    }

    fn object(&self) -> Json {
        let description = &self.module.description;
        let options = self.options().map(|(option, (_, value))| {
            json!({
                "name": option.name,
                "value": plain(value),
                "default": plain(&option.default),
                "min": option.range.map(|range| range.0),
                "max": option.range.map(|range| range.1),
                "help": option.help,
            })
        });
        let options: Vec<Json> = options.collect();
        let file = match &self.module.origin {
            Origin::LinkedIn => None,
            Origin::File(path) => Some(path.to_string_lossy()),
        };
        json!({
            "name": self.module.name(),
            "version": description.version,
            "description": description.schema.description,
            "origin": if file.is_some() { "file" } else { "linked in" },
            "file": file,
            "isolation": self.isolation,
            "flag": description.schema.flag,
            "enabled": self.settings.enabled,
            "state": self.state,
            "why": self.why,
            "needs": description.needs,
            "writes": description.writes,
            "options": options,
        })
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

/// The range of an option, and what else is to be said of it.
fn range(option: &OptionSchema, more: &str) -> String {
    match option.range {
        Some((min, max)) => format!(" ({min} to {max}{more})"),
        None if more.is_empty() => String::new(),
        None => format!(" ({})", more.trim_start_matches(", ")),
    }
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Boolean(on) => (*on).into(),
        Value::Integer(integer) => (*integer).into(),
        Value::Float(float) => (*float).into(),
        Value::Text(text) => text.as_str().into(),
    }
}

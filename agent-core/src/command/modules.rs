//! `adaptivemmd modules`: which modules there are, and what can be chosen about each.

use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::{Exit, print, settings};
use crate::cli::Cli;
use crate::config::{ModuleSettings, OptionSchema, Value};
use crate::loader::Registration;

pub(super) fn run(cli: &Cli, modules: &[Registration], json: bool) -> Exit {
    let settings = match settings(cli, modules) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let listed = modules.iter().zip(&settings.modules);
    if json {
        let objects: Vec<Json> = listed
            .map(|(module, settings)| object(module, settings))
            .collect();
        return print(&format!("{}\n", Json::from(objects)));
    }
    let text: String = listed
        .map(|(module, settings)| paragraph(module, settings))
        .collect();
    print(if modules.is_empty() {
        "no module is installed\n"
    } else {
        &text
    })
}

fn paragraph(module: &Registration, settings: &ModuleSettings) -> String {
    let state = if settings.enabled {
        "enabled"
    } else {
        "disabled"
    };
    let flag = module.schema.flag.as_deref().unwrap_or("no flag");
    let mut text = format!("{} {} ({state}, {flag})\n", module.name(), module.version);
    let mut line = |line: &str| {
        let _never_fails = writeln!(text, "  {line}");
    };
    line(&format!("{}.", module.schema.description));
    line(&format!("reads {}", list(&module.needs)));
    line(&format!("changes {}", list(&module.writes)));
    for (option, (_, value)) in module.schema.options.iter().zip(&settings.values) {
        line(&format!(
            "{} = {value}: {}{}",
            option.name,
            option.help,
            range(option)
        ));
    }
    text
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

fn range(option: &OptionSchema) -> String {
    option
        .range
        .map_or_else(String::new, |(min, max)| format!(" ({min} to {max})"))
}

fn object(module: &Registration, settings: &ModuleSettings) -> Json {
    let options = module.schema.options.iter().zip(&settings.values);
    let options: Vec<Json> = options
        .map(|(option, (_, value))| {
            json!({
                "name": option.name,
                "value": plain(value),
                "default": plain(&option.default),
                "min": option.range.map(|range| range.0),
                "max": option.range.map(|range| range.1),
                "help": option.help,
            })
        })
        .collect();
    json!({
        "name": module.name(),
        "version": module.version,
        "description": module.schema.description,
        "flag": module.schema.flag,
        "enabled": settings.enabled,
        "needs": module.needs,
        "writes": module.writes,
        "options": options,
    })
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Boolean(on) => (*on).into(),
        Value::Integer(integer) => (*integer).into(),
        Value::Float(float) => (*float).into(),
        Value::Text(text) => text.as_str().into(),
    }
}

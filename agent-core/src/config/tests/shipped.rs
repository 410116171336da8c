//! The files in `conf` say what the code does.

use std::fs;
use std::time::Duration;

use super::load_file;
use crate::config::schema::MODULE_DIR;
use crate::config::{Core, Diagnostic, Fallback, ModuleSchema, Origin, Severity};
use crate::modules::catalogue::registrations;

const CONF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conf");

/// The modules that are really there.
fn installed() -> Vec<ModuleSchema> {
    let (modules, _) = registrations();
    modules
        .into_iter()
        .map(|module| module.description.schema)
        .collect()
}

/// The shipped file with every key that is commented out set, as far as its module is there.
fn uncommented(modules: &[ModuleSchema]) -> String {
    let shipped = fs::read_to_string(format!("{CONF}/adaptivemmd.toml")).unwrap();
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.is_empty() && !key.starts_with(' ') => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    let mut text = String::new();
    let mut is_there = true;
    for line in shipped.lines().map(uncomment) {
        if let Some(header) = line.strip_prefix("[modules.") {
            let name = header.split(['.', ']']).next();
            is_there = modules
                .iter()
                .any(|module| Some(module.name.as_str()) == name);
        }
        let flag = line
            .split(' ')
            .next()
            .filter(|key| key.starts_with("ENABLE_"));
        let is_known = |flag| {
            modules
                .iter()
                .any(|module| module.flag.as_deref() == Some(flag))
        };
        if is_there && flag.is_none_or(is_known) {
            text.push_str(&line);
        }
    }
    // Packagers choose another one when they build the daemon.
    text.replace(
        "\"/usr/lib/adaptivemmd/modules\"",
        &format!("{MODULE_DIR:?}"),
    )
}

#[test]
fn the_shipped_file_sets_nothing() {
    let shipped = fs::read(format!("{CONF}/adaptivemmd.toml")).unwrap();

    let loaded = load_file(&shipped, "adaptivemmd.toml", &installed());

    assert_eq!(loaded.diagnostics, []);
    assert!(
        loaded
            .values
            .iter()
            .all(|setting| setting.origin == Origin::Default)
    );
}

#[test]
fn the_shipped_file_shows_every_key_with_its_default() {
    let modules = installed();
    let text = uncommented(&modules);

    let loaded = load_file(text.as_bytes(), "adaptivemmd.toml", &modules);

    assert_eq!(loaded.diagnostics, []);
    for setting in &loaded.values {
        let key = setting.key.path();
        assert_ne!(setting.origin, Origin::Default, "{key} is not in the file");
        match &setting.key.default {
            Fallback::Fixed(content) => {
                assert_eq!(setting.content.as_ref(), Some(content), "{key}");
            }
            Fallback::Derived(_) => assert!(setting.content.is_some(), "{key}"),
        }
    }
    let defaults = load_file(b"", "x.toml", &installed()).settings.core;
    assert_eq!(
        loaded.settings.core,
        Core {
            deadline: Some(Duration::from_secs(5)),
            ..defaults
        }
    );
    for module in modules {
        let flag = module.flag.unwrap();
        let line = format!("{flag} = {}\n", u8::from(module.enabled));
        assert!(text.contains(&line), "{line}");
    }
}

#[test]
fn the_shipped_legacy_file_sets_defaults_and_what_switches_cache_pressure_on() {
    let shipped = fs::read(format!("{CONF}/adaptivemmd.sysconfig")).unwrap();
    let modules = installed();
    let is_there = |name: &&str| modules.iter().any(|module| module.name == *name);

    let loaded = load_file(&shipped, "adaptivemmd", &modules);

    let said: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(Diagnostic::severity)
        .collect();
    let named = ["memleak", "free-pages", "negative-dentry", "cache-pressure"];
    let note: &[Severity] = if named.iter().all(is_there) {
        &[]
    } else {
        &[Severity::Note]
    };
    assert_eq!(said, note);
    // PREFER_OBJECT_CACHING does that, as it did in adaptivemm 2.1.
    let same = if is_there(&"cache-pressure") {
        "ENABLE_CACHE_PRESSURE_MGMT = 1\n"
    } else {
        ""
    };
    let same = load_file(same.as_bytes(), "x.toml", &modules);
    assert_eq!(loaded.settings, same.settings);
}

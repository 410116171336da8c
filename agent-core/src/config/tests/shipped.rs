//! The files in `conf` say what the code does.

use std::fs;
use std::time::Duration;

use super::load_file;
use crate::catalogue::registrations;
use crate::config::schema::MODULE_DIR;
use crate::config::{Core, Diagnostic, Fallback, ModuleSchema, Origin, Severity};

const CONF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conf");

/// The modules that are really there.
fn installed() -> Vec<ModuleSchema> {
    let (modules, _) = registrations();
    modules
        .into_iter()
        .map(|module| module.description.schema)
        .collect()
}

/// The shipped file with every key that is commented out set.
fn uncommented() -> String {
    let shipped = fs::read_to_string(format!("{CONF}/adaptivemmd.toml")).unwrap();
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.is_empty() && !key.starts_with(' ') => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    let text: String = shipped.lines().map(uncomment).collect();
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
    let text = uncommented();

    let loaded = load_file(text.as_bytes(), "adaptivemmd.toml", &installed());

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
    assert!(text.contains("ENABLE_MEMLEAK_CHECK = 1"));
}

#[test]
fn the_shipped_legacy_file_needs_no_change() {
    let shipped = fs::read(format!("{CONF}/adaptivemmd.sysconfig")).unwrap();

    let loaded = load_file(&shipped, "adaptivemmd", &installed());

    let said: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(Diagnostic::severity)
        .collect();
    assert_eq!(said, [Severity::Note]);
    assert_eq!(
        loaded.settings,
        load_file(b"", "x.toml", &installed()).settings
    );
}

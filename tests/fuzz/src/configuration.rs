//! A configuration that is loaded from bytes.
#![expect(clippy::disallowed_methods, reason = "the file to be read is written")]

use std::fs;
use std::path::Path;

use agent_core::config::{
    self, CommandLine, Diagnostic, Loaded, ModuleSchema, Placements, Settings, Sources,
};

/// Loads `bytes` from a file of that name: `*.toml`, or any other for the format of adaptivemm 2.1.
///
/// # Panics
///
/// If no file can be written, [`check_diagnostics`] does, or the modules are not placed where they
/// then are.
#[must_use]
pub fn load(bytes: &[u8], name: &str, modules: &[ModuleSchema]) -> Loaded {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join(name);
    fs::write(&file, bytes).expect("a temporary file");
    let sources = Sources {
        root: Path::new("/nowhere").into(),
        file: Some(file),
        drop_in: None,
        command_line: CommandLine::default(),
    };
    let loaded = config::load(&sources, modules);
    check_diagnostics(&loaded.diagnostics);
    check_placements(&config::placements(&sources), &loaded.settings);
    loaded
}

/// What is known before the modules are there is what holds afterwards.
fn check_placements(early: &Placements, settings: &Settings) {
    assert_eq!(early.module_dir, settings.core.module_dir);
    assert!(early.modules.is_sorted_by(|a, b| a.name < b.name));
    for module in &settings.modules {
        let early = early.modules.iter().find(|each| each.name == module.name);
        let early = early.map(|each| (each.path.clone(), each.isolation));
        let now = (module.path.clone(), module.isolation);
        assert_eq!(early.unwrap_or_default(), now, "{}", module.name);
    }
}

/// Each must fit into a log, where its headline is a line of its own, and onto a terminal.
///
/// # Panics
///
/// If one does not.
pub fn check_diagnostics(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let shown = diagnostic.to_string();
        let controls = |c: char| c.is_control() && c != '\n';
        assert!(!shown.contains(controls), "{shown:?}");
        assert!(!diagnostic.headline().contains('\n'), "{shown:?}");
        assert!(shown.starts_with(&diagnostic.headline()), "{shown:?}");
    }
}

//! The catalog explains every kind of event, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use agent_core::log::sinks::Event;

use crate::skip::has;

const CATALOG: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../conf/journald/adaptivemmd.catalog"
);
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// Texts by their numbers.
fn catalog() -> BTreeMap<String, String> {
    let text = fs::read_to_string(CATALOG).unwrap();
    let entries = text.split("\n-- ").skip(1);
    let mut catalog = BTreeMap::new();
    for entry in entries {
        let (id, text) = entry.split_once('\n').unwrap();
        let double = catalog.insert(id.to_owned(), text.to_owned());
        assert_eq!(double, None, "{id} is explained twice");
    }
    catalog
}

/// What is between two `@`.
fn substituted(text: &str) -> impl Iterator<Item = &str> {
    text.split('@').skip(1).step_by(2)
}

/// All names of fields that the sources give to `fields`, and the one that every message has.
fn known_fields() -> BTreeSet<String> {
    let mut fields = BTreeSet::from(["MODULE".to_owned()]);
    for file in [
        "log/messages.rs",
        "log/messages/change.rs",
        "log/messages/decision.rs",
        "commands/daemon.rs",
        "daemon/main_loop.rs",
    ] {
        let text = fs::read_to_string(format!("{SOURCES}/{file}")).unwrap();
        let names = text
            .split("(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        let is_field = |name: &&str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        };
        fields.extend(names.filter(is_field).map(str::to_owned));
    }
    fields
}

#[test]
fn every_kind_of_event_is_explained_and_there_is_no_text_for_what_there_is_not() {
    let catalog = catalog();
    let explained: BTreeSet<&str> = catalog.keys().map(String::as_str).collect();
    let kinds: BTreeSet<&str> = Event::ALL.iter().map(|event| event.id()).collect();

    assert_eq!(explained, kinds);
    assert_eq!(
        kinds.len(),
        Event::ALL.len(),
        "two kinds have the same number"
    );
    let is_id = |id: &&&str| id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit());
    assert_eq!(kinds.iter().filter(is_id).count(), kinds.len());
}

#[test]
fn every_text_has_a_subject_and_names_only_fields_that_there_are() {
    let known = known_fields();

    assert!(
        known.contains("DECISION_ID") && known.len() >= 9,
        "{known:?}"
    );
    for (id, text) in catalog() {
        assert!(text.starts_with("Subject: "), "{id}");
        assert!(text.contains("\nDefined-By: adaptivemmd\n"), "{id}");
        assert!(text.contains("\nDocumentation: man:adaptivemm"), "{id}");
        assert_eq!(text.matches('@').count() % 2, 0, "{id}");
        for name in substituted(&text) {
            assert!(known.contains(name), "{id}: there is no field {name}");
        }
    }
}

#[test]
fn journalctl_takes_the_catalog() {
    if !has("journalctl", "systemd") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("usr/lib/systemd/catalog");
    fs::create_dir_all(&directory).unwrap();
    fs::create_dir_all(root.path().join("var/lib/systemd/catalog")).unwrap();
    fs::copy(CATALOG, directory.join("adaptivemmd.catalog")).unwrap();
    let journalctl = |option: &str| {
        let root = format!("--root={}", root.path().display());
        Command::new("journalctl").args([&root, option]).output()
    };

    let updated = journalctl("--update-catalog").unwrap();
    let listed = journalctl("--list-catalog").unwrap();

    assert!(updated.status.success(), "{updated:?}");
    let listed = String::from_utf8(listed.stdout).unwrap();
    for event in Event::ALL {
        assert!(listed.contains(event.id()), "{event:?} is not in {listed}");
    }
}

//! The places that modules come from, and the diagnostics of those that could not be loaded.

use std::path::Path;

use tempfile::TempDir;

use super::{headlines, load_tree, sources, tree};
use crate::config::schema::MODULE_DIR;
use crate::config::{Isolation, Placement, Sources, load, placements};

const ETC: &str = "etc/adaptivemmd/adaptivemmd.toml";
const ETC_10: &str = "etc/adaptivemmd/adaptivemmd.toml.d/10.toml";
const ETC_50: &str = "etc/adaptivemmd/adaptivemmd.toml.d/50.toml";
const RUN_50: &str = "run/adaptivemmd/adaptivemmd.toml.d/50.toml";
const USR_10: &str = "usr/lib/adaptivemmd/adaptivemmd.toml.d/10.toml";
const USR_50: &str = "usr/lib/adaptivemmd/adaptivemmd.toml.d/50.toml";

const A: Option<&str> = Some("[modules.x]\npath = \"/a.so\"\n");
const B: Option<&str> = Some("[modules.x]\npath = \"/b.so\"\n");
const ISOLATED: Option<&str> = Some("[modules.x]\nisolation = \"process\"\n");
const NULL: Option<&str> = None;

/// All placements, each as `NAME PATH ISOLATION PLACE`.
fn placed(tree: &TempDir, sources: &Sources) -> Vec<String> {
    let root = tree.path().display().to_string();
    let shown = |each: &Placement| {
        let path = each.path.as_deref().unwrap_or(Path::new("-"));
        let isolation = match each.isolation {
            None => "-",
            Some(Isolation::None) => "none",
            Some(Isolation::Process) => "process",
        };
        let (path, place) = (path.display(), &each.place);
        format!("{} {path} {isolation} {place}", each.name).replace(&root, "")
    };
    placements(sources).modules.iter().map(shown).collect()
}

fn placed_by(files: &[(&str, Option<&str>)]) -> Vec<String> {
    let tree = tree(files);
    placed(&tree, &sources(tree.path()))
}

/// The placements of the main file.
fn placed_in(text: &str) -> Vec<String> {
    let placed = placed_by(&[(ETC, Some(text))]);
    let without_file = |each: String| each.replace("/etc/adaptivemmd/adaptivemmd.toml", "");
    placed.into_iter().map(without_file).collect()
}

#[test]
fn every_module_that_is_placed_is_found_by_name() {
    let text = "modules.b.path = \"/b.so\"\nmodules.a = { isolation = \"none\" }\n\
                [modules.\"x.y z\"]\nisolation = \"process\"\npath = '/x/y.so'\n\
                [modules.x.config]\npath = \"/not/this\"\n[modules.memleak]\nenabled = true\n";

    assert_eq!(
        placed_in(text),
        ["a - none :2", "b /b.so - :1", "x.y z /x/y.so process :5"]
    );
}

#[test]
fn what_is_invalid_is_left_out_without_a_word() {
    for text in [
        "[modules.x]\npath = \"x.so\"",
        "[modules.x]\npath = 5\nisolation = \"container\"",
        "[modules.x]\npath = \"/x.so",
        "[modules.x\npath = \"/x.so\"",
        "[[modules.x]]\npath = \"/x.so\"",
        "modules = \"/x.so\"",
        "[modules]\nx = \"/x.so\"",
        "[modules.x.path]\npath = \"/x.so\"",
        "[module.x]\npath = \"/x.so\"",
    ] {
        assert_eq!(placed_in(text), [""; 0], "{text}");
    }
}

#[test]
fn what_is_valid_counts_whatever_else_is_wrong() {
    let text = "x = 1\n[core]\nverbosity = 9\n[modules.x]\npath = \"/x.so\"\nisolation = 1\noops\n";

    assert_eq!(placed_in(text), ["x /x.so - :5"]);
}

#[test]
fn the_same_files_count_as_for_all_other_settings() {
    for (files, path) in [
        (&[(USR_10, A), (USR_50, B)][..], "/b.so"),
        (&[(ETC_10, A), (USR_50, B)], "/a.so"),
        (&[(ETC, A), (ETC_10, B)], "/b.so"),
        (&[(RUN_50, A), (USR_50, B)], "/a.so"),
        (&[(ETC_50, NULL), (USR_50, B), (USR_10, A)], "/a.so"),
    ] {
        let placed = placed_by(files);
        assert!(
            placed.len() == 1 && placed[0].starts_with(&format!("x {path} - ")),
            "{files:?}: {placed:?}"
        );
    }
    assert_eq!(placed_by(&[(ETC_50, NULL), (USR_50, B)]), [""; 0]);
}

#[test]
fn path_and_isolation_may_be_set_in_different_files() {
    let placed = placed_by(&[(USR_10, A), (ETC_50, ISOLATED)]);

    assert_eq!(
        placed,
        ["x /a.so process /usr/lib/adaptivemmd/adaptivemmd.toml.d/10.toml:2"]
    );
}

#[test]
fn a_named_file_and_a_candidate_count_in_their_places() {
    let tree = tree(&[
        (ETC_50, A),
        ("my.toml", ISOLATED),
        ("my.cfg", A),
        ("new/50.toml", B),
    ]);
    let placed = |file: Option<&str>, drop_in: Option<&str>| {
        let below_root = |name: &str| tree.path().join(name);
        let sources = Sources {
            file: file.map(below_root),
            drop_in: drop_in.map(below_root),
            ..sources(tree.path())
        };
        placed(&tree, &sources)
    };

    assert_eq!(placed(Some("my.toml"), None), ["x - process /my.toml:2"]);
    assert_eq!(placed(Some("my.cfg"), None), [""; 0]);
    assert_eq!(
        placed(None, Some("new/50.toml")),
        ["x /b.so - /new/50.toml:2"]
    );
    assert_eq!(
        placed(Some("my.toml"), Some("new/50.toml")),
        ["x /b.so process /new/50.toml:2"]
    );
}

#[test]
fn the_directory_of_modules_is_that_of_the_packager_until_it_is_set() {
    let module_dir = |text| {
        let tree = tree(&[(ETC, Some(text))]);
        placements(&sources(tree.path())).module_dir
    };

    assert_eq!(module_dir(""), Path::new(MODULE_DIR));
    assert_eq!(
        module_dir("[core]\nmodule-dir = \".\""),
        Path::new(MODULE_DIR)
    );
    assert_eq!(
        module_dir("[core]\nmodule-dir = \"/opt/modules\""),
        Path::new("/opt/modules")
    );
}

#[test]
fn a_module_that_could_not_be_loaded_is_a_warning_wherever_it_is_set() {
    // Its name is a near miss of one that is installed.
    let placing = "[modules.memleak2]\npath = \"/opt/m.so\"\n";
    let configuring = "[modules.memleak2.config]\nlimit = 1\n";
    let tree = tree(&[(USR_10, Some(placing)), (ETC, Some(configuring))]);

    let loaded = load_tree(&tree);

    assert!(loaded.is_valid());
    let warning = "warning: module `memleak2` could not be loaded from /opt/m.so; \
                   its settings have no effect";
    assert_eq!(
        headlines(&loaded, &tree),
        [
            format!("/etc/adaptivemmd/adaptivemmd.toml:1:10: {warning}"),
            format!("/usr/lib/adaptivemmd/adaptivemmd.toml.d/10.toml:1:10: {warning}"),
        ]
    );
}

#[test]
fn a_placement_that_is_wrong_is_an_error_even_if_the_module_is_not_there() {
    let text = "[modules.memleak2]\npath = \"m.so\"\n[modules.other]\nisolation = \"container\"\n";
    let tree = tree(&[(ETC, Some(text))]);

    let loaded = load(&sources(tree.path()), &[super::memleak()]);

    let file = "/etc/adaptivemmd/adaptivemmd.toml";
    assert_eq!(
        headlines(&loaded, &tree),
        [
            format!(
                "{file}:2:8: error: `path` must be an absolute path in quotes, found the string \"m.so\""
            ),
            format!(
                "{file}:3:10: warning: module `other` is not installed; its settings have no effect"
            ),
            format!(
                "{file}:4:13: error: `isolation` must be one of \"none\", \"process\", found the string \"container\""
            ),
        ]
    );
}

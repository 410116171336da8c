#![expect(clippy::disallowed_methods, reason = "test trees are written")]

use crate::kernel::FileBudget;
use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

mod lookup;
mod placements;
mod properties;
// They describe a daemon with all its modules.
#[cfg(feature = "memleak")]
mod shipped;

/// The schema of a real module.
pub(crate) fn memleak() -> ModuleSchema {
    let option = |name: &str, default, range| OptionSchema {
        name: name.into(),
        default,
        range,
        help: String::new(),
    };
    ModuleSchema {
        name: "memleak".into(),
        flag: Some("ENABLE_MEMLEAK_CHECK".into()),
        enabled: true,
        description: String::new(),
        options: vec![
            option("classic", Value::Boolean(true), None),
            option("min-growth-percent", Value::Float(1.0), Some((0.0, 100.0))),
            option("level", Value::Boolean(true), None),
            option("level-percent", Value::Float(10.0), Some((1.0, 100.0))),
        ],
    }
}

fn module(name: &str, options: Vec<OptionSchema>) -> ModuleSchema {
    ModuleSchema {
        name: name.into(),
        flag: None,
        enabled: true,
        description: String::new(),
        options,
    }
}

/// A tree with these files; `None` is a link to `/dev/null`.
fn tree(files: &[(&str, Option<&str>)]) -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = tree.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match text {
            Some(text) => fs::write(path, text).unwrap(),
            None => symlink("/dev/null", path).unwrap(),
        }
    }
    tree
}

fn sources(root: &Path) -> Sources {
    Sources {
        root: root.into(),
        file: None,
        drop_in: None,
        command_line: CommandLine::default(),
    }
}

fn load_tree(tree: &TempDir) -> Loaded {
    load(&sources(tree.path()), &[memleak()])
}

fn load_file(text: &[u8], name: &str, modules: &[ModuleSchema]) -> Loaded {
    let tree = tempfile::tempdir().unwrap();
    let file = tree.path().join(name);
    fs::write(&file, text).unwrap();
    let sources = Sources {
        file: Some(file),
        ..sources(Path::new("/nowhere"))
    };
    let loaded = load(&sources, modules);
    check_placements(&super::placements(&sources), &loaded.settings);
    loaded
}

/// Asserts that the placements known before the modules are there hold afterwards.
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

fn headlines(loaded: &Loaded, tree: &TempDir) -> Vec<String> {
    let root = tree.path().display().to_string();
    let relative = |each: &Diagnostic| each.headline().replace(&root, "");
    loaded.diagnostics.iter().map(relative).collect()
}

const MAIN: &str = "[core]\nverbosity = 1\nmax-late = 1\n";

#[test]
fn without_any_file_everything_has_its_default() {
    let loaded = load_tree(&tree(&[]));

    let core = Core {
        period: Duration::from_secs(30),
        aggressiveness: Aggressiveness::Normal,
        verbosity: 0,
        log_target: LogTarget::Auto,
        syslog_socket: "/dev/log".into(),
        journal_socket: "/run/systemd/journal/socket".into(),
        runtime_dir: "/run/adaptivemmd".into(),
        state_dir: "/var/lib/adaptivemmd".into(),
        module_dir: schema::MODULE_DIR.into(),
        deadline: None,
        max_late: 3,
        file_budget: FileBudget::default(),
        limits: ChangeLimits::default(),
        incidents: IncidentLimits {
            count: 50,
            bytes: 64 << 20,
        },
        incident_census: false,
        evidence_budget: EvidenceBudget::default(),
        tell_owners: TellOwners::Program,
    };
    let module = ModuleSettings {
        name: "memleak".into(),
        enabled: true,
        mode: ModuleMode::Active,
        path: None,
        isolation: None,
        deadline: None,
        allow: None,
        values: memleak()
            .options
            .into_iter()
            .map(|it| (it.name, it.default))
            .collect(),
        written: Vec::new(),
    };
    assert_eq!(
        loaded.settings,
        Settings {
            core,
            modules: vec![module]
        }
    );
    assert_eq!(loaded.diagnostics, []);
}

#[test]
fn a_legacy_value_that_is_overruled_is_a_warning_unless_it_is_the_same() {
    let tree = tree(&[
        ("etc/adaptivemmd/adaptivemmd.toml", Some(MAIN)),
        (
            "etc/sysconfig/adaptivemmd",
            Some("AGGRESSIVENESS=3\nVERBOSE=3\n"),
        ),
    ]);
    let differs = load_tree(&tree);
    fs::write(tree.path().join("etc/sysconfig/adaptivemmd"), "VERBOSE=1\n").unwrap();
    let same = load_tree(&tree);

    assert_eq!(
        headlines(&differs, &tree),
        [
            "/etc/sysconfig/adaptivemmd:2:1: warning: `core.verbosity` is 1 as set in \
          /etc/adaptivemmd/adaptivemmd.toml:2; the value 3 set here is ignored"
        ]
    );
    assert_eq!(differs.settings.core.period, Duration::from_secs(15));
    assert_eq!(same.diagnostics, []);
}

#[test]
fn the_command_line_overrules_every_file() {
    let tree = tree(&[("etc/adaptivemmd/adaptivemmd.toml", Some(MAIN))]);
    let command_line = CommandLine {
        verbosity: Some(7),
        aggressiveness: Some(4),
        max_gap_gib: Some(5),
    };

    let loaded = load(
        &Sources {
            command_line,
            ..sources(tree.path())
        },
        &[memleak()],
    );

    assert_eq!(loaded.settings.core.verbosity, 5);
    assert_eq!(
        headlines(&loaded, &tree),
        [
            "command line, -a: error: this must be a whole number from 1 to 3, found 4",
            "command line, -m: warning: the module of `modules.free-pages.config.max-gap-gib` is not installed",
        ]
    );
}

#[test]
fn a_named_file_is_read_instead_of_all_others() {
    let tree = tree(&[
        ("etc/adaptivemmd/adaptivemmd.toml", Some(MAIN)),
        ("etc/default/adaptivemmd", Some("AGGRESSIVENESS=3")),
        ("my.toml", Some("[core]\nmax-late = 9\n")),
        ("my.cfg", Some("VERBOSE=4\n")),
    ]);
    let named = |name: &str| {
        let file = Some(tree.path().join(name));
        load(
            &Sources {
                file,
                ..sources(tree.path())
            },
            &[memleak()],
        )
    };

    let (toml, legacy, missing) = (named("my.toml"), named("my.cfg"), named("none"));

    assert_eq!(
        (toml.settings.core.verbosity, toml.settings.core.max_late),
        (0, 9)
    );
    assert_eq!(
        (
            legacy.settings.core.verbosity,
            legacy.settings.core.max_late
        ),
        (4, 3)
    );
    assert_eq!(legacy.settings.core.aggressiveness, Aggressiveness::Normal);
    assert_eq!(
        headlines(&missing, &tree),
        ["/none: error: cannot read this file: No such file or directory (os error 2)"]
    );
}

#[test]
fn a_candidate_is_judged_in_the_place_it_would_have() {
    let tree = tree(&[
        (
            "etc/adaptivemmd/adaptivemmd.toml.d/50.toml",
            Some("[core]\nmax-late = 5\nverbosity = 1\n"),
        ),
        (
            "etc/adaptivemmd/adaptivemmd.toml.d/60.toml",
            Some("[core]\nverbosity = 2\n"),
        ),
        (
            "new/50.toml",
            Some("[core]\nverbosity = 3\nperiod-secs = 7\n"),
        ),
    ]);
    let drop_in = Some(tree.path().join("new/50.toml"));

    let loaded = load(
        &Sources {
            drop_in,
            ..sources(tree.path())
        },
        &[memleak()],
    );

    let core = loaded.settings.core;
    assert_eq!(
        (core.verbosity, core.max_late, core.period.as_secs()),
        (2, 3, 7)
    );
}

#[test]
fn problems_of_all_files_are_reported_together() {
    let tree = tree(&[
        (
            "etc/adaptivemmd/adaptivemmd.toml",
            Some("[core]\nverbosity = 9\n"),
        ),
        (
            "etc/adaptivemmd/adaptivemmd.toml.d/10.toml",
            Some("x = 01\n"),
        ),
        ("etc/adaptivemmd/adaptivemmd.toml.d/20.toml/x", Some("")),
        ("run/adaptivemmd/adaptivemmd.toml.d", Some("")),
        ("etc/default/adaptivemmd/x", Some("")),
    ]);
    let not_utf8 = tree
        .path()
        .join("etc/adaptivemmd/adaptivemmd.toml.d/30.toml");
    fs::write(not_utf8, b"# \xff\nverbose = 1\n").unwrap();

    let loaded = load_tree(&tree);

    assert!(!loaded.is_valid());
    assert_eq!(
        headlines(&loaded, &tree),
        [
            "/run/adaptivemmd/adaptivemmd.toml.d: error: cannot list this directory: Not a directory (os error 20)",
            "/etc/adaptivemmd/adaptivemmd.toml:2:13: error: `verbosity` must be a whole number from 0 to 5, found 9",
            "/etc/adaptivemmd/adaptivemmd.toml.d/10.toml:1:5: error: unexpected leading zero, expected nothing",
            "/etc/adaptivemmd/adaptivemmd.toml.d/20.toml: error: cannot read this file: it is not a regular file",
            "/etc/adaptivemmd/adaptivemmd.toml.d/30.toml:1:3: error: not UTF-8: byte 0xff at position 2",
            "/etc/adaptivemmd/adaptivemmd.toml.d/30.toml:2:1: error: unknown setting `verbose` outside of a table",
            "/etc/default/adaptivemmd: warning: cannot read this file: it is not a regular file; it is ignored",
        ]
    );
}

#[test]
fn compaction_follows_free_pages_until_it_is_set() {
    let mut free_pages = module("free-pages", vec![]);
    free_pages.flag = Some("ENABLE_FREE_PAGE_MGMT".into());
    let modules = [module("compaction", vec![]), free_pages];
    let enabled = |text: &str| {
        let loaded = load_file(text.as_bytes(), "f.toml", &modules);
        let modules = loaded.settings.modules;
        (modules[0].enabled, modules[1].enabled)
    };

    assert_eq!(enabled(""), (true, true));
    assert_eq!(enabled("ENABLE_FREE_PAGE_MGMT = 0"), (false, false));
    let set = "ENABLE_FREE_PAGE_MGMT = 0\n[modules.compaction]\nenabled = true";
    assert_eq!(enabled(set), (true, false));
}

#[test]
fn options_named_aggressiveness_follow_that_of_the_daemon_until_they_are_set() {
    let option = |default, range| OptionSchema {
        name: "aggressiveness".into(),
        default,
        range,
        help: String::new(),
    };
    let modules = [
        module("tuner", vec![option(Value::Integer(2), Some((1.0, 3.0)))]),
        module("other", vec![option(Value::Text("mild".into()), None)]),
    ];
    let values = |text: &str| {
        let loaded = load_file(text.as_bytes(), "f.toml", &modules);
        ["tuner", "other"].map(|module| {
            let path = format!("modules.{module}.config.aggressiveness");
            merge::find(&loaded.values, &path).unwrap().to_string()
        })
    };

    assert_eq!(values(""), ["2", "\"mild\""]);
    assert_eq!(values("[core]\naggressiveness = 3"), ["3", "\"mild\""]);
    let set = "[core]\naggressiveness = 3\n[modules.tuner.config]\naggressiveness = 1";
    assert_eq!(values(set), ["1", "\"mild\""]);
}

#[test]
fn the_merged_view_names_the_origin_of_each_value() {
    let tree = tree(&[
        (
            "usr/lib/adaptivemmd/adaptivemmd.toml.d/10.toml",
            Some("[core]\naggressiveness = 3\nmodule-dir = \"/opt/modules\"\n"),
        ),
        ("etc/default/adaptivemmd", Some("ENABLE_MEMLEAK_CHECK=0\n")),
        (
            "etc/adaptivemmd/adaptivemmd.toml",
            Some("[modules.memleak]\nallow = [\"a\", \"b\"]\nisolation = \"process\"\n"),
        ),
    ]);

    let shown = load_tree(&tree)
        .show()
        .replace(&tree.path().display().to_string(), "");

    insta::assert_snapshot!(shown, @r#"
    [core]
    period-secs = 15.0   # default
    aggressiveness = 3   # /usr/lib/adaptivemmd/adaptivemmd.toml.d/10.toml:2
    verbosity = 0   # default
    log-target = "auto"   # default
    syslog-socket = "/dev/log"   # default
    journal-socket = "/run/systemd/journal/socket"   # default
    runtime-dir = "/run/adaptivemmd"   # default
    state-dir = "/var/lib/adaptivemmd"   # default
    module-dir = "/opt/modules"   # /usr/lib/adaptivemmd/adaptivemmd.toml.d/10.toml:3
    # deadline-secs is not set: a quarter of the period, at most 5
    max-late = 3   # default
    module-files-kib = 1024   # default
    module-files-ms = 5   # default
    max-changes-per-minute = 12   # default
    resume-secs = 0   # default
    tell-owners = "program"   # default
    max-incidents = 50   # default
    max-incidents-mib = 64   # default
    incident-census = false   # default
    evidence-budget-ms = 100   # default

    [modules.memleak]
    enabled = false   # /etc/default/adaptivemmd:1
    mode = "active"   # default
    # path is not set: linked in, or in module-dir
    isolation = "process"   # /etc/adaptivemmd/adaptivemmd.toml:3
    # deadline-ms is not set: deadline-secs of [core]
    allow = ["a", "b"]   # /etc/adaptivemmd/adaptivemmd.toml:2

    [modules.memleak.config]
    classic = true   # default
    min-growth-percent = 1.0   # default
    level = true   # default
    level-percent = 10.0   # default
    "#);
}

#[test]
fn a_module_may_lie_and_run_elsewhere() {
    let text = "[modules.memleak]\npath = \"/opt/memleak.so\"\nisolation = \"none\"\n";

    let loaded = load_file(text.as_bytes(), "f.toml", &[memleak()]);

    let module = &loaded.settings.modules[0];
    assert_eq!(module.path.as_deref(), Some(Path::new("/opt/memleak.so")));
    assert_eq!(module.isolation, Some(Isolation::None));
}

#[test]
fn a_converted_file_means_the_same() {
    let text = b"VERBOSE=2\nAGGRESSIVENESS=7\nENABLE_FREE_PAGE_MGMT=0\nMAXGAP=5GB\n\
        NEG_DENTRY_CAP=9\nNEG-DENTRY-CAP=8\nENABLE_MEMLEAK_CHECK=0\nVERBOSE=1\nFOO=1\n";

    let converted = convert(text, Path::new("old"), &[memleak()]);

    insta::assert_snapshot!(converted.toml, @r"
    [core]
    aggressiveness = 2   # old:2
    verbosity = 1   # old:8

    [modules.free-pages]
    enabled = false   # old:3

    [modules.free-pages.config]
    max-gap-gib = 5   # old:4

    [modules.memleak]
    enabled = false   # old:7

    [modules.negative-dentry.config]
    cap = 8   # old:6
    ");
    assert_eq!(converted.diagnostics.len(), 4);
    let again = load_file(converted.toml.as_bytes(), "new.toml", &[memleak()]);
    let before = load_file(text, "old", &[memleak()]);
    assert_eq!(again.settings, before.settings);
    assert!(again.is_valid());
}

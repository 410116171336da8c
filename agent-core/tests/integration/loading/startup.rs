//! What a start comes to: the daemon, `check-config` and `doctor` agree on each configuration, shipped or broken, with
//! each set of modules; and no module of a stranger keeps the daemon from starting.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::linked_in::only;
use crate::loading::place::{Place, Switch, stderr};

/// A configuration with modules, and what a start with it comes to.
struct Case {
    name: &'static str,
    /// Files in the module directory, each with what is odd about it.
    modules: &'static [(&'static str, &'static [Switch<'static>])],
    /// In the file of the administrator.
    text: &'static str,
    /// In a file of a package.
    packaged: &'static str,
    /// Where the modules that are linked in are left as they are by default. Nothing is changed, as this is `-s`.
    with_shipped: bool,
    /// What keeps the daemon from starting; nothing if it starts.
    error: Option<&'static str>,
    /// What is said of it by all three, whether it starts or not.
    fault: &'static str,
}

const USUAL: Case = Case {
    name: "usual",
    modules: &[],
    text: "",
    packaged: "",
    with_shipped: false,
    error: None,
    fault: "",
};

const CACHE: Switch<'_> = ("WRITES", "AMM_S(\"vm.vfs_cache_pressure\")");
const SCALE: Switch<'_> = ("WRITES", "AMM_S(\"vm.watermark_scale_factor\")");
const REFUSES: Switch<'_> = ("CREATE", "refuse");
const ALPHA: Switch<'_> = ("NAME", "AMM_S(\"alpha\")");

const CASES: &[Case] = &[
    USUAL,
    Case {
        name: "the shipped modules",
        with_shipped: true,
        ..USUAL
    },
    Case {
        name: "a twin of a module that is linked in",
        modules: &[("twin.so", &[SCALE])],
        with_shipped: true,
        fault: "the module free-pages owns vm.watermark_scale_factor",
        ..USUAL
    },
    Case {
        name: "a twin that the administrator has switched on",
        modules: &[("twin.so", &[SCALE])],
        text: "[modules.variant]\nenabled = true\nmode = \"active\"\n",
        with_shipped: true,
        fault: "the module free-pages owns vm.watermark_scale_factor",
        ..USUAL
    },
    Case {
        name: "a twin that only advises",
        modules: &[("twin.so", &[SCALE])],
        text: "[modules.variant]\nmode = \"advise\"\n",
        with_shipped: true,
        ..USUAL
    },
    Case {
        name: "a twin that is off",
        modules: &[("twin.so", &[SCALE])],
        text: "[modules.variant]\nenabled = false\n",
        with_shipped: true,
        ..USUAL
    },
    Case {
        name: "a twin that may not change it",
        modules: &[("twin.so", &[SCALE])],
        text: "[modules.variant]\nallow = []\n",
        with_shipped: true,
        ..USUAL
    },
    Case {
        name: "two files that want the same",
        modules: &[("a.so", &[CACHE]), ("z.so", &[ALPHA, CACHE])],
        fault: "the module alpha owns vm.vfs_cache_pressure",
        ..USUAL
    },
    Case {
        name: "a module that names its tunable twice",
        modules: &[(
            "twice.so",
            &[(
                "WRITES",
                "AMM_S(\"vm.vfs_cache_pressure\"), AMM_S(\"vm.vfs_cache_pressure\")",
            )],
        )],
        ..USUAL
    },
    Case {
        name: "two modules that want what there is not",
        modules: &[
            ("a.so", &[("WRITES", "AMM_S(\"vm.nothing\")")]),
            ("b.so", &[ALPHA, ("WRITES", "AMM_S(\"vm.nothing\")")]),
        ],
        ..USUAL
    },
    Case {
        name: "a module that refuses its defaults",
        modules: &[("bad.so", &[REFUSES])],
        fault: "it refuses its own defaults: limit-mib: that is never enough",
        ..USUAL
    },
    Case {
        name: "a module that refuses its defaults, which somebody has written down",
        modules: &[("bad.so", &[REFUSES])],
        text: "[modules.variant.config]\nlimit-mib = 3\n",
        fault: "it refuses its own defaults: limit-mib: that is never enough",
        ..USUAL
    },
    Case {
        name: "a module that refuses what its package has set",
        modules: &[("bad.so", &[REFUSES])],
        packaged: "[modules.variant.config]\nlimit-mib = 4\n",
        fault: "it refuses its own defaults: limit-mib: that is never enough",
        ..USUAL
    },
    Case {
        name: "options of the administrator that a module refuses",
        modules: &[("bad.so", &[REFUSES])],
        text: "[modules.variant.config]\nlimit-mib = 4\n",
        error: Some("[modules.variant.config] limit-mib: that is never enough"),
        ..USUAL
    },
    Case {
        name: "a value of the administrator out of range",
        modules: &[("good.so", &[])],
        text: "[modules.variant.config]\nlimit-mib = 11\n",
        error: Some("`limit-mib` must be a whole number from 0 to 10, found 11"),
        ..USUAL
    },
    Case {
        name: "a key of the administrator that there is not",
        text: "[modules.variant]\nverbosty = 2\n",
        modules: &[("good.so", &[])],
        error: Some("unknown setting `verbosty` in `[modules.variant]`"),
        ..USUAL
    },
    Case {
        name: "a package with a key that there is not",
        packaged: "verbosty = 2\n",
        fault: "unknown setting `verbosty`",
        ..USUAL
    },
    Case {
        name: "a package with a value out of range",
        modules: &[("good.so", &[])],
        packaged: "[modules.variant.config]\nlimit-mib = 11\n",
        fault: "`limit-mib` must be a whole number from 0 to 10, found 11",
        ..USUAL
    },
    Case {
        name: "a package with a file that is no TOML",
        packaged: "[core\n",
        fault: "unclosed table",
        ..USUAL
    },
    Case {
        name: "settings of a module that is not there",
        text: "[modules.absent]\nenabled = true\n[modules.absent.config]\nlimit = 1\n",
        fault: "module `absent` is not installed",
        ..USUAL
    },
    Case {
        name: "settings of a module whose name is like that of another file",
        modules: &[("good.so", &[])],
        text: "[modules.variants]\nenabled = true\n",
        fault: "module `variants` is not installed",
        ..USUAL
    },
    Case {
        name: "a flag like that of a file",
        modules: &[("good.so", &[("FLAG", "AMM_S(\"ENABLE_VARIANT\")")])],
        text: "ENABLE_VARIANTS = 1\n",
        fault: "module of flag `ENABLE_VARIANTS` is not installed",
        ..USUAL
    },
    Case {
        name: "a module that takes the flag of another",
        modules: &[("flag.so", &[("FLAG", "AMM_S(\"ENABLE_MEMLEAK_CHECK\")")])],
        text: "ENABLE_MEMLEAK_CHECK = 1\n[modules.variant]\nenabled = false\n",
        with_shipped: true,
        ..USUAL
    },
    Case {
        name: "a misspelt module that is linked in",
        text: "[modules.memlaek]\nenabled = false\n",
        error: Some("there is no module `memlaek`"),
        ..USUAL
    },
    Case {
        name: "a module for another version of the interface",
        modules: &[("old.so", &[("MAJOR", "2")])],
        fault: "it was made for version 2.0 of the module interface",
        ..USUAL
    },
    Case {
        name: "two files with modules of one name",
        modules: &[("a.so", &[]), ("b.so", &[("VERSION", "\"2\"")])],
        fault: "the module of the same name in",
        ..USUAL
    },
    Case {
        name: "a module with the name of one that is linked in",
        modules: &[("a.so", &[("NAME", "AMM_S(\"memleak\")")])],
        with_shipped: true,
        fault: "a module of this name is linked in",
        ..USUAL
    },
    Case {
        name: "a module whose file is not there",
        text: "[modules.gone]\npath = \"/nowhere/gone.so\"\n",
        fault: "module `gone` could not be loaded from /nowhere/gone.so",
        ..USUAL
    },
    Case {
        name: "a module that cannot be created",
        modules: &[("bad.so", &[("CREATE", "fail")])],
        fault: "there is nothing to work with",
        ..USUAL
    },
    Case {
        name: "a module whose creation does not end",
        modules: &[("hangs.so", &[("CREATE", "hang")])],
        fault: "it was not created within",
        ..USUAL
    },
    Case {
        name: "a module whose creation ends its process",
        modules: &[("crashes.so", &[("CREATE", "crash")])],
        text: "[modules.variant]\nisolation = \"process\"\n",
        fault: "its process",
        ..USUAL
    },
];

/// How it ends, and what is said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    text: String,
}

/// One machine for one case: the configuration is found below a root, as packages have a part in it.
fn place(index: usize, case: &Case) -> Place {
    let place = Place::new(&format!("startup-{index}"));
    for (file, switches) in case.modules {
        place.install(file, switches);
    }
    let modules = place.path("modules");
    let usual = if case.with_shipped { "" } else { &only(&[]) };
    let (text, flags) = parted(case.text);
    let own = format!(
        "{flags}[core]\nlog-target = \"stderr\"\nruntime-dir = \"{run}\"\nmodule-dir = \"{}\"\n{text}{usual}",
        modules.display(),
        run = place.home.path("run").display(),
    );
    let write = |name: &str, text: &str| {
        let path = place.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("tree/etc/adaptivemmd/adaptivemmd.toml", &own);
    if !case.packaged.is_empty() {
        write(
            "tree/usr/lib/adaptivemmd/adaptivemmd.toml.d/50-variant.toml",
            case.packaged,
        );
    }
    place
}

/// Tables, and what is written above them.
fn parted(text: &str) -> (String, String) {
    let (flags, tables): (Vec<&str>, Vec<&str>) = match text.find('[') {
        Some(first) => (vec![&text[..first]], vec![&text[first..]]),
        None => (vec![text], vec![]),
    };
    (tables.concat(), flags.concat())
}

fn run(tree: &Path, arguments: &[&str]) -> Said {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_adaptivemmd"))
        .args(arguments)
        .arg("--root")
        .arg(tree)
        .env_remove("NOTIFY_SOCKET")
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    Said {
        code: output.status.code(),
        text: format!("{stdout}{}", stderr(&output)),
    }
}

#[test]
fn the_daemon_check_config_and_doctor_agree_on_every_start() {
    let mut wrong = Vec::new();
    for (index, case) in CASES.iter().enumerate() {
        let place = place(index, case);
        let tree = place.path("tree");
        let daemon = run(&tree, &["-s", "--once"]);
        let check_config = run(&tree, &["check-config"]);
        let doctor = run(&tree, &["doctor"]);

        let code = if case.error.is_some() { 78 } else { 0 };
        let fault = case.error.unwrap_or(case.fault);
        let is_refused = doctor.code == Some(78);
        let is_right = (daemon.code, check_config.code) == (Some(code), Some(code))
            && is_refused == case.error.is_some()
            && doctor.text.contains("the daemon would start") != is_refused
            && [&daemon, &check_config, &doctor]
                .iter()
                .all(|said| said.text.contains(fault));
        if !is_right {
            wrong.push((case.name, daemon, check_config, doctor));
        }
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A file with all of its settings, as they are if nobody sets them.
fn uncommented(file: &str) -> String {
    let is_setting = |line: &str| {
        let word = line.split(' ').next().unwrap_or_default();
        let is_key = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !word.is_empty() && word.chars().all(is_key) && line[word.len()..].starts_with(" = ")
    };
    let lines = file.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with('[') || is_setting(setting) => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_files_start_the_daemon() {
    let conf = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../conf"));
    let read = |name: &str| fs::read_to_string(conf.join(name)).unwrap();
    let all = uncommented(&read("adaptivemmd.toml"));
    assert!(all.contains("\nmax-late = 3\n"), "{all}");
    let files = [
        ("etc/adaptivemmd/adaptivemmd.toml", read("adaptivemmd.toml")),
        ("etc/adaptivemmd/adaptivemmd.toml", all.clone()),
        ("usr/lib/adaptivemmd/adaptivemmd.toml", all),
        ("etc/sysconfig/adaptivemmd", read("adaptivemmd.sysconfig")),
    ];

    for (path, text) in files {
        let tree = tempfile::tempdir().unwrap();
        let file = tree.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();

        let daemon = run(tree.path(), &["-s", "--once"]);
        let check_config = run(tree.path(), &["check-config"]);
        let doctor = run(tree.path(), &["doctor"]);

        assert_eq!(daemon.code, Some(0), "{path}: {daemon:?}");
        assert_eq!(check_config.code, Some(0), "{path}: {check_config:?}");
        assert!(
            check_config.text.contains(" is valid; read:"),
            "{check_config:?}"
        );
        assert!(
            doctor.text.contains("the daemon would start"),
            "{path}: {doctor:?}"
        );
    }
}

#[test]
fn of_two_that_want_the_same_doctor_says_of_one_that_it_can() {
    let twins = Case {
        modules: &[("a.so", &[CACHE]), ("z.so", &[ALPHA, CACHE])],
        ..USUAL
    };
    let place = place(CASES.len(), &twins);
    let tree = place.path("tree");
    fs::create_dir_all(tree.join("proc/sys/vm")).unwrap();
    fs::write(tree.join("proc/sys/vm/vfs_cache_pressure"), "100\n").unwrap();

    let found: Value = serde_json::from_str(&run(&tree, &["doctor", "--json"]).text).unwrap();
    let checks = found["checks"].as_array().unwrap().iter();
    let about: Vec<(&str, &str)> = checks
        .filter(|check| check["text"].as_str().unwrap().contains("cache_pressure"))
        .map(|check| {
            (
                check["subject"].as_str().unwrap(),
                check["verdict"].as_str().unwrap(),
            )
        })
        .collect();

    assert_eq!(about, [("alpha", "ok"), ("variant", "problem")]);
}

#[test]
fn a_module_that_is_idle_is_shown_and_the_daemon_reloads_until_it_is_not() {
    let place = Place::new("startup-live");
    // Nothing is tuned: neither of them asks for anything.
    place.install("a.so", &[ALPHA, CACHE]);
    let mut daemon = place.daemon();

    place.install("z.so", &[CACHE]);
    let reloaded = place.command(&["reload"]).output().unwrap();
    daemon.until("warning variant: is idle: the module alpha owns vm.vfs_cache_pressure");
    let (listed, status) = (place.listed(), place.command(&["status"]).output().unwrap());
    fs::remove_file(place.path("modules/a.so")).unwrap();
    let again = place.command(&["reload"]).output().unwrap();
    daemon.until("notice  variant: this is version 1.0.0");

    assert_eq!(reloaded.status.code(), Some(0), "{}", stderr(&reloaded));
    assert!(listed.contains("variant 1.0.0 (idle, no flag)"), "{listed}");
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(
        status.contains("variant (idle): the module alpha owns vm.vfs_cache_pressure; to use it"),
        "{status}"
    );
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
}

#[test]
fn without_a_daemon_modules_says_what_would_be_idle() {
    let place = Place::new("startup-listed");
    place.install("a.so", &[ALPHA, CACHE]);
    place.install("z.so", &[CACHE]);

    let listed = place.listed();

    assert!(listed.contains("variant 1.0.0 (idle, no flag)"), "{listed}");
    assert!(
        listed.contains("idle: the module alpha owns vm.vfs_cache_pressure; "),
        "{listed}"
    );
}

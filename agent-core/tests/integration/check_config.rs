//! The configuration from the outside: `check-config`, `-c`, and `--root`.

use crate::outside;
use std::process::Command;

use crate::outside::recordings::slow;
use crate::outside::{Files, Run, adaptivemmd, machine, printed};

/// One of every kind of error, and a warning.
const ALL_WRONG: &str = "\
ENABLE_MEMLEAK_CHEK = 1
[core]
period-secs = 0
verbosty = 2
log-target = \"file\"
max-late = \"three\"
[modules.memleak.config]
min-growth-percent = 200
clasic = true
[modules.ksm]
enabled = yes
[core]
oops
";

/// A file of adaptivemm 2.1: an administrator who wants no leak detection, and three odd lines.
const OLD: &str = "\
# of adaptivemm 2.1
VERBOSE=2
ENABLE_MEMLEAK_CHECK=0
FOO=1
AGGRESSIVENESS=7
NEG-DENTRY-CAP=20
";

/// The settings in `directory` decide; what is said of them names no directory.
fn check_config(directory: &Files, args: &[&str]) -> Run {
    let root = directory.root();
    let run = adaptivemmd(&[&["check-config", "--root", &root], args].concat());
    let without_root = |text: String| text.replace(&root, "");
    Run {
        stdout: without_root(run.stdout),
        stderr: without_root(run.stderr),
        ..run
    }
}

fn files(config: &str) -> Files {
    Files::new(&[("etc/adaptivemmd/adaptivemmd.toml", config)])
}

#[test]
fn without_any_file_the_defaults_are_valid() {
    let run = check_config(&Files::new(&[]), &[]);

    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(run.stdout, @r"
    the configuration is valid; read:
      no file; all settings have their defaults
    ");
}

#[test]
fn a_valid_configuration_below_the_root_is_named() {
    let run = check_config(&files("[core]\nperiod-secs = 5\n"), &[]);

    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(run.stdout, @r"
    the configuration is valid; read:
      /etc/adaptivemmd/adaptivemmd.toml
    ");
}

#[test]
fn every_error_is_told_at_once_with_its_place_and_a_hint() {
    let run = check_config(&files(ALL_WRONG), &[]);

    assert_eq!((run.code, run.stdout.as_str()), (Some(78), ""));
    insta::assert_snapshot!(run.stderr, @r#"
    adaptivemmd: /etc/adaptivemmd/adaptivemmd.toml:1:1: error: there is no flag `ENABLE_MEMLEAK_CHEK`
        1 | ENABLE_MEMLEAK_CHEK = 1
          | ^^^^^^^^^^^^^^^^^^^ did you mean `ENABLE_MEMLEAK_CHECK`?
    adaptivemmd: /etc/adaptivemmd/adaptivemmd.toml:3:15: error: `period-secs` must be a number from 0.1 to 3600, found 0
        3 | period-secs = 0
          |               ^
    adaptivemmd: /etc/adaptivemmd/adaptivemmd.toml:4:1: error: unknown setting `verbosty` in `[core]`
        4 | verbosty = 2
          | ^^^^^^^^ did you mean `verbosity`?
    adaptivemmd: /etc/adaptivemmd/adaptivemmd.toml:5:14: error: `log-target` must be one of "auto", "syslog", "journal", "stderr", found the string "file"
        5 | log-target = "file"
          |              ^^^^^^
    adaptivemmd: /etc/adaptivemmd/adaptivemmd.toml:6:12: error: `max-late` must be a whole number from 1 to 1000, found the string "three"
        6 | max-late = "three"
          |            ^^^^^^^
    adaptivemmd: /etc/adaptivemmd/adaptivemmd.toml:8:22: error: `min-growth-percent` must be a number from 0 to 100, found 200
        8 | min-growth-percent = 200
          |                      ^^^
    adaptivemmd: /etc/adaptivemmd/adaptivemmd.toml:9:1: error: unknown setting `clasic` in `[modules.memleak.config]`
        9 | clasic = true
          | ^^^^^^ did you mean `classic`?
    adaptivemmd: /etc/adaptivemmd/adaptivemmd.toml:10:10: warning: module `ksm` is not installed; its settings have no effect
       10 | [modules.ksm]
          |          ^^^
    adaptivemmd: /etc/adaptivemmd/adaptivemmd.toml:11:11: error: string values must be quoted, expected literal string
       11 | enabled = yes
          |           ^^^
    adaptivemmd: /etc/adaptivemmd/adaptivemmd.toml:12:2: error: duplicate key
       12 | [core]
          |  ^^^^
    adaptivemmd: /etc/adaptivemmd/adaptivemmd.toml:13:5: error: key with no value, expected `=`
       13 | oops
          |     ^
    "#);
}

#[test]
fn of_many_errors_the_first_are_told_and_the_others_are_counted() {
    let unknown: String = (0..20_000).fold(String::new(), |text, i| text + &format!("k{i} = 1\n"));
    let warned = "[modules.nowhere]\n".to_owned() + &unknown;

    let unknown = check_config(&files(&format!("[core]\n{unknown}")), &[]);
    let warned = check_config(&files(&warned), &[]);

    for (run, code) in [(&unknown, 78), (&warned, 0)] {
        assert_eq!(
            run.code,
            Some(code),
            "{}",
            &run.stderr[..1000.min(run.stderr.len())]
        );
        assert!(run.stderr.len() < 64 << 10, "{} bytes", run.stderr.len());
    }
    let said: Vec<&str> = unknown.stderr.lines().collect();
    assert!(
        said[0].contains(":2:1: error: unknown setting `k0` in `[core]`"),
        "{}",
        said[0]
    );
    let rest = ":52:1: error: this is the first of 19950 problems that are not shown";
    assert!(unknown.stderr.contains(rest), "{}", said[said.len() - 2]);
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let nothing = Files::new(&[]);
    let run = check_config(&nothing, &["-c", &nothing.path("mistyped.toml")]);

    assert_eq!(run.code, Some(78));
    insta::assert_snapshot!(run.stderr, @r"
    adaptivemmd: /mistyped.toml: error: cannot read this file: No such file or directory
    ");
}

#[test]
fn with_a_bad_configuration_nothing_starts() {
    let tree = files(ALL_WRONG);
    let trace = Files::new(&[("trace.jsonl", slow().text())]).path("trace.jsonl");
    let calls = [
        &["-s", "--once"][..],
        &["snapshot"],
        &["modules"],
        &["replay", &trace],
        &["record", "--frames", "1", "-"],
    ];

    for call in calls {
        let run = adaptivemmd(&[call, &["--root", &tree.root()]].concat());

        assert_eq!((run.code, run.stdout.as_str()), (Some(78), ""), "{call:?}");
        assert!(
            run.stderr.contains(":3:15: error: "),
            "{call:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn what_is_shown_can_be_loaded_again() {
    let tree = every_kind_of_file();

    let shown = check_config(&tree, &["--show"]);

    assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(core_and_memleak(&shown.stdout), @r#"
    [core]
    period-secs = 20.0   # /usr/lib/adaptivemmd/adaptivemmd.toml.d/10-vendor.toml:2
    aggressiveness = 3   # /etc/default/adaptivemmd:1
    verbosity = 1   # /etc/adaptivemmd/adaptivemmd.toml:2
    log-target = "auto"   # default
    syslog-socket = "/dev/log"   # default
    journal-socket = "/run/systemd/journal/socket"   # default
    runtime-dir = "/run/adaptivemmd"   # default
    state-dir = "/var/lib/adaptivemmd"   # default
    module-dir = "/opt/modules"   # /usr/lib/adaptivemmd/adaptivemmd.toml.d/10-vendor.toml:3
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
    enabled = true   # default
    mode = "active"   # default
    # path is not set: linked in, or in module-dir
    # isolation is not set: "none" for modules that are linked in or in module-dir, "process" for all others
    # deadline-ms is not set: deadline-secs of [core]
    # allow is not set: everything that the module declares

    [modules.memleak.config]
    classic = true   # default
    min-growth-percent = 0.0   # /etc/adaptivemmd/adaptivemmd.toml.d/50-local.toml:2
    trend = true   # default
    trend-min-growth-mib = 32   # default
    trend-horizons-left = 24   # default
    jump = true   # default
    jump-min-growth-mib = 256   # default
    jump-percent = 5.0   # default
    level = true   # default
    level-percent = 10.0   # default
    "#);
    let again = check_config(&files(&shown.stdout), &["--show"]);
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""));
    assert_eq!(values(&again.stdout), values(&shown.stdout));
}

/// Settings in one file of each kind.
fn every_kind_of_file() -> Files {
    Files::new(&[
        (
            "etc/adaptivemmd/adaptivemmd.toml",
            "[core]\nverbosity = 1\n",
        ),
        (
            "etc/adaptivemmd/adaptivemmd.toml.d/50-local.toml",
            "[modules.memleak.config]\nmin-growth-percent = 0\n",
        ),
        (
            "usr/lib/adaptivemmd/adaptivemmd.toml.d/10-vendor.toml",
            "[core]\nperiod-secs = 20\nmodule-dir = \"/opt/modules\"\n",
        ),
        ("etc/default/adaptivemmd", "AGGRESSIVENESS=3\n"),
    ])
}

/// Without the tables of other modules.
fn core_and_memleak(shown: &str) -> String {
    let is_meant =
        |table: &&str| table.starts_with("[core]") || table.starts_with("[modules.memleak");
    let tables: Vec<&str> = shown.split("\n\n").filter(is_meant).collect();
    tables.join("\n\n")
}

/// Lines without their comments, which say where a value comes from.
fn values(shown: &str) -> Vec<&str> {
    shown
        .lines()
        .map(|line| line.split("   # ").next().unwrap())
        .collect()
}

#[test]
fn a_file_of_adaptivemm_2_1_is_converted() {
    let tree = Files::new(&[("etc/sysconfig/adaptivemmd", OLD)]);

    let run = check_config(&tree, &["--convert"]);

    assert_eq!(run.code, Some(0));
    insta::assert_snapshot!(run.stdout, @r"
    [core]
    aggressiveness = 2   # /etc/sysconfig/adaptivemmd:5
    verbosity = 2   # /etc/sysconfig/adaptivemmd:2

    [modules.memleak]
    enabled = false   # /etc/sysconfig/adaptivemmd:3

    [modules.negative-dentry.config]
    cap = 20   # /etc/sysconfig/adaptivemmd:6
    ");
    insta::assert_snapshot!(run.stderr, @r"
    adaptivemmd: /etc/sysconfig/adaptivemmd:4:1: warning: unknown key `FOO`
        4 | FOO=1
          | ^^^ this line has no effect
    adaptivemmd: /etc/sysconfig/adaptivemmd:5:1: warning: AGGRESSIVENESS must be from 1 to 3; 2 is used
        5 | AGGRESSIVENESS=7
          | ^^^^^^^^^^^^^^
    ");
    let converted = values_in_force(&files(&run.stdout));
    assert_eq!(converted, values_in_force(&tree));
}

fn values_in_force(tree: &Files) -> Vec<String> {
    let shown = check_config(tree, &["--show"]).stdout;
    values(&shown).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_file_without_end_and_a_pipe_are_not_converted() {
    let tree = Files::new(&[("etc/sysconfig/other", OLD)]);
    let pipe = tree.path("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();

    for file in ["/dev/zero", &pipe] {
        let run = Command::new("sh")
            .args(["-c", "ulimit -v 1000000 && exec timeout 60 \"$0\" \"$@\""])
            .arg(env!("CARGO_BIN_EXE_adaptivemmd"))
            .args(["-c", file, "check-config", "--convert"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(1), "{said}");
        assert!(
            said.starts_with(&format!("adaptivemmd: {file}: cannot read this")),
            "{said}"
        );
    }
}

#[test]
fn without_an_old_file_there_is_nothing_to_convert() {
    let run = check_config(&Files::new(&[]), &["--convert"]);

    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    insta::assert_snapshot!(run.stderr, @r"
    adaptivemmd: there is neither /etc/sysconfig/adaptivemmd nor /etc/default/adaptivemmd; name a file with -c
    ");
}

#[test]
fn a_drop_in_is_judged_before_it_is_installed() {
    let tree = files("[core]\nverbosity = 1\n");
    let drop_ins = Files::new(&[
        ("good.toml", "[core]\nverbosity = 2\n"),
        ("bad.toml", "[core]\nverbosity = 9\n"),
    ]);
    let judge = |name| check_config(&tree, &["--show", "--drop-in", &drop_ins.path(name)]);

    let good = judge("good.toml");
    let bad = judge("bad.toml");

    assert_eq!((good.code, good.stderr.as_str()), (Some(0), ""));
    assert!(
        good.stdout.contains("verbosity = 2   # "),
        "{}",
        good.stdout
    );
    assert_eq!((bad.code, bad.stdout.as_str()), (Some(78), ""));
    insta::assert_snapshot!(bad.stderr.replace(&drop_ins.root(), ""), @r"
    adaptivemmd: /bad.toml:2:13: error: `verbosity` must be a whole number from 0 to 5, found 9
        2 | verbosity = 9
          |             ^
    ");
}

#[test]
fn an_old_file_works_with_every_command() {
    let files = Files::new(&[
        ("old", "ENABLE_MEMLEAK_CHECK=0\n"),
        ("trace.jsonl", slow().text()),
    ]);
    let (old, trace) = (files.path("old"), files.path("trace.jsonl"));
    let tree = machine("kernel-6.18");
    let call = |args: &[&str]| printed(&[args, &["-c", &old, "--root", &tree]].concat());

    assert!(call(&["modules"]).contains(" (disabled, ENABLE_MEMLEAK_CHECK)\n"));
    assert!(call(&["check-config", "--show"]).contains("\nenabled = false   # "));
    assert_eq!(call(&["check-config", "--convert"]).lines().count(), 2);
    assert!(!call(&["snapshot"]).contains("\"memleak\""));
    assert!(!call(&["--once", "--json"]).contains("\"memleak\""));
    assert!(!call(&["replay", &trace]).contains("memleak"));
    let recorded = adaptivemmd(&["record", "--frames", "1", "-", "-c", &old, "--root", &tree]);
    assert_eq!(
        (recorded.code, recorded.stdout.lines().count()),
        (Some(0), 2)
    );
    let daemon = adaptivemmd(&["-s", "--once", "-c", &old, "--root", &tree]);
    assert_eq!(daemon.code, Some(0));
    assert!(!daemon.stderr.contains("memleak"), "{}", daemon.stderr);
}

#[test]
fn what_is_configured_below_the_root_holds() {
    let meminfo = "MemTotal: 8000 kB\nMemFree: 4000 kB\n";
    let disabled = Files::new(&[
        (
            "etc/adaptivemmd/adaptivemmd.toml",
            "ENABLE_MEMLEAK_CHECK = 0\n",
        ),
        ("proc/meminfo", meminfo),
    ]);
    let enabled = Files::new(&[("proc/meminfo", meminfo)]);
    let looks =
        |tree: &Files| printed(&["--root", &tree.root(), "snapshot"]).contains("\"memleak\":");

    assert!(looks(&enabled));
    assert!(!looks(&disabled));
}

#[test]
fn the_shipped_files_are_valid() {
    let conf = outside::tests().join("../conf");
    for name in ["adaptivemmd.toml", "adaptivemmd.sysconfig"] {
        let file = outside::path_of(&conf.join(name));

        let run = adaptivemmd(&["check-config", "-c", &file]);

        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
}

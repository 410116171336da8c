//! `adaptivemm-module-test`: good modules pass, and each bad one fails for what is bad about it.

use crate::cc;
use crate::outside;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::outside::{Run, module_test, path_of, tests};

const MODULE_API: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../module-api");

/// A module in C, built in a directory of its own.
fn built(test: &str, source: &Path, switch: &str) -> PathBuf {
    let module = cc::workshop(&format!("module-test-{test}")).join("module.so");
    let include = format!("-I{MODULE_API}/include");
    let switch = format!("-D{switch}");
    let flags = ["-std=c99", "-O1", "-shared", "-fPIC", "-fvisibility=hidden"];
    let files = ["-o", cc::shown(&module), cc::shown(source)];
    let named = [include.as_str(), switch.as_str()];
    cc::run("cc", flags.into_iter().chain(named).chain(files)).unwrap();
    module
}

fn trace() -> String {
    path_of(&tests().join("traces/slow.jsonl"))
}

/// What there is to say about a module, on a recorded machine.
fn tested(module: &Path) -> Run {
    module_test(&[cc::shown(module), &trace()])
}

/// All lines but those that say that something is as it should be, and where the file is.
fn complaints(run: &Run) -> Vec<&str> {
    let lines = run.stdout.lines().take_while(|line| !line.is_empty());
    lines
        .filter(|line| !line.starts_with("ok ") && !line.starts_with("warning  place:"))
        .collect()
}

/// What is wrong with a bad module.
fn wrong(switch: &str) -> (Option<i32>, String) {
    let source = tests().join("modules/bad.c");
    let run = tested(&built(switch, &source, switch));
    (run.code, complaints(&run).join("\n"))
}

/// A module in Rust, which Cargo builds beside the tests.
fn beside(name: &str) -> PathBuf {
    std::env::current_exe().unwrap().with_file_name(name)
}

#[test]
fn the_modules_of_this_project_pass() {
    let swap_forecast = Path::new(MODULE_API).join("examples/swap-forecast/swap-forecast.c");
    let modules = [
        beside("libcache_pressure.so"),
        beside("libcompaction.so"),
        beside("libfree_pages.so"),
        beside("libmemleak.so"),
        beside("libnegative_dentry.so"),
        beside("libmemory_pressure.so"),
        built("swap-forecast", &swap_forecast, "NDEBUG"),
    ];
    for module in modules.iter().filter(|module| module.exists()) {
        let recorded = tested(module);
        let live = module_test(&[cc::shown(module)]);

        assert_eq!(recorded.code, Some(0), "{}", recorded.stdout);
        assert_eq!(live.code, Some(0), "{}", live.stdout);
        assert!(!live.stdout.contains("FAIL"), "{}", live.stdout);
    }
    assert!(modules.last().unwrap().exists());
}

#[test]
fn there_is_nothing_to_say_of_a_good_module() {
    assert_eq!(wrong("GOOD"), (Some(0), String::new()));
}

#[test]
fn one_that_crashes_on_an_odd_machine_is_told_on_which() {
    let (code, complaints) = wrong("CRASHES_WITHOUT_FILES");

    let first =
        "FAIL     bad odd machines: no-files: in scan 1: its process died of signal 11 (SIGSEGV)";
    assert_eq!((code, complaints.lines().next()), (Some(1), Some(first)));
    assert!(
        complaints.contains("--show no-files` prints"),
        "{complaints}"
    );
}

#[test]
fn who_cannot_print_what_it_found_has_failed() {
    let module = built("full", &tests().join("modules/bad.c"), "GOOD");
    let full = File::create("/dev/full").unwrap();

    let run = Command::new(env!("CARGO_BIN_EXE_adaptivemm-module-test"))
        .args([cc::shown(&module), &trace()])
        .stdout(full)
        .output()
        .unwrap();

    let stderr = String::from_utf8(run.stderr).unwrap();
    let why = "adaptivemm-module-test: cannot write to standard output: No space left on device";
    assert_eq!(
        (run.status.code(), stderr.matches(why).count()),
        (Some(1), 1),
        "{stderr}"
    );
}

#[test]
fn an_odd_machine_can_be_replayed() {
    let source = tests().join("modules/bad.c");
    let module = built("show", &source, "GOOD");
    let shown = |name| module_test(&[cc::shown(&module), &trace(), "--show", name]);

    let (run, unknown, none) = (shown("zeros"), shown("ones"), shown("time-goes-back"));

    let lines: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (run.code, lines.len(), &lines[0]["note"]),
        (Some(0), 7, &Value::from("zeros"))
    );
    let meminfo = lines[1]["files"]["proc/meminfo"].as_str().unwrap();
    let is_zero = |line: &str| line.ends_with(" 0 kB") || line.ends_with(" 0");
    assert!(meminfo.lines().all(is_zero), "{meminfo}");
    assert_eq!((none.code, none.stdout.as_str()), (Some(1), ""));
    assert!(
        none.stderr
            .contains("\"time-goes-back\" cannot be shown: a trace holds"),
        "{}",
        none.stderr
    );
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown
            .stderr
            .contains("no odd machine \"ones\", but no-files, "),
        "{}",
        unknown.stderr
    );
}

#[test]
fn one_that_never_answers_is_not_waited_for_twice() {
    let text = "FAIL     bad trace: at 0 ms: its process did not answer within 5 s\n\
                note     bad trace: all other tests are left out";

    assert_eq!(wrong("LOOPS"), (Some(1), text.to_owned()));
}

#[test]
fn one_that_leaks_is_found_out() {
    let (code, complaints) = wrong("LEAKS");

    assert_eq!(code, Some(1));
    assert!(
        complaints.starts_with("FAIL     bad memory: its process grew by 7."),
        "{complaints}"
    );
}

#[test]
fn one_that_reads_the_clock_is_found_out() {
    let (code, complaints) = wrong("READS_THE_CLOCK");

    let start = "FAIL     bad same words: the same trace gave other words in a second process: \
                 in scan 1 (0 ms) first `metric clock_seconds ";
    assert_eq!(code, Some(1));
    assert!(complaints.starts_with(start), "{complaints}");
}

#[test]
fn each_other_rule_that_is_broken_is_named() {
    let broken = [
        (
            "ASKS_FOR_TOO_MUCH",
            Some(1),
            "FAIL     bad requests: it asked for `vm.swappiness = 10`, which is not declared in `writes`, or not allowed",
        ),
        (
            "WANTS_TOO_MUCH",
            Some(1),
            "FAIL     bad declaration: it writes vm.swappiness, which no daemon can grant; there are \
             vm.watermark_scale_factor, vm.vfs_cache_pressure, fs.negative-dentry-limit and compact-node",
        ),
        (
            "DIES_AT_THE_MOST",
            Some(1),
            "FAIL     bad options: limit-percent = 100: its process died of signal 6 (SIGABRT)",
        ),
        (
            "REFUSES_SILENTLY",
            Some(1),
            "FAIL     bad options: limit-percent = 100: it is refused, and no reason is said",
        ),
        (
            "REFUSES",
            Some(0),
            "note     bad options: limit-percent = 100: it is refused: limit-percent: must leave something",
        ),
        (
            "CRASHES_AT_THE_END",
            Some(1),
            "FAIL     bad end: its process died of signal 6 (SIGABRT)\n\
             note     bad end: all other tests are left out",
        ),
        (
            "SAYS_IT_AGAIN",
            Some(0),
            "warning  bad findings: on a machine that stands still it has findings in 50 of 50 scans; a finding is an \
             event, what lasts belongs into the status",
        ),
        (
            "BADLY_NAMED",
            Some(1),
            "FAIL     bad words: the metric \"Total-Bytes\" is not published: its name does not start with a lower-case letter",
        ),
        (
            "NUMBER_BADLY_NAMED",
            Some(0),
            "warning  bad words: the name \"Much-Bytes\" of a number is not in snake_case",
        ),
        (
            "NO_WORDS_FOR_IT",
            Some(0),
            "warning  bad declaration: its description \"memory\" is no sentence\n\
             warning  bad declaration: the name of limit does not say what it is counted in, as limit-percent or \
             window-scans do",
        ),
    ];
    for (switch, code, text) in broken {
        assert_eq!(wrong(switch), (code, text.to_owned()), "{switch}");
    }
}

#[test]
fn one_that_fails_without_a_word_is_found_out() {
    let (code, complaints) = wrong("FAILS_SILENTLY");

    let first = "FAIL     bad odd machines: no-files: in scan 1: it fails, and says no reason";
    assert_eq!((code, complaints.lines().next()), (Some(1), Some(first)));
}

#[test]
fn its_options_can_be_set() {
    let source = tests().join("modules/bad.c");
    let module = built("configured", &source, "DIES_AT_THE_MOST");
    let files = outside::Files::new(&[
        (
            "most.toml",
            "ENABLE_MEMLEAK_CHECK = 0\n[modules.bad.config]\nlimit-percent = 100\n",
        ),
        ("more.toml", "[modules.bad.config]\nlimit-percent = 101\n"),
    ]);
    let with = |name| {
        let file = files.path(name);
        module_test(&["-c", &file, cc::shown(&module), &trace()])
    };

    let (most, more) = (with("most.toml"), with("more.toml"));

    let fails = "FAIL     bad trace: it was not created: its process died of signal 6 (SIGABRT)";
    assert_eq!(most.code, Some(1));
    assert!(most.stdout.contains(fails), "{}", most.stdout);
    assert_eq!(more.code, Some(78));
    assert!(more.stderr.contains("limit-percent"), "{}", more.stderr);
}

#[test]
fn programs_can_read_it_and_the_words_of_the_module_are_told() {
    let source = tests().join("modules/bad.c");
    let module = built("json", &source, "SAYS_IT_AGAIN");

    let run = module_test(&["-v", "--json", cc::shown(&module), &trace()]);

    let lines: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let said = lines
        .iter()
        .filter(|line| line["said"] == "there is much memory")
        .count();
    let warned = lines
        .iter()
        .any(|line| line["result"] == "warning" && line["check"] == "findings");
    let end = lines.last().unwrap();
    assert_eq!(
        (run.code, said, warned),
        (Some(0), 13, true),
        "{}",
        run.stdout
    );
    assert_eq!(
        (&end["file"], &end["failed"]),
        (&Value::from("module.so"), &Value::from(0))
    );
}

#[test]
fn what_is_no_module_or_no_trace_is_refused() {
    let source = tests().join("modules/bad.c");
    let module = built("refused", &source, "GOOD");

    let no_module = tested(&source);
    let no_trace = module_test(&[cc::shown(&module), cc::shown(&source)]);
    let nothing = module_test(&[]);

    assert_eq!(no_module.code, Some(1));
    assert!(
        complaints(&no_module)[0].starts_with("FAIL     load: it cannot be loaded: "),
        "{}",
        no_module.stdout
    );
    assert_eq!(no_trace.code, Some(1));
    assert!(
        no_trace
            .stderr
            .contains("bad.c: line 1: a trace starts with"),
        "{}",
        no_trace.stderr
    );
    assert_eq!(nothing.code, Some(2));
}

#[test]
fn a_module_is_told_who_owns_what_it_wants_to_change() {
    let source = tests().join("modules/variants.c");
    let tested = |test: &str, tunable: &str| {
        let writes = format!("WRITES=AMM_S(\"{tunable}\")");
        let run = tested(&built(test, &source, &writes));
        complaints(&run).join("\n")
    };

    let (on, off) = (
        tested("owned", "vm.watermark_scale_factor"),
        tested("owned-off", "vm.vfs_cache_pressure"),
    );

    let idle = "where they are both on, it is idle, as the module";
    let owners = [
        "free-pages owns vm.watermark_scale_factor",
        "cache-pressure owns vm.vfs_cache_pressure",
    ];
    for (said, owner) in [on, off].iter().zip(owners) {
        assert!(
            said.contains(&format!("{idle} {owner}; to use it instead")),
            "{said}"
        );
    }
}

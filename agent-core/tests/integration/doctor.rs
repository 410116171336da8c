//! `adaptivemmd doctor` on machines that lack something.
#![allow(
    clippy::disallowed_methods,
    reason = "builds a module, and plays the kernel, whose files these are"
)]

use std::fs;

use serde_json::Value;

use crate::faults::bench::{Bench, WSF};
use agent_core::incidents::evidence::SourceKind;

/// What was found: the exit status, and each check as `subject verdict text`.
fn findings(bench: &Bench) -> (Option<i32>, Vec<String>) {
    let output = bench.command(&["doctor", "--json"]).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = found["checks"].as_array().unwrap();
    let line = |check: &Value| {
        let word = |key: &str| check[key].as_str().unwrap();
        format!("{} {} {}", word("subject"), word("verdict"), word("text"))
    };
    let problems = checks.iter().filter(|check| check["verdict"] == "problem");
    assert_eq!(found["problems"], problems.count());
    (output.status.code(), checks.iter().map(line).collect())
}

fn has(found: &[String], text: &str) -> bool {
    found.iter().any(|line| line.contains(text))
}

/// Of the modules only steps is there, which has all that it needs.
fn well(test: &str) -> Bench {
    let bench = Bench::new(test);
    fs::create_dir_all(bench.home.path("state")).unwrap();
    bench
}

#[test]
fn on_a_machine_where_all_is_well_it_says_what_can_be_done() {
    let bench = well("doctor-well");

    let (code, found) = findings(&bench);
    let text = bench.command(&["doctor"]).output().unwrap();

    assert_eq!(code, Some(0), "{found:#?}");
    for text in [
        "core ok the daemon would start with this configuration",
        "core ok runtime-dir ",
        "steps ok can change vm.watermark_scale_factor, which is 10, to 1 to 3000",
        "steps ok can compact memory, by /sys/devices/system/node/node0/compact",
        "others ok no known program",
        "daemon note it is not running",
    ] {
        assert!(has(&found, text), "{text} is not in {found:#?}");
    }
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("\nsteps\n  ok      "), "{text}");
    assert!(text.contains("\n0 problems, "), "{text}");
}

#[test]
fn each_source_of_evidence_is_asked_by_the_files_that_the_daemon_reads() {
    let bench = well("doctor-evidence");
    let debug = "sys/kernel/debug/page_owner";
    fs::create_dir_all(bench.path("sys/kernel/debug")).unwrap();
    fs::write(bench.path(debug), "").unwrap();

    let (_, without) = findings(&bench);
    fs::create_dir_all(bench.path(&format!("{debug}_stacks"))).unwrap();
    let stacks = "stack_record_alloc+0x1/0x2\nnr_base_pages: 5\n\n";
    fs::write(bench.path(&format!("{debug}_stacks/show_stacks")), stacks).unwrap();
    let (_, with) = findings(&bench);

    for kind in SourceKind::ALL {
        let about = with.iter().filter(|line| line.starts_with("evidence "));
        let about = about.filter(|line| line.contains(kind.file()) && line.contains(kind.tells()));
        assert_eq!(about.count(), 1, "{kind:?}: {with:#?}");
    }
    let stacks = "/sys/kernel/debug/page_owner_stacks";
    assert!(
        has(&without, &format!("evidence note no {stacks}")),
        "{without:#?}"
    );
    assert!(
        has(
            &with,
            &format!("evidence ok {stacks} says who holds memory: ")
        ),
        "{with:#?}"
    );
}

#[test]
fn what_a_kernel_lacks_is_a_note_and_what_does_not_work_is_a_problem() {
    let bench = well("doctor-lacks");
    fs::remove_file(bench.path("proc/sys/fs/negative-dentry-limit")).unwrap();
    fs::remove_dir_all(bench.path("sys/devices/system/node/node0")).unwrap();
    fs::create_dir_all(bench.path("etc/sysctl.d")).unwrap();
    fs::write(
        bench.path("etc/sysctl.d/50-local.conf"),
        "# old\nvm.watermark_scale_factor=35\n",
    )
    .unwrap();
    fs::create_dir_all(bench.path("proc/77")).unwrap();
    fs::write(bench.path("proc/77/comm"), "tuned\n").unwrap();

    let (before, notes) = findings(&bench);
    fs::write(bench.home.path("run"), "in the way").unwrap();
    let (failed, problems) = findings(&bench);

    assert_eq!(before, Some(0), "{notes:#?}");
    for text in [
        "steps note this kernel has no fs.negative-dentry-limit: there is nothing to change",
        "steps note there is no ",
        "others note tuned is running as process 77: ",
        "others note /etc/sysctl.d/50-local.conf:2 sets vm.watermark_scale_factor to 35",
    ] {
        assert!(has(&notes, text), "{text} is not in {notes:#?}");
    }
    assert_eq!(failed, Some(1), "{problems:#?}");
    assert!(has(&problems, "core problem runtime-dir "), "{problems:#?}");
}

#[test]
fn a_configuration_that_is_wrong_and_a_file_that_is_no_module_are_problems() {
    let bench = well("doctor-wrong");
    let file = bench.home.path("adaptivemmd.toml");
    let text = fs::read_to_string(&file).unwrap();
    let text = format!("verbosty = 2\n{text}\n[modules.other]\npath = \"/nowhere/other.so\"\n");
    fs::write(&file, text).unwrap();

    let (code, found) = findings(&bench);

    assert_eq!(code, Some(78));
    for text in [
        "error: unknown setting `verbosty`",
        "core problem /nowhere/other.so is not loaded: ",
    ] {
        assert!(has(&found, text), "{text} is not in {found:#?}");
    }
}

#[test]
fn what_people_read_of_a_file_that_is_not_there_has_no_number_of_an_error() {
    let bench = well("doctor-numbers");
    let other = "[modules.other]\npath = \"/nowhere/other.so\"";
    bench.home.configure("", other);

    for command in ["doctor", "modules"] {
        let output = bench.command(&[command]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("/nowhere/other.so"), "{text}");
        assert!(text.contains("No such file or directory"), "{text}");
        assert!(!text.contains("os error"), "{text}");
    }
}

#[test]
fn of_a_daemon_that_runs_it_says_what_somebody_else_has_taken() {
    let bench = well("doctor-daemon");
    let mut daemon = bench.daemon();
    daemon.until("vm.watermark_scale_factor = 20: done");
    fs::write(bench.path(WSF), "35\n").unwrap();
    daemon.until("vm.watermark_scale_factor was changed externally to 35");

    let (code, found) = findings(&bench);

    assert_eq!(code, Some(0), "{found:#?}");
    let pid = daemon.pid();
    for text in [
        format!("daemon ok runs as process {pid}, version "),
        "daemon note vm.watermark_scale_factor is paused".to_owned(),
    ] {
        assert!(has(&found, &text), "{text} is not in {found:#?}");
    }
}

//! What an administrator tells the daemon.

use std::fs;

use agent_core::daemon::control::call;
use serde_json::{Value, json};

use crate::daemon::process::{Running, eventually};
use crate::faults::bench::{Bench, WSF};

/// The daemon, once it has changed something.
fn at_work(bench: &Bench) -> Running {
    let mut daemon = bench.daemon();
    daemon.until("vm.watermark_scale_factor = 20: done, was 10");
    daemon
}

/// Runs a command: its exit code, and what it said.
fn run(bench: &Bench, arguments: &[&str]) -> (Option<i32>, String) {
    let output = bench.command(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn what_was_left_to_somebody_else_is_changed_again_when_an_administrator_says_so() {
    const TUNABLE: &str = "vm.watermark_scale_factor";
    let bench = Bench::new("resume");
    let mut daemon = at_work(&bench);

    let before = run(&bench, &["resume", TUNABLE]);
    // Whatever the module is at: nothing of ours is 35.
    daemon.until("vm.watermark_scale_factor = 20: done");
    fs::write(bench.path(WSF), "35\n").unwrap();
    daemon.until("vm.watermark_scale_factor was changed externally to 35");
    let resumed = run(&bench, &["resume"]);
    daemon.until("core: tuning of vm.watermark_scale_factor resumed");
    daemon.until(": done, was 35");
    let (status, said) = daemon.terminate();

    assert_eq!(before, (Some(0), format!("{TUNABLE} is not paused\n")));
    assert_eq!(resumed, (Some(0), "1 tunable resumed\n".to_owned()));
    assert_eq!(status.code(), Some(0));
    assert!(
        said.iter()
            .any(|line| line.contains("vm.watermark_scale_factor restored to 35")),
        "{said:?}"
    );
}

#[test]
fn what_an_administrator_gives_back_is_left_alone_until_he_says_otherwise() {
    const TUNABLE: &str = "vm.watermark_scale_factor";
    let bench = Bench::new("restore");
    let mut daemon = at_work(&bench);

    let (code, said) = run(&bench, &["restore"]);
    daemon.until("vm.watermark_scale_factor restored to 10");
    let given_back = fs::read_to_string(bench.path(WSF)).unwrap();
    // Whatever the module asks for now is not done.
    for _ in 0..5 {
        eventually("a scan later", {
            let scans =
                || call(&bench.home.path("run"), "Status", &json!({})).unwrap()["scans"].as_u64();
            let before = scans();
            move || (scans() > before).then_some(())
        });
        assert_eq!(fs::read_to_string(bench.path(WSF)).unwrap(), "10\n");
    }
    let status = call(&bench.home.path("run"), "Status", &json!({})).unwrap();
    run(&bench, &["resume", TUNABLE]);
    daemon.until("vm.watermark_scale_factor = 20: done, was 10");

    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains(
            "vm.watermark_scale_factor restored to 10 and paused until `adaptivemmd resume`\n"
        ),
        "{said}"
    );
    assert_eq!(given_back, "10\n");
    let tunables = status["tunables"].as_array().unwrap();
    let tunable = tunables.iter().find(|it| it["name"] == TUNABLE).unwrap();
    assert_eq!(
        (&tunable["yielded"], &tunable["value"], &tunable["original"]),
        (&json!(true), &json!(10), &Value::Null)
    );
}

#[test]
fn a_reload_says_how_it_went() {
    let bench = Bench::new("reload");
    let mut daemon = at_work(&bench);

    let good = run(&bench, &["reload"]);
    daemon.until("core: configuration reloaded: ");
    let file = bench.home.path("adaptivemmd.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        format!("{text}\n[modules.steps.config]\nno-such = 1\n"),
    )
    .unwrap();
    let refused = run(&bench, &["reload"]);
    let answer = call(&bench.home.path("run"), "Reload", &json!({})).unwrap_err();

    assert_eq!(good, (Some(0), "configuration reloaded\n".to_owned()));
    assert_eq!(refused.0, Some(78), "{refused:?}");
    assert!(
        refused.1.contains("unknown setting `no-such`")
            && refused
                .1
                .ends_with("adaptivemmd: the configuration was not reloaded\n"),
        "{refused:?}"
    );
    assert_eq!(
        answer.to_string(),
        "configuration not reloaded, the old one stays in force: it has 1 error"
    );
}

#[test]
fn without_a_daemon_it_says_so() {
    let bench = Bench::new("nobody");

    let (code, said) = run(&bench, &["resume"]);
    let unknown = run(&bench, &["resume", "vm.swappiness"]);

    assert_eq!(code, Some(3));
    assert!(
        said.contains("adaptivemmd: the daemon is not running ("),
        "{said}"
    );
    assert_eq!(
        unknown,
        (
            Some(1),
            "adaptivemmd: vm.swappiness is not a tunable that the daemon changes; it changes vm.watermark_scale_factor, \
             vm.vfs_cache_pressure, fs.negative-dentry-limit\n"
                .to_owned()
        )
    );
}

#[test]
fn what_the_daemon_has_changed_is_recorded_as_it_was_before() {
    let bench = Bench::new("record");
    let daemon = at_work(&bench);

    let (code, said) = run(
        &bench,
        &["record", "--frames", "12", "--period-ms", "100", "-"],
    );
    daemon.terminate();

    assert_eq!(code, Some(0));
    let frames = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let values: Vec<Value> = frames
        .filter_map(|mut frame| Some(frame["files"].get_mut(WSF)?.take()))
        .collect();
    // A file that did not change is in the first frame only.
    assert_eq!(values, ["10\n"], "{said}");
}

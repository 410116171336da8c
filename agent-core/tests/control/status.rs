//! `adaptivemmd status` and `adaptivemmd metrics`, of a daemon that runs and of none.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bench::Bench;
use crate::skip::has;

fn run(bench: &Bench, arguments: &[&str]) -> (Option<i32>, String) {
    let output = bench.command(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn one_screen_says_how_things_stand() {
    let bench = Bench::new("status");
    let mut daemon = bench.daemon();
    daemon.until("vm.watermark_scale_factor = 20: done, was 10");

    let (code, screen) = run(&bench, &["status"]);
    let (json_code, json) = run(&bench, &["status", "--json"]);
    let pid = daemon.pid();

    assert_eq!((code, json_code), (Some(0), Some(0)));
    for said in [
        format!("runs as process {pid}, for "),
        "changed by steps, originally ".to_owned(),
        "modules      steps: ".to_owned(),
        "last change  ".to_owned(),
        "             because ".to_owned(),
        "warnings     none".to_owned(),
    ] {
        assert!(
            screen.contains(said.trim_start()),
            "{said} is not in {screen}"
        );
    }
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["pid"], pid);
}

#[test]
fn without_a_daemon_there_is_nothing_to_say_and_the_exit_status_says_so() {
    let bench = Bench::new("no-status");

    for command in ["status", "metrics"] {
        let (code, said) = run(&bench, &[command]);
        assert_eq!(code, Some(3), "{said}");
        assert!(
            said.starts_with("adaptivemmd: the daemon does not run ("),
            "{said}"
        );
        assert!(said.trim_end().ends_with("` starts it"), "{said}");
        assert!(!said.contains("os error"), "{said}");
    }
}

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics() {
    let bench = Bench::new("metrics");
    let mut daemon = bench.daemon();
    daemon.until("vm.watermark_scale_factor = 20: done, was 10");

    let (code, metrics) = run(&bench, &["metrics"]);

    assert_eq!(code, Some(0));
    for sample in [
        "adaptivemmd_tunable_original_value{tunable=\"vm.watermark_scale_factor\"} ",
        "adaptivemmd_module_up{module=\"steps\",version=\"",
        "adaptivemmd_requests_total{module=\"steps\",result=\"done\"} ",
    ] {
        assert!(metrics.contains(sample), "{sample} is not in {metrics}");
    }
    if !has("promtool", "prometheus") {
        return;
    }
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(metrics.as_bytes()).unwrap();
    drop(stdin);
    let judged = promtool.wait_with_output().unwrap();
    let said = [judged.stdout, judged.stderr].concat();
    assert_eq!(
        (
            judged.status.success(),
            String::from_utf8_lossy(&said).as_ref()
        ),
        (true, ""),
        "{metrics}"
    );
}

#[test]
fn a_textfile_is_replaced_in_one_step_and_everybody_can_read_it() {
    let bench = Bench::new("textfile");
    let mut daemon = bench.daemon();
    daemon.until("vm.watermark_scale_factor = 20: done, was 10");
    let file = bench.home.path("adaptivemmd.prom");
    fs::write(&file, "old").unwrap();

    let (code, said) = run(&bench, &["metrics", "--textfile", file.to_str().unwrap()]);

    assert_eq!((code, said.as_str()), (Some(0), ""));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# HELP adaptivemmd_build_info "), "{text}");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    assert!(!bench.home.path("adaptivemmd.prom.new").exists());
}

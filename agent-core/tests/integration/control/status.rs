//! `adaptivemmd status` and `adaptivemmd metrics`, of a daemon that runs and of none.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value;

use crate::faults::bench::Bench;

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

    for (command, before) in [("status", ""), ("metrics", "adaptivemmd_up 0.0\n")] {
        let (code, said) = run(&bench, &[command]);
        assert_eq!(code, Some(3), "{said}");
        let complaint = format!("{before}adaptivemmd: the daemon is not running (");
        assert!(said.contains(&complaint), "{said}");
        assert!(said.contains("; start it with `"), "{said}");
        assert!(!said.contains("os error"), "{said}");
    }
}

#[test]
fn tunables_modules_and_requests_have_metrics() {
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
    let directory = fs::read_dir(bench.home.path("")).unwrap().flatten();
    let left = directory.filter(|entry| entry.file_name().to_string_lossy().ends_with(".new"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_textfile_does_not_follow_what_somebody_else_put_there() {
    let bench = Bench::new("links");
    let mut daemon = bench.daemon();
    daemon.until("vm.watermark_scale_factor = 20: done, was 10");
    let victim = bench.home.path("victim");
    fs::write(&victim, "only root may read this").unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
    let file = bench.home.path("textfile/adaptivemmd.prom");
    fs::create_dir(file.parent().unwrap()).unwrap();
    for name in ["adaptivemmd.prom", "adaptivemmd.prom.new"] {
        symlink(&victim, file.with_file_name(name)).unwrap();
    }

    let (code, _) = run(&bench, &["metrics", "--textfile", file.to_str().unwrap()]);

    let metadata = fs::metadata(&victim).unwrap();
    assert_eq!(
        (
            code,
            fs::read_to_string(&victim).unwrap().as_str(),
            metadata.permissions().mode() & 0o777
        ),
        (Some(0), "only root may read this", 0o600)
    );
    assert!(fs::symlink_metadata(&file).unwrap().is_file());
}

#[test]
fn where_no_daemon_answers_its_metrics_are_gone_and_it_is_down() {
    let bench = Bench::new("down");
    let file = bench.home.path("adaptivemmd.prom");
    let mut daemon = bench.daemon();
    daemon.until("vm.watermark_scale_factor = 20: done, was 10");
    let write = ["metrics", "--textfile", file.to_str().unwrap()];
    assert_eq!(run(&bench, &write).0, Some(0));
    let before = fs::read_to_string(&file).unwrap();
    daemon.send(rustix::process::Signal::KILL);
    let _killed = daemon.end();

    let written = run(&bench, &write).0;
    let (printed, text) = run(&bench, &["metrics"]);

    let down = "# HELP adaptivemmd_up 1 if the daemon answered.\n# TYPE adaptivemmd_up gauge\nadaptivemmd_up 0.0\n";
    assert!(before.contains("\nadaptivemmd_up 1.0\n"), "{before}");
    assert_eq!((written, printed), (Some(3), Some(3)));
    assert_eq!(fs::read_to_string(&file).unwrap(), down);
    assert!(text.starts_with(down), "{text}");
}

//! What a daemon leaves behind, and what can be asked while it runs and afterwards.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use crate::daemon::process::eventually;
use crate::faults::bench::Bench;

/// The log is below the machine that `--root` names.
fn log(bench: &Bench) -> PathBuf {
    let state_dir = bench.home.path("state/decisions.jsonl");
    bench.path(state_dir.to_str().unwrap().trim_start_matches('/'))
}

/// Lets a daemon decide until it says so.
fn run(bench: &Bench, until: &str) -> Vec<String> {
    let mut daemon = bench.daemon();
    let last = daemon.until(until);
    let (status, mut said) = daemon.terminate();
    assert!(status.success(), "{said:?}");
    said.push(last);
    said
}

fn explain(bench: &Bench, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = bench.command(&[&["explain"], arguments].concat()).output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    (status.code(), stdout, stderr)
}

fn records(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_decision_is_explained_while_the_daemon_runs_and_after_its_end() {
    let bench = Bench::new("explained");
    let mut daemon = bench.daemon();

    let line = daemon.until("vm.watermark_scale_factor = 40: done, was 20");
    let id = line
        .split("[decision ")
        .nth(1)
        .unwrap()
        .trim_end_matches(']');
    let running = eventually("the record of it", || {
        let (code, page, _) = explain(&bench, &[id]);
        (code == Some(0)).then_some(page)
    });
    daemon.terminate();
    let (code, ended, _) = explain(&bench, &[id]);

    let title = format!("Decision {id}: vm.watermark_scale_factor 20 -> 40, done\n");
    for page in [&running, &ended] {
        assert!(page.starts_with(&title), "{page}");
        assert!(page.contains("  the next step\n"), "{page}");
        assert!(
            page.contains("10, to be restored when the daemon ends"),
            "{page}"
        );
    }
    assert!(
        running.contains("not known yet: the daemon looks after eight scans"),
        "{running}"
    );
    assert_eq!(code, Some(0));
    assert!(ended.contains("ended before the time was over."), "{ended}");
}

#[test]
fn numbers_go_on_with_the_next_daemon_and_the_last_ones_are_listed() {
    let bench = Bench::new("numbers");
    run(&bench, "[decision 9]");
    let (_, json, _) = explain(&bench, &["--json"]);
    let latest = records(&json)
        .iter()
        .filter_map(|record| record["id"].as_u64())
        .max()
        .unwrap();

    let said = run(&bench, &format!("[decision {}]", latest + 1));
    let (code, list, _) = explain(&bench, &[]);

    assert!(
        !said.iter().any(|line| line.contains("[decision 1]")),
        "{said:?}"
    );
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with("  id "), "{list}");
    assert!(list.contains(&format!("\n  {}", latest + 1)), "{list}");
}

#[test]
fn the_records_say_what_was_asked_for_what_became_of_it_and_what_came_of_that() {
    let bench = Bench::new("records");
    run(&bench, "[decision 9]");

    let (code, json, _) = explain(&bench, &["1", "--json"]);

    assert_eq!(code, Some(0));
    let records = records(&json);
    let kinds: Vec<&Value> = records.iter().map(|record| &record["kind"]).collect();
    assert_eq!(kinds, ["decision", "aftermath"]);
    let decision = &records[0];
    assert_eq!(decision["boot_id"], "6f2b7f6c-6f0a-4a7e-8f2d-2f4a3c1d9e10");
    assert_eq!(
        (&decision["module"], &decision["reason"]),
        (&"steps".into(), &"the next step".into())
    );
    assert_eq!(records[1]["cut_short"], true);
}

#[test]
fn a_decision_that_there_is_not_is_named_with_those_that_there_are() {
    let bench = Bench::new("unknown");
    let before = explain(&bench, &["1"]);
    run(&bench, "[decision 3]");
    let after = explain(&bench, &["4711"]);

    let none = format!(
        "adaptivemmd: there is no decision 1 in {}; there are none\n",
        log(&bench).display()
    );
    assert_eq!(before, (Some(1), String::new(), none));
    assert_eq!((after.0, after.1.as_str()), (Some(1), ""));
    assert!(
        after.2.contains("there is no decision 4711 in ") && after.2.contains("; there are 1 to "),
        "{}",
        after.2
    );
}

#[test]
fn a_daemon_that_cannot_write_them_says_so_once_and_goes_on() {
    let bench = Bench::new("unwritable");
    let log = log(&bench);
    fs::create_dir_all(log.parent().unwrap().parent().unwrap()).unwrap();
    fs::write(log.parent().unwrap(), "in the way").unwrap();

    let said = run(&bench, "[decision 20]");

    let about = |line: &&String| line.contains("cannot write decisions to ");
    assert_eq!(said.iter().filter(about).count(), 1, "{said:?}");
}

#[test]
fn a_pipe_in_the_place_of_the_log_holds_nothing_up() {
    let bench = Bench::new("pipe");
    let log = log(&bench);
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    mknodat(CWD, &log, FileType::Fifo, Mode::RWXU, 0).unwrap();

    let said = run(&bench, "[decision 20]");

    let about = |line: &&String| {
        line.ends_with(
            "decisions.jsonl; `adaptivemmd explain` will not know them: it is not a regular file",
        )
    };
    assert_eq!(said.iter().filter(about).count(), 1, "{said:?}");
}

#[test]
fn a_simulation_leaves_nothing_behind() {
    let bench = Bench::new("simulated");
    let machine = bench.home.path("machine");
    let mut daemon = bench
        .home
        .start(&["--root", machine.to_str().unwrap(), "-s"]);

    daemon.until("[decision 2]");
    daemon.terminate();

    assert!(!log(&bench).parent().unwrap().exists());
}

#[test]
fn what_is_no_number_of_a_decision_is_answered_with_what_is_expected() {
    let bench = Bench::new("explain-abc");

    let (code, _, said) = explain(&bench, &["abc"]);

    assert_eq!(code, Some(2));
    assert!(
        said.contains(
            "expected the number of a decision, such as 17 of `[decision 17]` in the log"
        ),
        "{said}"
    );
}

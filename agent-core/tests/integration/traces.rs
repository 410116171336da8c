//! Replays: the same trace always tells the same, and a trace that is broken says so.

use std::fs;
use std::io::Write;
use std::process::Command;

use crate::outside::recording::{PERIOD, Recording};
use crate::outside::recordings;
use crate::outside::{DEFAULTS, Files, Run, adaptivemmd, machine, only_memleak, printed, tests};
use serde_json::Value;

/// Replays a text as a trace, and gives its own file the name `trace.jsonl` in what is said.
fn replay(trace: &str) -> Run {
    let files = Files::new(&[("trace.jsonl", trace)]);
    let config = only_memleak();
    let trace = files.path("trace.jsonl");
    let run = adaptivemmd(&["replay", &trace, "-c", &config.path("config.toml")]);
    let stderr = run.stderr.replace(&trace, "trace.jsonl");
    Run { stderr, ..run }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "test traces are read and written"
)]
fn the_traces_in_the_tree_are_what_the_builder_makes() {
    let is_update = std::env::var_os("UPDATE_TRACES").is_some();
    for (name, recording) in recordings::all() {
        let path = tests().join("traces").join(format!("{name}.jsonl"));
        if is_update {
            fs::write(&path, recording.text()).unwrap();
        }

        let text = fs::read_to_string(&path).unwrap();

        assert!(
            text == recording.text(),
            "{name}: see tests/traces/README.md"
        );
    }
}

#[test]
fn the_same_trace_gives_the_same_bytes() {
    for (_, recording) in recordings::all() {
        for options in [&["-vvvvv"][..], &["-vvvvv", "--json"]] {
            assert_eq!(recording.log("", options), recording.log("", options));
        }
    }
}

#[test]
fn when_a_trace_starts_makes_no_difference_to_what_is_found() {
    for (name, recording) in recordings::all() {
        let now = without_times(&recording, 0);

        assert_eq!(without_times(&recording, 86_400_000), now, "{name}");
        assert_eq!(without_times(&recording, 7), now, "{name}");
        assert!(!now.is_empty(), "{name}");
    }
}

/// The events of a trace that starts so much later, without their times, and without incidents, whose names have
/// one in them.
fn without_times(recording: &Recording, later: u64) -> Vec<Value> {
    let mut events = recording.shifted(later).events("");
    for event in &mut events {
        let event = event.as_object_mut().unwrap();
        let t_ms = event.remove("t_ms").unwrap();
        event.remove("incident");
        assert!(t_ms.as_u64().unwrap() >= later);
    }
    events
}

#[test]
fn a_compressed_trace_tells_the_same() {
    let tree = machine("kernel-6.18");
    let (files, config) = (Files::new(&[]), only_memleak());
    let traces = ["trace.jsonl", "trace.jsonl.zst"].map(|name| files.path(name));

    let logs = traces.map(|trace| {
        let record = ["record", "--root", &tree, "--frames", "1", &trace];
        let run = adaptivemmd(&record);
        assert_eq!(
            (run.code, run.stderr.as_str()),
            (Some(0), "adaptivemmd: 1 frame recorded\n")
        );
        printed(&["replay", "-vv", "-c", &config.path("config.toml"), &trace])
    });

    assert_eq!(logs[0], logs[1]);
    insta::assert_snapshot!(logs[0], @r"
    0.000 info memleak: 23.5 GiB of 23.5 GiB accounted for (free 17.7 GiB, page cache 4.4 GiB, programs 1.2 GiB, slab 248.9 MiB, other kernel 24.0 MiB); 14.2 MiB unaccounted (classic formula 104.8 MiB, baseline 104.8 MiB)
    ");
}

#[test]
fn a_file_that_disappears_and_comes_back_is_told_once_each() {
    let mut recording = Recording::new("");
    recording.scans(&[200_000, 200_000]);
    recording
        .without("proc/meminfo")
        .without("proc/meminfo")
        .without("proc/meminfo");
    recording.scans(&[200_000, 200_000]);

    insta::assert_snapshot!(recording.log("", &[]), @r"
    60.000 notice core: cannot read /proc/meminfo: No such file or directory; what depends on it is left out
    60.000 error memleak: unavailable: there is no /proc/meminfo
    150.000 info core: /proc/meminfo can be read again
    150.000 info memleak: recovered
    ");
}

#[test]
fn without_zoneinfo_only_the_exact_accounting_is_interrupted() {
    let mut recording = Recording::new("");
    recording.scans(&[200_000]);
    recording.without("proc/zoneinfo").without("proc/zoneinfo");
    recording.scans(&[410_000, 410_000]);

    insta::assert_snapshot!(recording.log("", &[]), @r"
    30.000 notice core: cannot read /proc/zoneinfo: No such file or directory; what depends on it is left out
    30.000 info memleak: Memory is not exactly accounted for: there is no /proc/zoneinfo; leaks are looked for with the classic formula only
    90.000 info core: /proc/zoneinfo can be read again
    90.000 info memleak: Memory is exactly accounted for again
    120.000 notice memleak: Possible sudden memory leak: unaccounted memory more than doubled within 3 scans, and stayed so, from 195.3 MiB to 400.4 MiB (+205.1 MiB) in 120 s; baseline 195.3 MiB; the exact accounting confirms it (144.5 MiB -> 349.6 MiB)
    ");
}

#[test]
fn a_file_that_stays_away_is_mentioned_once_an_hour() {
    let mut recording = Recording::new("");
    recording.scans(&[200_000]);
    for _ in 0..=3_600_000 / PERIOD {
        recording.without("proc/meminfo");
    }

    insta::assert_snapshot!(recording.log("", &[]), @r"
    30.000 notice core: cannot read /proc/meminfo: No such file or directory; what depends on it is left out
    30.000 error memleak: unavailable: there is no /proc/meminfo
    3630.000 error memleak: unavailable: there is no /proc/meminfo (and 119 more times since last logged)
    ");
}

#[test]
fn a_truncated_last_line_is_left_out_with_a_warning() {
    let whole = recordings::slow().text().to_owned();
    let cut = replay(&whole[..whole.len() - 40]);
    let without = replay(&whole[..=whole.trim_end().rfind('\n').unwrap()]);

    assert_eq!(cut.code, Some(0));
    assert_eq!(cut.stdout, without.stdout);
    assert_eq!(without.stderr, "");
    insta::assert_snapshot!(cut.stderr, @r"adaptivemmd: trace.jsonl: skipped the last line, which was cut off");
}

#[test]
fn a_malformed_line_is_an_error_that_names_file_and_line() {
    let whole = recordings::sudden().text().to_owned();
    let third = whole.match_indices('\n').nth(1).unwrap().0 + 1;

    let run = replay(&format!("{}nonsense\n{}", &whole[..third], &whole[third..]));

    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(run.stderr, @r"adaptivemmd: trace.jsonl: line 3: not a frame: expected ident at column 2");
}

#[test]
fn what_was_seen_before_a_malformed_line_is_still_told() {
    let whole = recordings::slow().text().to_owned();

    let run = replay(&format!("{whole}nonsense\n"));

    assert_eq!(run.code, Some(1));
    assert_eq!(run.stdout, recordings::slow().log("", &[]));
}

#[test]
fn a_file_that_is_no_trace_is_refused() {
    let no_traces = [
        "",
        "MemTotal:       24684092 kB\n",
        "{\"format\":\"pcap\",\"version\":1}\n",
        "{\"format\":\"adaptivemm-trace\",\"version\":2}\n",
        "{\"format\":\"adaptivemm-trace\",\"version\":1,\"period_ms\":0}\n",
        "{\"format\":\"adaptivemm-trace\",\"version\":1,\"page_size\":0}\n",
    ];

    let runs = no_traces.map(replay);

    assert!(
        runs.iter()
            .all(|run| run.code == Some(1) && run.stdout.is_empty())
    );
    insta::assert_snapshot!(runs.map(|run| run.stderr).concat(), @r#"
    adaptivemmd: trace.jsonl: line 1: the trace is empty
    adaptivemmd: trace.jsonl: line 1: a trace starts with {"format":"adaptivemm-trace","version":1,...}: expected value at column 1
    adaptivemmd: trace.jsonl: line 1: expected the format "adaptivemm-trace", found "pcap"
    adaptivemmd: trace.jsonl: line 1: expected version 1 or older, found 2
    adaptivemmd: trace.jsonl: line 1: expected a period_ms of at least 1
    adaptivemmd: trace.jsonl: line 1: expected a page_size that is a power of two of at least 1024, found 0
    "#);
}

#[test]
fn a_trace_that_is_small_and_holds_gigabytes_is_refused_before_it_takes_them() {
    let files = Files::new(&[]);
    let trace = files.path("trace.jsonl.zst");
    let mut bomb = zstd::Encoder::new(fs::File::create(&trace).unwrap(), 1).unwrap();
    let text = "A".repeat(15_000_000);
    writeln!(bomb, r#"{{"format":"adaptivemm-trace","version":1}}"#).unwrap();
    for i in 0..60 {
        writeln!(bomb, r#"{{"t_ms":{i},"files":{{"proc/x{i}":"{text}"}}}}"#).unwrap();
    }
    bomb.finish().unwrap();
    let config = only_memleak();

    // With less memory than the files have.
    let run = Command::new("sh")
        .args(["-c", "ulimit -v 600000 && exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_adaptivemmd"))
        .args(["replay", &trace, "-c", &config.path("config.toml")])
        .output()
        .unwrap();

    assert!(fs::metadata(&trace).unwrap().len() < 200_000);
    let said = String::from_utf8_lossy(&run.stderr).replace(&trace, "trace");
    assert_eq!(
        (run.status.code(), said.as_str()),
        (
            Some(1),
            "adaptivemmd: trace: line 6: the files of the machine have more than 64 MiB together\n"
        )
    );
}

#[test]
fn a_trace_that_is_not_there_is_an_error() {
    let missing = Files::new(&[]).path("nothing.jsonl");
    let run = adaptivemmd(&["replay", &missing, "-c", DEFAULTS]);

    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(run.stderr.replace(&missing, "nothing.jsonl"), @r"
    adaptivemmd: nothing.jsonl: cannot read the trace: No such file or directory
    ");
}

/// A recorded machine of which nothing is known but these files, which do not exist if there is no text.
fn known(files: &[(&str, Option<&str>)]) -> Files {
    let header = r#"{"format":"adaptivemm-trace","version":1,"period_ms":1000}"#;
    let map: serde_json::Map<String, Value> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).into()))
        .collect();
    let frame = serde_json::json!({ "t_ms": 0, "files": map });
    Files::new(&[("trace.jsonl", &format!("{header}\n{frame}\n"))])
}

fn replayed(trace: &Files, options: &[&str]) -> Run {
    let path = trace.path("trace.jsonl");
    let command = [&["replay", &path, "-c", DEFAULTS], options].concat();
    adaptivemmd(&command)
}

const MEMINFO: (&str, Option<&str>) = (
    "proc/meminfo",
    Some("MemTotal: 1000000 kB\nMemFree: 500000 kB\nMemAvailable: 600000 kB\n"),
);

#[test]
fn what_a_trace_never_held_is_no_error_and_no_fact_of_the_kernel() {
    let trace = known(&[MEMINFO]);

    let run = replayed(&trace, &[]);

    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(run.stdout, @"0.000 info memleak: Memory is not exactly accounted for: there is no /proc/vmstat; leaks are looked for with the classic formula only");
}

#[test]
fn what_was_left_out_is_told_to_whoever_asks_for_more() {
    let trace = known(&[MEMINFO]);

    let said = replayed(&trace, &["-v"]).stdout;

    for line in [
        "debug core: the trace does not contain /proc/buddyinfo; what depends on it is left out",
        "debug compaction: unavailable: there is no /proc/zoneinfo; the trace does not contain /proc/zoneinfo, /proc/buddyinfo",
        "debug free-pages: skipped: the trace does not contain /proc/sys/vm/watermark_scale_factor",
    ] {
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn what_a_trace_says_not_to_exist_was_missing_on_that_machine() {
    let trace = known(&[
        MEMINFO,
        ("proc/zoneinfo", None),
        ("proc/buddyinfo", None),
        ("proc/vmstat", None),
        ("proc/pressure/memory", None),
        ("proc/sys/vm/watermark_scale_factor", None),
    ]);

    let said = replayed(&trace, &[]).stdout;

    for line in [
        "notice core: cannot read /proc/buddyinfo: No such file or directory",
        "error compaction: unavailable: there is no /proc/zoneinfo",
        "info free-pages: this kernel has no vm.watermark_scale_factor",
    ] {
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn a_module_that_is_named_runs_alone_even_if_it_is_disabled_and_says_what_it_misses() {
    let trace = known(&[MEMINFO]);

    let run = replayed(
        &trace,
        &["--module", "cache-pressure", "--module", "compaction"],
    );

    let said: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(run.code, Some(0));
    assert!(said.len() >= 2, "{said:?}");
    assert!(
        said.iter()
            .any(|line| line.contains("notice compaction: unavailable: ")),
        "{said:?}"
    );
    assert!(
        said.iter()
            .all(|line| line.contains(" cache-pressure: ") || line.contains(" compaction: ")),
        "{said:?}"
    );
}

#[test]
fn a_module_that_there_is_not_is_an_error() {
    let trace = known(&[MEMINFO]);

    let run = replayed(&trace, &["--module", "memlaek"]);

    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(run.stderr, @r"
    adaptivemmd: --module memlaek: there is no module of this name; did you mean `memleak`?
    ");
}

#[test]
fn a_module_that_is_named_is_told_apart_from_a_kernel_without_its_tunable() {
    let trace = known(&[MEMINFO]);

    let said = replayed(&trace, &["--module", "free-pages"]).stdout;

    let first = said.lines().next().unwrap_or_default();
    assert!(said.contains("notice free-pages: the trace does not contain /proc/sys/vm/watermark_scale_factor: the module sees a kernel without it"), "{first}");
}

#[test]
fn programs_learn_of_a_module_that_is_named_and_cannot_work() {
    let trace = known(&[("proc/vmstat", Some("nr_free_pages 1\n"))]);

    let run = replayed(&trace, &["--module", "compaction", "--json"]);

    assert_eq!(run.code, Some(0));
    assert!(
        run.stderr
            .starts_with("adaptivemmd: compaction: unavailable: there is no "),
        "{run:?}"
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "test traces are read")]
fn the_end_of_what_was_not_told_is_not_told_either() {
    let header = r#"{"format":"adaptivemm-trace","version":1,"period_ms":1000}"#;
    let slow = fs::read_to_string(tests().join("traces/slow.jsonl")).unwrap();
    let frame = slow.lines().nth(1).unwrap();
    let second = frame.replace("\"t_ms\":0", "\"t_ms\":1000");
    let trace = Files::new(&[(
        "trace.jsonl",
        &format!("{header}\n{{\"t_ms\":0,\"files\":{{}}}}\n{second}\n"),
    )]);

    let said = replayed(&trace, &[]).stdout;

    assert!(
        !said.contains(" again") && !said.contains("recovered"),
        "{said}"
    );
    assert!(
        replayed(&trace, &["-v"])
            .stdout
            .contains("/proc/meminfo can be read again")
    );
}

#[test]
fn a_trace_without_a_frame_is_an_error() {
    let header = r#"{"format":"adaptivemm-trace","version":1,"period_ms":1000}"#;

    let run = replay(&format!("{header}\n"));

    assert_eq!(
        (run.code, run.stderr.as_str()),
        (Some(1), "adaptivemmd: trace.jsonl contains no frame\n")
    );
}

#[test]
fn a_replay_that_cannot_be_written_is_an_error() {
    let slow = tests().join("traces/slow.jsonl");
    for options in [&[][..], &["--json"]] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_adaptivemmd"))
            .args(["replay", "-c", DEFAULTS])
            .arg(&slow)
            .args(options)
            .stdout(full)
            .output()
            .unwrap();

        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("cannot write to standard output: No space left on device"),
            "{said}"
        );
    }
}

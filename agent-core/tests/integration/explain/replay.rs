//! A replay decides as the daemon did, and explains it.

use std::fmt::Write;
use std::fs;

use serde_json::Value;

use crate::faults::bench::Bench;

/// A machine that runs short of free memory, and recovers from scan 5 on. A scan every 30 s.
fn trace(bench: &Bench) -> String {
    let mut text = String::from(
        "{\"format\":\"adaptivemm-trace\",\"version\":1,\"kernel\":\"6.1\",\"arch\":\"x86_64\",\"page_size\":4096,\
         \"period_ms\":30000}\n",
    );
    for scan in 0..14_u64 {
        let (free, stalls) = if scan < 5 {
            (50_000 - scan * 9_000, scan * 300)
        } else {
            (60_000, 1500)
        };
        let files = serde_json::json!({
            "proc/sys/vm/watermark_scale_factor": "10\n",
            "proc/sys/vm/vfs_cache_pressure": "100\n",
            "proc/sys/fs/negative-dentry-limit": "5\n",
            "proc/vmstat": format!("allocstall_normal {stalls}\npgsteal_direct {}\npgsteal_kswapd {}\n", stalls * 32, scan * 900),
            "proc/pressure/memory": format!("some avg10=0.00 avg60=0.00 avg300=0.00 total={}\n", stalls * 1000),
            "proc/zoneinfo": format!("Node 0, zone   Normal\n  pages free     {free}\n        min      100\n        low      200\n        high     300\n"),
            "proc/buddyinfo": format!("Node 0, zone   Normal {free} {scan} 0\n"),
        });
        let frame = serde_json::json!({ "t_ms": scan * 30_000, "files": files });
        writeln!(text, "{frame}").unwrap();
    }
    let path = bench.home.path("trace.jsonl");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn replay(bench: &Bench, trace: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let command = [&["replay", trace], arguments].concat();
    let output = bench.home.command(&command).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn a_replayed_decision_is_explained_to_the_letter_each_time() {
    let bench = Bench::new("replayed");
    let trace = trace(&bench);

    let first = replay(&bench, &trace, &["--explain", "5"]);
    let second = replay(&bench, &trace, &["--explain", "5"]);

    assert_eq!(first, second);
    assert_eq!(first.0, Some(0));
    insta::assert_snapshot!(first.1, @r#"
    Decision 5: fs.negative-dentry-limit 5 -> 6, done

      why         the next step
      afterwards  better since (allocation stalls 10.0/s before, 5.0/s since)
      outcome     done, was 5
      original    5, to be restored when the daemon ends
      when        30 s after boot
      module      steps

    What it weighed and rejected
      the module did not say

    What steps saw, scan by scan
      it named no numbers

    How the machine did meanwhile, in pages of 4.0 KiB
      seconds before  free, node 0  stalls/s  direct/s  kswapd/s  some %  full %
      30.0                   50000         ?         ?         ?       ?       ?
      0                      41000      10.0     320.0      30.0     1.0       ?
      node 0: low watermark 200, high watermark 300
      stalls: allocations that had to reclaim memory first; direct, kswapd: pages that were reclaimed by
      programs and in the background; some, full: of the time, in which tasks waited for memory (PSI)

    What happened afterwards
                                        30 s before  4 min 0 s since
      allocation stalls per second             10.0              5.0
      direct reclaim, pages per second        320.0            160.0
      kswapd reclaim, pages per second         30.0             30.0
      compaction stalls per second                ?                ?
      PSI some, % of the time                   1.0            0.500
      PSI full, % of the time                     ?                ?
      node 0: free, pages                     41000            60000
      node 0: low watermark, pages              200              200
      node 0: high watermark, pages             300              300

      free blocks of order      0  1  2
      node 0, before        41000  1  0
      node 0, since         60000  9  0

      fs.negative-dentry-limit was 7 at the end of this time.
      Other decisions changed something in the same time: 1, 2, 3, 4, 6, 7, 8, 9 and more. Nobody can tell their effects apart.
    "#);
}

#[test]
fn the_log_tells_of_the_decision_and_then_of_what_came_of_it() {
    let bench = Bench::new("told");
    let trace = trace(&bench);

    let (_, log) = replay(&bench, &trace, &["-v"]);

    let about = log.lines().filter(|line| line.contains("[decision 5]"));
    insta::assert_snapshot!(about.collect::<Vec<_>>().join("\n"), @r#"
    30.000 notice steps: fs.negative-dentry-limit = 6: done, was 5 (the next step) [decision 5]
    270.000 info steps: fs.negative-dentry-limit = 6, 240 s later: allocation stalls 10.0/s before, 5.0/s since; direct reclaim 320.0 pages/s before, 160.0 pages/s since; PSI some 1.0 % before, 0.5 % since; background reclaim 30.0 pages/s before, 30.0 pages/s since; free on node 0 41000 pages before, 60000 since [decision 5]
    "#);
}

/// Of a window, only its first number.
fn brief(mut event: Value) -> Value {
    for window in ["before", "after"] {
        if let Some(window) = event.get_mut(window) {
            *window = window["allocation_stalls_per_second"].take();
        }
    }
    event
}

#[test]
fn programs_are_told_the_same() {
    let bench = Bench::new("events");
    let trace = trace(&bench);

    let (_, json) = replay(&bench, &trace, &["--json"]);

    let events = json.lines().map(serde_json::from_str::<Value>);
    let about = events
        .map(Result::unwrap)
        .filter(|event| event["decision"] == 5);
    let shown: Vec<String> = about.map(|event| brief(event).to_string()).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    {"t_ms":30000,"module":"steps","kind":"action","code":"done","severity":"notice","text":"fs.negative-dentry-limit = 6: done, was 5","tunable":"fs.negative-dentry-limit","value":6,"decision":5}
    {"t_ms":270000,"module":"steps","kind":"aftermath","code":"better","severity":"info","text":"allocation stalls 10.0/s before, 5.0/s since; direct reclaim 320.0 pages/s before, 160.0 pages/s since; PSI some 1.0 % before, 0.5 % since; background reclaim 30.0 pages/s before, 30.0 pages/s since; free on node 0 41000 pages before, 60000 since","decision":5,"before":10.0,"after":5.0}
    "#);
}

#[test]
fn a_replay_names_the_decisions_that_there_are() {
    let bench = Bench::new("no-such");
    let trace = trace(&bench);

    let (code, said) = replay(&bench, &trace, &["--explain", "999"]);

    assert_eq!(code, Some(1));
    assert!(
        said.starts_with("adaptivemmd: there is no decision 999; there are 1 to "),
        "{said}"
    );
}

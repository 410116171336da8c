//! How long it takes to replay a week, with the program itself.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::table::Row;
use crate::{tree, week};

const PROGRAM: &str = env!("CARGO_BIN_EXE_adaptivemmd");

/// Seconds of CPU time.
const TARGET: f64 = 5.0;

pub(crate) fn rows() -> Vec<Row> {
    let directory = TempDir::new().unwrap();
    let trace = directory.path().join("week.jsonl.zst");
    let bytes = week::write(&trace);
    let before = children();
    let (is_good, _) = replay(&trace, &[]);
    let time = children() - before;
    let what = format!(
        "CPU time to replay a week ({} frames, {} MB)",
        week::FRAMES,
        bytes / 1_000_000
    );
    let mut is_met = is_good && time < TARGET;
    // To be fast because of a frame that cannot be read would be no merit.
    let (is_good, lines) = replay(&trace, &["--verbose", "--verbose"]);
    is_met &= is_good && lines == week::FRAMES;
    let result = format!("{time:.2} s ({lines} frames have a status)");
    vec![Row::new(&what, "under 5 s", result, is_met)]
}

/// Whether it went well, and how many lines memleak wrote.
fn replay(trace: &Path, options: &[&str]) -> (bool, u64) {
    let mut program = Command::new(PROGRAM);
    program.args(["replay", "-c", "/dev/null"]);
    program.args(options).arg(trace);
    let mut child = program.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines = lines.map_while(Result::ok);
    let count = lines.filter(|line| line.contains(" memleak: ")).count() as u64;
    (child.wait().unwrap().success(), count)
}

/// User and system time of all processes that we have waited for, in seconds.
#[expect(clippy::cast_precision_loss, reason = "some seconds in ticks")]
fn children() -> f64 {
    let stat = tree::live("proc/self/stat");
    // The name of the program is in parentheses, and may hold blanks.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    // Fields 16 and 17 of proc_pid_stat(5); these are from the third on.
    let ticks = fields.split(' ').skip(16 - 3).take(2);
    let ticks: u64 = ticks.map(|field| field.parse::<u64>().unwrap()).sum();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

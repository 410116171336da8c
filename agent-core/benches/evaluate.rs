//! How well the leak detection does on labelled traces of real kernels.
//!
//! `cargo bench -p adaptivemmd --bench evaluate -- tests/traces/corpus` prints a table, and fails if precision or recall
//! of warnings is below 0.95. With `--only WORD` it replays those whose name has this word in it.
#![allow(clippy::print_stdout, reason = "the tables are the result")]

#[path = "../tests/integration/evaluation/mod.rs"]
mod evaluation;

use std::path::Path;
use std::process::ExitCode;

use evaluation::Score;

/// Of warnings, both of precision and of recall.
const TARGET: f64 = 0.95;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/traces/corpus");

fn main() -> ExitCode {
    let mut directory = None;
    let mut only = String::new();
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        if argument == "--only" {
            only = arguments.next().unwrap_or_default();
        } else {
            // As seen from where cargo was called, though it calls from elsewhere.
            let from_top = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(&argument);
            directory = Some(if from_top.exists() {
                from_top
            } else {
                argument.into()
            });
        }
    }
    let directory = directory.unwrap_or_else(|| CORPUS.into());
    let runs = evaluation::evaluate(&directory, |label| label.file.contains(&only));
    println!(
        "{}\n\n{}",
        evaluation::runs(&runs),
        evaluation::classes(&runs)
    );
    let score = Score::of(&runs);
    if score.precision() >= TARGET && score.recall() >= TARGET {
        ExitCode::SUCCESS
    } else {
        println!("missed: both have to be {TARGET}");
        ExitCode::FAILURE
    }
}

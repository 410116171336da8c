//! What the leak detection makes of real kernels that lose memory, or only use it.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

mod evaluation;

use std::path::Path;

use evaluation::{Label, Score, evaluate};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/traces/corpus");

/// Those that are replayed at every change; the benchmark `evaluate` takes all.
fn is_of_a_live_machine(label: &Label) -> bool {
    label.file.starts_with("live-")
}

#[test]
#[expect(clippy::print_stdout, reason = "shown if it fails")]
fn what_leaks_is_found_and_what_does_not_is_left_alone() {
    let runs = evaluate(Path::new(CORPUS), is_of_a_live_machine);

    println!(
        "{}\n\n{}",
        evaluation::runs(&runs),
        evaluation::classes(&runs)
    );
    let score = Score::of(&runs);
    assert!(
        score.leaks + score.slower >= 1 && score.benign >= 4,
        "{score:?}"
    );
    assert_eq!(score.false_incidents, 0);
    assert_eq!((score.found, score.noted), (score.leaks, score.slower));
}

//! What the leak detection makes of real kernels that lose memory, or only use it.

use crate::evaluation;
use std::path::Path;

use crate::evaluation::{Score, evaluate};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/traces/corpus");

#[test]
#[expect(clippy::print_stdout, reason = "shown if it fails")]
fn what_leaks_is_found_and_what_does_not_is_left_alone() {
    let runs = evaluate(Path::new(CORPUS), |_| true);

    println!(
        "{}\n\n{}",
        evaluation::runs(&runs),
        evaluation::classes(&runs)
    );
    let score = Score::of(&runs);
    assert!(
        score.leaks + score.slower >= 25 && score.benign >= 30,
        "{score:?}"
    );
    assert_eq!(score.false_incidents, 0);
    assert_eq!(score.noted, score.slower);
    // Slab memory that grows at once may be in use: no detector looks for that, and one trace has it.
    assert_eq!(score.leaks - score.found, 1, "{score:?}");
}

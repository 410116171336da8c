//! The words of modules: in order, and not too many.

use agent_core::scan::Threads;

use crate::bus::bench::{AMPLE, BOTH, Bench};

#[test]
fn the_log_is_in_the_order_of_names_whoever_answers_first() {
    let config = format!(
        "{AMPLE}[modules.zealous]\nenabled = true\n[modules.zealous.config]\ngate = 4\n\
         [modules.waiting]\nenabled = true\n[modules.waiting.config]\nscans = 100\ngate = 4\n\
         [modules.good]\nenabled = true\n"
    );
    let mut bench = Bench::new(Threads::OnePerModule, &config);

    let log = bench.scan();

    assert_eq!(
        log,
        "notice good: call 1, scan 1, tag 0\n\
         notice waiting: seen in scan 1\n\
         notice zealous: seen in scan 1\n"
    );
}

#[test]
fn a_flood_is_cut_short_and_cannot_forge_a_line() {
    for threads in BOTH {
        let mut bench = Bench::new(
            threads,
            &format!("{AMPLE}[modules.flooding]\nenabled = true"),
        );
        bench.journal.set_verbosity(5);

        let log = bench.scan();

        let is_told = |line: &&str| {
            line.contains("flooding: word ") || line.contains("exceeded the output limit")
        };
        let (output, flood): (Vec<_>, Vec<_>) = log.lines().partition(is_told);
        let mut expected: Vec<_> = (1..64)
            .map(|number| format!("info flooding: word {number} "))
            .collect();
        expected.push(
            "warning flooding: exceeded the output limit; 9936 messages dropped in this scan"
                .to_owned(),
        );
        assert_eq!(output, expected);
        // Of metrics that have no good name one is told, whatever their number.
        let refused = flood
            .iter()
            .filter(|line| line.contains(" is not published: "));
        assert_eq!(refused.count(), 1, "{flood:?}");
        let is_ours = |line: &&str| line.split_once(" flooding: ").is_some();
        assert!(flood.iter().all(is_ours), "{flood:?}");
        assert!(flood.iter().all(|line| line.len() < 2100), "{flood:?}");
        assert!(log.len() < 200 << 10, "{} bytes", log.len());
        assert!(!log.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'));
    }
}

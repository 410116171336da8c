//! Panics of all kinds, at all times.

use crate::containment::bench::{AMPLE, BOTH, Bench, modules};

/// A text without its line and column numbers.
fn without_numbers(text: &str) -> String {
    let place = text.find(".rs:").map_or(text.len(), |dot| dot + 4);
    let (before, after) = text.split_at(place);
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
    format!("{before}{after}")
}

#[test]
fn a_panic_with_any_payload_costs_the_module_and_says_file_and_line() {
    let messages = [
        ("panic-str", " a text"),
        ("panic-string", " a string: formatted  [2J  "),
        ("panic-number", ""),
        ("panic-drop", ""),
        ("panic-after-words", " after words"),
    ];
    for isolation in BOTH {
        for (mode, message) in messages {
            let config = modules(
                isolation,
                AMPLE,
                &format!("mode = \"{mode}\"\nfrom-scan = 2"),
            );
            let mut bench = Bench::new(&config);

            let log = bench.scans(3);

            let text = format!("broke down: panicked at tests/chaos/src/panics.rs:{message}");
            let expected = match isolation {
                "none" => format!(
                    "error chaos: quarantined for 60 s, or until a reload (SIGHUP): {text}\n"
                ),
                _ => format!("error chaos: {text}; it is started again\n"),
            };
            assert_eq!(
                (log[0].as_str(), without_numbers(&log[1]), log[2].as_str()),
                ("", expected, ""),
                "{mode} {isolation}"
            );
            assert_eq!(bench.tunable(), "10");
        }
    }
}

#[test]
fn a_panic_while_it_is_created_costs_the_module_only() {
    for isolation in BOTH {
        for mode in ["create-panic", "create-panic-drop"] {
            let mut bench = Bench::new(&modules(isolation, AMPLE, &format!("mode = \"{mode}\"")));

            let log = bench.scan();

            let place = "broke down while it was created: panicked at tests/chaos/src/panics.rs:";
            assert!(log.contains(place), "{log}");
        }
    }
}

#[test]
fn a_panic_when_it_is_destroyed_is_of_no_consequence() {
    for isolation in BOTH {
        for mode in ["destroy-panic", "destroy-panic-drop"] {
            let mut bench = Bench::new(&modules(isolation, AMPLE, &format!("mode = \"{mode}\"")));
            bench.scan();

            bench.reload(&modules(isolation, AMPLE, "mode = \"none\""));
            let log = bench.scans(2);

            assert_eq!(log, ["", ""]);
        }
    }
}

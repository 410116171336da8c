use std::path::Path;

use super::*;
use crate::config::schema::all_keys;
use crate::config::tests::memleak;

/// All diagnostics of a file as they are displayed, and what it sets.
fn reading(text: &str) -> (Vec<String>, Vec<String>) {
    let modules = [memleak()];
    let document = Document::new(Path::new("f"), text.into());
    let keys = all_keys(&modules);
    let said = Reader::new(&document, Layer::Native, &keys, &modules, &[]).read();
    (
        said.diagnostics.iter().map(ToString::to_string).collect(),
        said.assignments
            .iter()
            .map(|a| format!("{} = {}", a.path, a.content))
            .collect(),
    )
}

/// The headline and the hint of the only diagnostic.
fn complaint(text: &str) -> String {
    let (said, _) = reading(text);
    assert_eq!(said.len(), 1, "{text:?}: {said:#?}");
    let lines: Vec<_> = said[0].lines().collect();
    let hint = lines
        .last()
        .map_or("", |line| line.trim_start_matches([' ', '|', '^']));
    format!("{} [{hint}]", lines[0])
}

#[test]
fn an_error_shows_the_line_and_what_was_meant() {
    let (said, _) = reading("[core]\nverbosity = 1\naggresiveness = 3\n");

    assert_eq!(
        said,
        [
            "f:3:1: error: unknown setting `aggresiveness` in `[core]`\n    \
          3 | aggresiveness = 3\n      \
          | ^^^^^^^^^^^^^ did you mean `aggressiveness`?"
        ]
    );
}

#[test]
fn every_error_of_a_file_is_reported_in_the_order_of_lines() {
    let (said, set) = reading(
        "ENABLE_MEMLEAK_CHECK = 2\n[modules.memleak]\nmod = 1\n[core]\nverbosity = 9\nmax-late = 010\n\
         log-target = yes\naggressiveness = 3\nmax-late = 4\n",
    );

    let heads: Vec<_> = said
        .iter()
        .map(|each| each.lines().next().unwrap())
        .collect();
    assert_eq!(
        heads,
        [
            "f:1:24: error: `ENABLE_MEMLEAK_CHECK` must be 0, 1, true or false, found 2",
            "f:3:1: error: unknown setting `mod` in `[modules.memleak]`",
            "f:5:13: error: `verbosity` must be a whole number from 0 to 5, found 9",
            "f:6:12: error: unexpected leading zero, expected nothing",
            "f:7:14: error: string values must be quoted, expected literal string",
            "f:9:1: error: duplicate key",
        ]
    );
    assert_eq!(set, ["core.aggressiveness = 3"]);
}

#[test]
fn a_broken_header_is_one_error() {
    assert_eq!(
        complaint("[core\nverbosity = 1\n\n[modules.memleak]\nenabled = true\n"),
        "f:1:6: error: unclosed table, expected `]` []"
    );
}

#[test]
fn what_the_parser_made_of_a_broken_line_is_not_taken() {
    let (said, set) = reading("[core]\nsyslog-socket = \"/dev/lo\nruntime-dir = \"/run/x\"\n");

    assert_eq!(said.len(), 1, "{said:#?}");
    assert_eq!(set, ["core.runtime-dir = \"/run/x\""]);
}

#[test]
fn what_was_expected_and_what_was_found_is_said() {
    for (text, expected) in [
        (
            "core = 5",
            "1:1: error: `core` must be a table, found 5 [write `[core]` on a line of its own]",
        ),
        (
            "[[core]]",
            "1:3: error: `core` must be a table, found an array [write `[core]` on a line of its own]",
        ),
        (
            "[core]\nperiod-secs = 0",
            "2:15: error: `period-secs` must be a number from 0.1 to 3600, found 0 []",
        ),
        (
            "[core]\nperiod-secs = nan",
            "2:15: error: `period-secs` must be a number from 0.1 to 3600, found nan []",
        ),
        (
            "[core]\nverbosity = \"5\"",
            "2:13: error: `verbosity` must be a whole number from 0 to 5, found the string \"5\" [without the quotes]",
        ),
        (
            "[core]\nverbosity = 99999999999999999999",
            "2:13: error: `verbosity` must be a whole number from 0 to 5, found 99999999999999999999 []",
        ),
        (
            "[core]\nlog-target = \"file\"",
            "2:14: error: `log-target` must be one of \"auto\", \"syslog\", \"journal\", \"stderr\", found the string \"file\" []",
        ),
        (
            "[core]\nruntime-dir = \"run\"",
            "2:15: error: `runtime-dir` must be an absolute path in quotes, found the string \"run\" []",
        ),
        (
            "[modules.memleak]\nenabled = 1",
            "2:11: error: `enabled` must be true or false, found 1 [1 is true and 0 is false]",
        ),
        (
            "[modules.memleak]\nisolation = true",
            "2:13: error: `isolation` must be one of \"none\", \"process\", found true []",
        ),
        (
            "[modules.memleak]\npath = \"memleak.so\"",
            "2:8: error: `path` must be an absolute path in quotes, found the string \"memleak.so\" []",
        ),
        (
            "[modules.memleak]\nallow = [1]",
            "2:9: error: `allow` must be an array of strings, found an array []",
        ),
        (
            "[modules.memleak]\nconfig = 2020-01-01",
            "2:1: error: `modules.memleak.config` must be a table, found the date 2020-01-01 [write `[modules.memleak.config]` on a line of its own]",
        ),
    ] {
        assert_eq!(complaint(text), format!("f:{expected}"));
    }
}

#[test]
fn a_misplaced_or_unknown_key_says_where_to_go() {
    for (text, hint) in [
        ("max-late = 3", "it belongs in `[core]`"),
        (
            "[core]\nENABLE_MEMLEAK_CHECK = 1",
            "it belongs at the top of the file, before the first table",
        ),
        ("VERBOSE = 3", "it belongs in `[core]` as `verbosity`"),
        (
            "[modules.memleak]\nclassic = true",
            "it belongs in `[modules.memleak.config]`",
        ),
        (
            "[modules.memleak.config]\nmode = \"advise\"",
            "it belongs in `[modules.memleak]`",
        ),
        (
            "[modules.memleak]\nsandbox = true",
            "there is: enabled, mode, path, isolation, deadline-ms, allow",
        ),
        (
            "[module.memleak]\nenabled = true",
            "did you mean `modules`?",
        ),
    ] {
        let complaint = complaint(text);
        assert!(
            complaint.contains(": error: unknown setting"),
            "{complaint}"
        );
        assert!(complaint.ends_with(&format!("[{hint}]")), "{complaint}");
    }
}

#[test]
fn a_module_that_is_not_installed_is_a_warning_unless_it_is_a_slip() {
    for (text, expected) in [
        (
            "[modules.free-pages]\nx = 1",
            "1:10: warning: module `free-pages` is not installed; its settings have no effect []",
        ),
        (
            "ENABLE_COMPACTION = 1",
            "1:1: warning: module of flag `ENABLE_COMPACTION` is not installed; its settings have no effect []",
        ),
        (
            "[modules.memlaek]\nx = 1",
            "1:10: error: there is no module `memlaek` [did you mean `memleak`?]",
        ),
    ] {
        assert_eq!(complaint(text), format!("f:{expected}"));
    }
}

#[test]
fn a_flag_and_a_key_that_disagree_are_an_error() {
    let text =
        |flag: &str| format!("ENABLE_MEMLEAK_CHECK = {flag}\n[modules.memleak]\nenabled = true\n");

    assert_eq!(reading(&text("1")).0, [""; 0]);
    assert_eq!(
        complaint(&text("0")),
        "f:3:1: error: `modules.memleak.enabled` is true here but false at f:1:1 \
         [the flag means the same: keep one of the two]"
    );
}

#[test]
fn a_float_may_be_written_as_an_integer() {
    let (said, set) = reading("[modules.memleak.config]\nmin-growth-percent = 0x10\n");

    assert_eq!(said, [""; 0]);
    assert_eq!(set, ["modules.memleak.config.min-growth-percent = 16.0"]);
}

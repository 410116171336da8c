//! Texts that are not fit for a log, and requests that are not fit to be done.

use adaptivemm_module_api::units::Uptime;
use agent_core::modules::output::ModuleOutput;

use crate::containment::bench::{AMPLE, BOTH, Bench, modules};

/// All that is said in the first scan, and the log of it.
fn said(mode: &str, isolation: &str) -> (ModuleOutput, String, String) {
    let config = modules(isolation, AMPLE, &format!("mode = \"{mode}\""));
    let log = Bench::new(&config).scan();
    let mut bench = Bench::new(&config);
    let round = bench.agent.scan(Uptime(bench.step));
    let chaos = round.handles.iter().find(|handle| handle.name() == "chaos");
    let output = chaos.unwrap().output().clone();
    (output, log, bench.tunable())
}

/// Here and in a process of its own it is the same to the letter.
fn said_anywhere(mode: &str) -> (ModuleOutput, String, String) {
    let [here, apart] = BOTH.map(|isolation| said(mode, isolation));
    let is_same = format!("{here:?}") == format!("{apart:?}");
    assert!(is_same, "{mode}: {:?}", apart.0.problems);
    here
}

fn texts(output: &ModuleOutput) -> Vec<&str> {
    let findings = output.findings.iter();
    let findings = findings.flat_map(|f| [&f.code, &f.text, &f.details]);
    let requests = output.requests.iter().map(|request| &request.reason);
    findings
        .chain(requests)
        .chain(output.unpublished.iter().map(|(name, _)| name))
        .chain([&output.status])
        .map(String::as_str)
        .collect()
}

#[test]
fn huge_texts_are_cut_between_two_characters() {
    let (output, _, _) = said_anywhere("huge");

    let lengths: Vec<usize> = texts(&output).iter().map(|text| text.len()).collect();

    assert_eq!(lengths, [63, 4095, 65535, 63, 4095]);
    assert!(
        texts(&output)
            .iter()
            .all(|text| text.chars().all(|c| c == '€'))
    );
    assert_eq!(output.findings[0].numbers.len(), 64);
}

#[test]
fn bytes_that_are_no_text_are_marked_and_do_not_make_it_longer() {
    let (output, _, _) = said_anywhere("not-utf-8");

    let mut lengths: Vec<usize> = texts(&output).iter().map(|text| text.len()).collect();
    lengths.sort_unstable();
    lengths.dedup();

    assert_eq!(
        (lengths, output.findings.len()),
        (vec![0, 63, 4095, 65535], 64)
    );
}

#[test]
fn characters_that_act_become_blanks() {
    let (output, log, _) = said_anywhere("controls");

    let line = "a b [31mc d e f g h i j";
    let lines = "a b [31mc d\ne f g h i j";
    assert_eq!(texts(&output), [line, line, lines, line, line]);
    assert_eq!(
        log,
        format!(
            "warning chaos: {line}\nwarning chaos:   a b [31mc d\nwarning chaos:   e f g h i j\n\
             warning chaos: the metric \"{line}\" is not published: its name is not in snake_case\n"
        )
    );
}

#[test]
fn odd_numbers_do_no_harm() {
    let (output, log, tunable) = said_anywhere("numbers");

    let values: Vec<String> = output
        .metrics()
        .iter()
        .map(|metric| format!("{:e}", metric.value))
        .collect();
    assert_eq!(
        values,
        ["NaN", "inf", "-inf", "-0e0", "-1.7976931348623157e308"]
    );
    assert_eq!(
        (log.as_str(), tunable.as_str()),
        (
            "notice chaos: odd numbers\n\
             notice chaos: vm.watermark_scale_factor = 11: done, was 10 \
             (odd numbers, odd 0, odd -1.7976931348623157e+308) [decision 1]\n",
            "11"
        )
    );
}

#[test]
fn a_module_gets_what_it_declared_and_is_told_what_it_does_not_get() {
    for isolation in BOTH {
        let mut bench = Bench::new(&modules(isolation, AMPLE, "mode = \"ask\"\nscans = 1"));

        let log = bench.scans(2).concat();

        assert_eq!(
            log,
            "notice chaos: taken, denied, denied, invalid, invalid, unsupported, unsupported\n\
             notice chaos: vm.watermark_scale_factor = 20: done, was 10 (allowed) [decision 1]\n"
        );
        assert_eq!(bench.tunable(), "20");
    }
}

#[test]
fn null_pointers_are_no_words() {
    let (output, log, _) = said_anywhere("null");

    assert_eq!((texts(&output), log.as_str()), (vec![""], ""));
}

#[test]
fn words_from_another_thread_are_dropped_and_counted() {
    let mut bench = Bench::new(&modules("none", AMPLE, "mode = \"stray-thread\""));

    let log = bench.scans(2).concat();

    assert_eq!(
        log,
        "warning chaos: used its sink outside a call or from another thread; 1 message dropped\n"
    );
}

#[test]
fn words_outside_of_a_call_are_dropped() {
    for isolation in BOTH {
        let mut bench = Bench::new(&modules(isolation, AMPLE, "mode = \"stray-destroy\""));
        let mut log = bench.scan();

        bench.reload(&modules(isolation, AMPLE, "mode = \"none\""));
        log.push_str(&bench.scans(2).concat());

        assert_eq!(log, "");
    }
}

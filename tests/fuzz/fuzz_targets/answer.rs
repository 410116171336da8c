//! An answer from the process of a module: any bytes are refused, or are words that are fit for a log and
//! requests that were allowed.
#![no_main]

use agent_core::modules::permit::Answer;
use agent_core::modules::permit::Permit;
use agent_core::modules::isolation::answer_from_bytes;
use agent_core::modules::output::{Number, ModuleOutput};
use libfuzzer_sys::fuzz_target;

const NAME: usize = 64;
const LINE: usize = 4096;
const DETAILS: usize = 64 << 10;

fuzz_target!(|data: &[u8]| {
    let declared = ["vm.watermark_scale_factor", "compact-node", "kernel.panic"];
    let declared = declared.map(str::to_owned);
    for allowed in [None, Some(&declared[1..]), Some(&[])] {
        let permit = Permit::new(&declared, allowed);
        let mut words = ModuleOutput::default();

        // Also if it is refused: nothing of it may stick that is not fit.
        let _refused = answer_from_bytes(data, &permit, &mut words);

        are_allowed(&words, &permit);
        are_fit(&words);
    }
});

fn are_allowed(words: &ModuleOutput, permit: &Permit) {
    for request in &words.requests {
        assert_eq!(permit.answer(&request.action), Answer::Taken, "{request:?}");
    }
}

fn are_fit(words: &ModuleOutput) {
    assert!(words.findings.len() <= 64 && words.requests.len() <= 64);
    assert!(words.metrics().len() <= 256 && words.problems.len() <= 64);
    for finding in &words.findings {
        is_fit(&finding.code, NAME);
        is_fit(&finding.incident, NAME);
        is_fit(&finding.text, LINE);
        is_fit(&finding.details.replace('\n', ""), DETAILS);
        assert!(finding.details.len() <= DETAILS && finding.verbosity <= 5);
        numbers_are_fit(&finding.numbers);
    }
    for request in &words.requests {
        is_fit(&request.action.to_string(), 2 * NAME);
        is_fit(&request.reason, LINE);
        is_fit(&request.details.replace('\n', ""), DETAILS);
        assert!(request.details.len() <= DETAILS);
        numbers_are_fit(&request.numbers);
    }
    words
        .metrics()
        .iter()
        .for_each(|metric| is_fit(&metric.name, NAME));
    is_fit(&words.status, LINE);
    assert!(words.refused.len() <= 64);
    assert!(words.kept().is_none_or(|state| state.len() <= 64 << 10));
    for (what, why) in &words.refused {
        is_fit(what, LINE);
        is_fit(why, LINE);
    }
    for (key, text) in &words.problems {
        is_fit(key, NAME);
        is_fit(text, LINE);
    }
}

fn numbers_are_fit(numbers: &[Number]) {
    assert!(numbers.len() <= 64);
    numbers.iter().for_each(|number| is_fit(&number.name, NAME));
}

fn is_fit(text: &str, most: usize) {
    assert!(text.len() <= most, "{} bytes", text.len());
    let acts = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c);
    assert!(!text.contains(acts), "{text:?}");
}

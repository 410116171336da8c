//! The reason of a decision and its effect, in one line each.

use std::fmt::Write;

use adaptivemm_module_api::Severity;

use crate::decisions::{FollowUp, Record};
use crate::log::sinks::{Entry, Event, Logger};
use crate::modules::output::Request;
use crate::modules::output::numbers::number_value;

/// A line has room for so many numbers.
const NUMBERS: usize = 8;

/// Returns the reason with its numbers: a module that has put none into its sentence still had some.
pub(super) fn why(request: &Request) -> String {
    let mut text = request.reason.clone();
    if !text.contains(|c: char| c.is_ascii_digit()) {
        let known = request.numbers.iter().filter(|n| n.value.is_finite());
        for number in known.take(NUMBERS) {
            let separator = if text.is_empty() { "" } else { ", " };
            let value = number_value(number.value);
            let _never_fails = write!(text, "{separator}{} {value}", number.name);
        }
    }
    text
}

/// Tells what happened after earlier decisions.
pub fn report_follow_ups(records: &[Record], journal: &mut Logger) {
    for record in records {
        let Record::FollowUp(follow_up) = record else {
            continue;
        };
        let FollowUp {
            id,
            module,
            action,
            after,
            effect,
            text,
            ..
        } = &**follow_up;
        let text = format!(
            "{action}, {:.0} s later: {text} [decision {id}]",
            after.seconds
        );
        let id = id.to_string();
        let fields = [("DECISION_ID", id.as_str()), ("CODE", effect.code())];
        let entry = Entry::new(Severity::Info, module, &text).event(Event::FollowUp);
        journal.write(&entry.fields(&fields).from_verbosity(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::output::{Action, Number};

    #[test]
    fn the_numbers_behind_a_request_are_told_if_its_reason_has_none() {
        let request = |reason: &str| Request {
            action: Action::CompactNode { node: 0 },
            reason: reason.to_owned(),
            details: String::new(),
            numbers: vec![
                Number {
                    name: "free_pages".to_owned(),
                    value: 18_000.0,
                },
                Number {
                    name: "rate".to_owned(),
                    value: 1.5,
                },
            ],
        };

        let told =
            ["free memory falls", "18000 pages are free", ""].map(|reason| why(&request(reason)));

        let numbers = "free_pages 18000, rate 1.5";
        assert_eq!(
            told,
            [
                &format!("free memory falls, {numbers}"),
                "18000 pages are free",
                numbers
            ]
        );
    }
}

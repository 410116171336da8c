//! The texts about a raise that helped, or did not.

use core::fmt::Write as _;

use adaptivemm_module_api::{Finding, Number, Out, Severity};

use crate::scale::TUNABLE;
use crate::trial::{Effect, Verdict};

pub(super) fn say(verdict: &Verdict, out: &mut Out<'_>) {
    let (severity, code, what) = judgement(verdict);
    let Verdict {
        from,
        to,
        before,
        after,
        ..
    } = verdict;
    let mut text = format!(
        "{TUNABLE} was raised from {from} to {to} and {what}: {:.1} allocation stalls/s before and {:.1} in the {} s \
         since, {:.0} and {:.0} pages/s of direct reclaim, {:.0} and {:.0} pages/s used",
        before.stalls,
        after.stalls,
        verdict.span.as_secs(),
        before.direct,
        after.direct,
        before.used,
        after.used,
    );
    let mut numbers = vec![
        Number::new("stalls_before_per_second", before.stalls),
        Number::new("stalls_after_per_second", after.stalls),
        Number::new("direct_reclaim_before_pages_per_second", before.direct),
        Number::new("direct_reclaim_after_pages_per_second", after.direct),
        Number::new("used_before_pages_per_second", before.used),
        Number::new("used_after_pages_per_second", after.used),
    ];
    if let (Some(before), Some(after)) = (before.waiting, after.waiting) {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "; tasks waited for memory {before:.1} and {after:.1} % of the time"
        );
        numbers.extend([
            Number::new("waiting_before_percent", before),
            Number::new("waiting_after_percent", after),
        ]);
    }
    out.finding(&Finding::new(severity, code, &text).numbers(&numbers));
}

fn judgement(verdict: &Verdict) -> (Severity, &'static str, String) {
    let costs = "but tasks wait longer, so it is not raised further for a while";
    match verdict.effect {
        Effect::NoStalls if verdict.is_costly => (
            Severity::Notice,
            "raise-costs",
            format!("there are no stalls, {costs}"),
        ),
        Effect::Helped if verdict.is_costly => (
            Severity::Notice,
            "raise-costs",
            format!("there are fewer stalls, {costs}"),
        ),
        Effect::NoStalls => (
            Severity::Info,
            "raise-prevents",
            "there are no stalls".to_owned(),
        ),
        Effect::Helped => (Severity::Info, "raise-helped", "that helped".to_owned()),
        Effect::Unclear => (
            Severity::Info,
            "raise-unclear",
            "that is not enough so far".to_owned(),
        ),
        Effect::NoHelp => (
            Severity::Notice,
            "raise-no-help",
            "that did not help".to_owned(),
        ),
        Effect::BackedOff(pause) => {
            let minutes = pause.as_secs() / 60;
            let what = format!(
                "that did not help, so it is restored and not raised again for {minutes} minutes"
            );
            (Severity::Warning, "backed-off", what)
        }
    }
}

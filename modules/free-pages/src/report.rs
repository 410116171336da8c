//! What is said of a decision: every one with the numbers that led to it.

use core::fmt;
use core::time::Duration;

use adaptivemm_module_api::units::{Bytes, PageSize};
use adaptivemm_module_api::{Finding, Number, Out, Request, Severity};

use crate::detector::Observation;
use crate::knob::{Seen, Step};
use crate::node::Outlook;
use crate::scale::{Scale, TUNABLE};
use crate::trial::{Effect, Verdict};

/// Says everything that happened in a scan, and asks for what is to be changed.
pub(crate) fn say(
    observation: &Observation,
    lead: Duration,
    page_size: PageSize,
    out: &mut Out<'_>,
) {
    if let Some(seen) = observation.seen {
        say_seen(seen, out);
    }
    if let Some(verdict) = observation.verdict {
        say_verdict(&verdict, out);
    }
    if observation.held_back {
        say_held_back(observation, out);
    }
    if let Some(step) = observation.step {
        ask(step, observation, lead, page_size, out);
    }
}

fn say_seen(seen: Seen, out: &mut Out<'_>) {
    match seen {
        // The core has said so.
        Seen::Taken { .. } => {}
        Seen::NotTaken { asked } => {
            let text = format!(
                "{TUNABLE} was not set to {asked}: the kernel refused it, it is only advised, or the value of somebody else is kept"
            );
            out.finding(&Finding::new(Severity::Info, "not-taken", &text));
        }
        Seen::Changed { from, to } => {
            let text = format!(
                "Somebody else changed {TUNABLE} from {from} to {to}, which is its original value from now on"
            );
            out.finding(&Finding::new(Severity::Info, "changed-by-others", &text));
        }
    }
}

fn say_verdict(verdict: &Verdict, out: &mut Out<'_>) {
    let Verdict { from, to, .. } = verdict;
    let (severity, code, what) = match verdict.effect {
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
                "that did not help, so it is given back and not raised again for {minutes} minutes"
            );
            (Severity::Warning, "backed-off", what)
        }
    };
    let (before, after) = (verdict.before, verdict.after);
    let text = format!(
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
    let numbers = [
        Number::new("stalls_before_per_second", before.stalls),
        Number::new("stalls_after_per_second", after.stalls),
        Number::new("direct_reclaim_before_pages_per_second", before.direct),
        Number::new("direct_reclaim_after_pages_per_second", after.direct),
        Number::new("used_before_pages_per_second", before.used),
        Number::new("used_after_pages_per_second", after.used),
    ];
    out.finding(&Finding::new(severity, code, &text).numbers(&numbers));
}

fn say_held_back(observation: &Observation, out: &mut Out<'_>) {
    let need = observation.worst.and_then(|outlook| outlook.need);
    let need = need.unwrap_or(observation.current);
    let affordable = match observation.affordable {
        Some(affordable) => format!("no more than {affordable}"),
        None => "nothing".to_owned(),
    };
    let text = format!(
        "{TUNABLE} should be {need}, but memory allows {affordable}: with more, free pages and those that are sure to be \
         reclaimed would be too few above the low watermark"
    );
    out.finding(&Finding::new(Severity::Notice, "held-back", &text));
}

fn ask(
    step: Step,
    observation: &Observation,
    lead: Duration,
    page_size: PageSize,
    out: &mut Out<'_>,
) {
    let Observation {
        original,
        current,
        ceiling,
        ..
    } = *observation;
    let reason = match (step, observation.worst) {
        (Step::Raise(_), Some(outlook)) => raise(&outlook, observation, lead, page_size),
        (Step::Raise(value), None) => format!("the need is {value}"),
        (Step::Ease(_), worst) => format!(
            "it has been more than enough for several scans, {}; on the way from {current} back to {original}",
            Demand(worst, page_size)
        ),
        (Step::Cap(_), _) => format!(
            "the ceiling has come down to {ceiling}, because of huge pages or memory that was taken away"
        ),
    };
    let outlook = observation.worst;
    let rate = outlook.map_or(0.0, |outlook| outlook.rate);
    let mut numbers = vec![
        Number::new("original_scale", original.as_f64()),
        Number::new("ceiling_scale", ceiling.as_f64()),
        Number::new("used_pages_per_second", rate),
        Number::new("stalls_per_second", observation.stalls),
        Number::new("lead_seconds", lead.as_secs_f64()),
    ];
    if let Some(Outlook { sample, .. }) = outlook {
        numbers.extend([
            Number::new("node", f64::from(sample.id)),
            Number::new("free_pages", sample.free.as_f64()),
            Number::new("high_watermark_pages", sample.high.as_f64()),
            Number::new("managed_pages", sample.managed.as_f64()),
        ]);
    }
    let request = Request::set(TUNABLE, step.value().get(), &reason).numbers(&numbers);
    // Refused at once or later: the next snapshot shows that the value is as before.
    let _ = out.request(&request);
}

fn raise(
    outlook: &Outlook,
    observation: &Observation,
    lead: Duration,
    page_size: PageSize,
) -> String {
    let Outlook { sample, need, .. } = outlook;
    let need = need.unwrap_or(Scale::SMALLEST);
    let affordable = observation
        .affordable
        .filter(|&affordable| affordable < need);
    let affordable = affordable.map_or_else(String::new, |affordable| {
        format!(", and memory allows {affordable}")
    });
    format!(
        "{}, {}, with {} free and a high watermark of {}: a gap for {:.1} s of that is {need} of 10000 of {}; the ceiling \
         is {}{affordable}",
        Demand(Some(*outlook), page_size),
        TimeLeft(outlook.time_left),
        sample.free,
        sample.high,
        lead.as_secs_f64(),
        sample.managed,
        observation.ceiling,
    )
}

/// How fast pages are used on the node that counts.
struct Demand(Option<Outlook>, PageSize);

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(outlook) = self.0 else {
            return f.write_str("no trend is known");
        };
        let page = self.1.bytes().as_f64();
        // A percentage of a byte is the way from a number to bytes.
        let bytes = Bytes::new(1).percent(outlook.rate * page * 100.0);
        write!(
            f,
            "node {} uses {:.0} pages/s ({bytes}/s)",
            outlook.sample.id, outlook.rate
        )
    }
}

struct TimeLeft(Option<Duration>);

impl fmt::Display for TimeLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Duration::ZERO) => f.write_str("below its high watermark"),
            Some(left) => write!(f, "{:.1} s before its high watermark", left.as_secs_f64()),
            None => f.write_str("near its high watermark and kept there by reclaim"),
        }
    }
}

/// How things stand, in one line.
pub(crate) struct Status<'a> {
    pub(crate) observation: &'a Observation,
    pub(crate) page_size: PageSize,
}

impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Observation {
            original,
            current,
            ceiling,
            worst,
            ..
        } = self.observation;
        let Some(outlook) = worst else {
            return write!(
                f,
                "{TUNABLE} is {current}; waiting for scans that make a trend"
            );
        };
        write!(
            f,
            "{}; {TUNABLE} is {current} (original {original}, ceiling {ceiling})",
            Demand(Some(*outlook), self.page_size)
        )?;
        if let Some(need) = outlook.need {
            write!(f, ", needed {need}")?;
        }
        if self.observation.paused {
            f.write_str("; not raised, because that did not help")?;
        }
        Ok(())
    }
}

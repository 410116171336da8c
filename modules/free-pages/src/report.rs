//! The texts about decisions, each with the numbers that led to it.

mod verdict;
mod weighed;

use core::fmt;
use core::time::Duration;

use adaptivemm_module_api::units::{Bytes, PageSize};
use adaptivemm_module_api::{Finding, Number, Out, Request, Severity};

use crate::detector::Observation;
use crate::knob::{Seen, Step};
use crate::node::Outlook;
use crate::scale::{Scale, TUNABLE};
use weighed::Weighed;

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
        verdict::say(&verdict, out);
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
        // The core has logged it.
        Seen::Taken { .. } => {}
        Seen::NotTaken { asked } => {
            let text = format!(
                "{TUNABLE} was not set to {asked}: the kernel refused it, or the module only advises"
            );
            out.finding(&Finding::new(Severity::Info, "not-taken", &text));
        }
        Seen::Yielded { to } => {
            let text = format!(
                "{TUNABLE} was changed externally to {to}; tuning is paused until `adaptivemmd resume`"
            );
            out.finding(&Finding::new(Severity::Info, "yielded", &text));
        }
        Seen::Resumed { original } => {
            let text = format!("tuning of {TUNABLE} resumed; its original value is now {original}");
            out.finding(&Finding::new(Severity::Info, "resumed", &text));
        }
        Seen::Changed { from, to } => {
            let text = format!(
                "{TUNABLE} was changed externally; its original value is now {to}, and no longer {from}"
            );
            out.finding(&Finding::new(Severity::Info, "changed-by-others", &text));
        }
    }
}

fn say_held_back(observation: &Observation, out: &mut Out<'_>) {
    let need = observation.worst.and_then(|outlook| outlook.need);
    let need = need.unwrap_or(observation.knob.current());
    let affordable = match observation.affordable.value {
        Some(affordable) => format!("no more than {affordable}"),
        None => "no raise".to_owned(),
    };
    let text = format!(
        "{TUNABLE} should be {need}, but memory allows {affordable}: a larger value would leave too few free and \
         reclaimable pages above the low watermark"
    );
    let details = observation.affordable.to_string();
    out.finding(&Finding::new(Severity::Notice, "held-back", &text).details(&details));
}

fn ask(
    step: Step,
    observation: &Observation,
    lead: Duration,
    page_size: PageSize,
    out: &mut Out<'_>,
) {
    let (original, current) = (observation.knob.original(), observation.knob.current());
    let ceiling = observation.ceiling.value.max(original);
    let reason = match (step, observation.worst) {
        (Step::Raise(_), Some(outlook)) => raise(&outlook, observation, lead, page_size),
        (Step::Raise(value), None) => format!("the need is {value}"),
        (Step::Ease(_), worst) => format!(
            "less has been enough for several scans, {}; this is a step back from {current} to {original}",
            Demand(worst, page_size)
        ),
        (Step::Cap(_), _) => format!(
            "the ceiling was lowered to {ceiling}, as memory was removed or put into huge pages"
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
    let details = Weighed {
        observation,
        step,
        lead,
        page_size,
    }
    .to_string();
    let request = Request::set(TUNABLE, step.value().get(), &reason)
        .details(&details)
        .numbers(&numbers);
    // If it is refused, at once or later, the next snapshot shows that the value is as before.
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
        .value
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
        observation.ceiling.value.max(observation.knob.original()),
    )
}

/// The speed at which pages are used on the node that counts.
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

/// The status of the module, in one line.
pub(crate) struct Status<'a> {
    pub(crate) observation: &'a Observation,
    pub(crate) page_size: PageSize,
}

impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Observation {
            knob,
            ceiling,
            worst,
            record,
            ..
        } = self.observation;
        let (original, current) = (knob.original(), knob.current());
        if knob.is_yielded() {
            return write!(
                f,
                "{TUNABLE} was changed externally to {current}; tuning is paused until `adaptivemmd resume`"
            );
        }
        let ceiling = ceiling.value.max(original);
        let Some(outlook) = worst else {
            return write!(
                f,
                "{TUNABLE} is {current}; there are too few scans for a trend"
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
        if record.paused.is_some() {
            f.write_str("; it is not raised, because that did not help")?;
        } else if record.capped.is_some() {
            f.write_str("; it is not raised further, because tasks waited longer")?;
        }
        Ok(())
    }
}

//! Who holds memory now, on a terminal: below the report, as it is not the daemon's evidence.

use super::outlook::as_f64;
use super::phrases;
use super::text::TextPage;
use super::view::{grown, subject};
use crate::incidents::Incident;
use crate::incidents::evidence::{Certainty, Class, Holder, Now};

/// A class that has less than so much of all growth is not what an incident is about, in percent.
const LEAST_PERCENT: i128 = 10;

/// The classes of memory that an incident is about; all, if that is not known.
#[must_use]
pub fn classes(incident: &Incident) -> Vec<Class> {
    let comparison = incident.comparison.as_ref();
    let total = comparison.map_or(0, |comparison| i128::from(comparison.growth_bytes));
    let growth = comparison
        .into_iter()
        .flat_map(|comparison| &comparison.growth);
    let much = growth
        .filter(|growth| i128::from(grown(growth)) * 100 > total * LEAST_PERCENT)
        .map(|growth| growth.class);
    let mut classes: Vec<Class> = subject(incident).into_iter().chain(much).collect();
    if classes.contains(&Class::Unaccounted) {
        // Part of it.
        classes.push(Class::Orphans);
    }
    classes.sort_unstable();
    classes.dedup();
    if classes.is_empty() {
        return Class::ALL.to_vec();
    }
    classes
}

/// A holder in a line: `pipes of python3 (1374 pipes, PID 177): at most 1.3 GiB of unaccounted memory`.
#[must_use]
pub fn holder(holder: &Holder) -> String {
    let note = match holder.note.as_str() {
        "" => String::new(),
        note => format!(" ({})", phrases::name(note)),
    };
    format!("{}{note}: {}", phrases::name(&holder.owner), amount(holder))
}

fn amount(holder: &Holder) -> String {
    let limit = match holder.certainty {
        Certainty::AtMost => "at most ",
        Certainty::Exact | Certainty::Charged => "",
    };
    let bytes = phrases::bytes(as_f64(holder.bytes));
    let class = holder.class.map_or("memory", Class::name);
    format!("{limit}{bytes} of {class}")
}

/// The section of a report.
#[must_use]
pub fn now(now: &Now, width: usize) -> String {
    let mut page = TextPage::of(width);
    page.heading("Now, as root (not the daemon's own evidence)");
    let classes: Vec<&str> = now.classes.iter().map(|class| class.name()).collect();
    page.note(&format!(
        "Looked at {}, for {}.",
        phrases::line(&now.taken.at.time),
        classes.join(", ")
    ));
    if now.holders.is_empty() {
        page.note("Nobody is to be seen who holds it.");
    }
    for each in &now.holders {
        page.bullet(&holder(each));
        let before = match each.before_bytes {
            Some(before) => format!("{} before the incident", phrases::bytes(as_f64(before))),
            None => "what it held before is not known".to_owned(),
        };
        page.remark(&format!("{before}; {}", phrases::name(&each.source)));
    }
    for each in &now.not_asked {
        let (file, why) = (phrases::name(&each.file), phrases::line(&each.why));
        page.bullet(&format!("not read to the end: {file}: {why}"));
    }
    page.finish()
}

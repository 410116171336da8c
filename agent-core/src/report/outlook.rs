//! Since when memory grows, how fast, and when it will hurt: the numbers that the module gave.

use super::calendar::{Calendar, seconds};
use super::phrases;
use crate::incidents::{FindingRecord, Incident, State};

/// What the numbers of the findings say.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Outlook {
    /// When the growth began, as far as the module looked back when it first reported it; in seconds since boot.
    pub(super) since: Option<f64>,
    /// When it was last seen at rest after that: then the growth began. Else it may be older than what was looked at.
    pub(super) began: Option<f64>,
    /// By how much it grew until the headline.
    pub(super) growth: Option<f64>,
    /// How long that took, in seconds.
    pub(super) within: Option<f64>,
    /// That of the headline.
    pub(super) forecast: Option<Forecast>,
    /// What was available at the headline.
    pub(super) available: Option<f64>,
    /// How much is missing, where that is all that is known.
    pub(super) level: Option<f64>,
}

/// A growth that goes on. Bytes per second, and bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Forecast {
    /// When it was made, in seconds since boot.
    pub(super) at: f64,
    /// The time over which the rate was measured, in seconds.
    pub(super) over: Option<f64>,
    pub(super) low: f64,
    pub(super) middle: f64,
    pub(super) high: f64,
    pub(super) available: Option<f64>,
}

impl Outlook {
    pub(super) fn of(incident: &Incident) -> Self {
        let Some(headline) = incident
            .headline()
            .filter(|_| incident.is_about_kernel_memory())
        else {
            return Self::default();
        };
        let growth = growth(headline);
        Self {
            since: incident
                .first_reported()
                .and_then(|told| since(incident, told)),
            began: None,
            growth,
            within: since(incident, headline).map(|since| seconds(headline.at.uptime_ms) - since),
            forecast: Forecast::of(headline),
            available: number(headline, "available_bytes"),
            level: match growth {
                Some(_) => None,
                None => number(headline, "unaccounted_exact_bytes")
                    .or_else(|| number(headline, "unaccounted_bytes")),
            },
        }
    }

    /// Rows of a table: a heading, the answer, and what more there is to say.
    pub(super) fn facts(&self, incident: &Incident, calendar: Calendar) -> Vec<Fact> {
        let mut facts = standing(incident, calendar);
        let told = incident
            .first_reported()
            .map(|told| seconds(told.at.uptime_ms));
        if let (Some(since), Some(told)) = (self.since, told) {
            let began = self.began.unwrap_or(since);
            let earlier = if self.began.is_some() {
                ""
            } else {
                ", or earlier"
            };
            let before = format!(
                "{} before it was first reported{earlier}",
                phrases::span(told - began)
            );
            facts.push(Fact::new("Since", calendar.moment(began), before));
        }
        if let Some(level) = self.level {
            let total = phrases::bytes(as_f64(incident.machine.mem_total_bytes));
            facts.push(Fact::new(
                "Missing",
                phrases::bytes(level),
                format!("of {total}"),
            ));
        }
        if let Some(forecast) = &self.forecast {
            facts.push(Fact::new(
                "How fast",
                phrases::rate(forecast.middle),
                forecast.range_of_rates(),
            ));
        } else if let (Some(growth), Some(within)) = (self.growth, self.within) {
            let within = format!("within {}", phrases::span(within));
            facts.push(Fact::new("How much", phrases::bytes(growth), within));
        }
        if incident.state() != State::Open {
            // There is nothing more to expect.
        } else if let Some(fact) = self.forecast.and_then(|forecast| forecast.when(calendar)) {
            facts.push(fact);
        } else if let Some(available) = self.available {
            let available = format!("{} were available", phrases::bytes(available));
            let heading = "When it will hurt";
            facts.push(Fact::new(
                heading,
                "cannot be foreseen".to_owned(),
                available,
            ));
        }
        facts
    }
}

impl Forecast {
    fn of(told: &FindingRecord) -> Option<Self> {
        let middle = number(told, "growth_bytes_per_second").filter(|rate| *rate > 0.0)?;
        let low = number(told, "growth_low_bytes_per_second").unwrap_or(middle);
        let high = number(told, "growth_high_bytes_per_second").unwrap_or(middle);
        Some(Self {
            at: seconds(told.at.uptime_ms),
            over: number(told, "duration_seconds").filter(|seconds| *seconds > 0.0),
            low: low.clamp(0.0, middle),
            middle,
            high: high.max(middle),
            available: number(told, "available_bytes").filter(|available| *available >= 0.0),
        })
    }

    /// The least and the longest time, in seconds, after which nothing is available any more.
    pub(super) fn exhausted_in(&self) -> Option<(f64, Option<f64>)> {
        let available = self.available?;
        let most = (self.low > 0.0).then(|| available / self.low);
        Some((available / self.high, most))
    }

    fn range_of_rates(&self) -> String {
        phrases::rates(self.low, self.high)
    }

    fn when(&self, calendar: Calendar) -> Option<Fact> {
        let (least, most) = self.exhausted_in()?;
        let left = phrases::bytes(self.available?);
        let at = calendar.moment(self.at);
        let note = format!(
            "at this rate the {left} that were available at {at} last {}",
            phrases::spans(least, most)
        );
        let first = self.at + least;
        let answer = match most.filter(|most| phrases::is_near(*most)) {
            _ if !phrases::is_near(least) => {
                format!(
                    "not within a year; {} at the earliest",
                    phrases::span(least)
                )
            }
            Some(most) => calendar.expectation(first, self.at + most),
            None => format!("{} at the earliest", calendar.moment(first)),
        };
        Some(Fact::new("When it will hurt", answer, note))
    }
}

/// How it stands, and of when that is.
fn standing(incident: &Incident, calendar: Calendar) -> Vec<Fact> {
    let first = incident.first_reported();
    let first = first.map_or(&incident.opened, |told| &told.at);
    let (answer, note) = match incident.state() {
        State::Open => (
            "open".to_owned(),
            format!("last looked at {}", calendar.noted(incident.looked_at())),
        ),
        State::Over(over) => (
            format!("over since {}", calendar.noted(over)),
            if incident.is_about_kernel_memory() {
                "the memory came back".to_owned()
            } else {
                "as the module says".to_owned()
            },
        ),
        State::Restarted => (
            "ended with a restart of the machine".to_owned(),
            format!("last looked at {}", calendar.noted(incident.looked_at())),
        ),
    };
    let told = incident.told.iter().filter(|told| told.counts()).count();
    let often = match told {
        0 | 1 => "and not again".to_owned(),
        2 => "and once more".to_owned(),
        more => format!("and {} times more", more - 1),
    };
    vec![
        Fact::new("State", answer, note),
        Fact::new("First reported", calendar.noted(first), often),
    ]
}

/// When the growth of a finding began. Nobody knows of a time before the first number that is kept.
fn since(incident: &Incident, told: &FindingRecord) -> Option<f64> {
    // How long a level has been too high says nothing about when memory was lost.
    growth(told)?;
    let duration = number(told, "duration_seconds").filter(|seconds| *seconds > 0.0)?;
    let at = seconds(told.at.uptime_ms);
    let first = incident.history.uptime_ms.first().copied().map(seconds);
    let watched = first.filter(|first| *first < at).unwrap_or_default();
    Some((at - duration).max(watched))
}

fn growth(told: &FindingRecord) -> Option<f64> {
    number(told, "growth_bytes").filter(|growth| *growth > 0.0)
}

/// A question, its answer, and a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) heading: &'static str,
    pub(super) answer: String,
    pub(super) note: String,
}

impl Fact {
    fn new(heading: &'static str, answer: String, note: String) -> Self {
        Self {
            heading,
            answer,
            note,
        }
    }
}

/// A number of a finding, if it is one.
pub(super) fn number(told: &FindingRecord, name: &str) -> Option<f64> {
    told.numbers
        .get(name)
        .copied()
        .filter(|number| number.is_finite())
}

#[expect(clippy::cast_precision_loss, reason = "exact below 8 PiB")]
pub(super) fn as_f64(bytes: u64) -> f64 {
    bytes as f64
}

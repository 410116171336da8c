//! What was said of a leak, and what was really lost.

use serde_json::Value;

/// How far the rate that is told may be from the real one, as a share of it.
const TOLERANCE: f64 = 0.1;

const MIB: f64 = 1_048_576.0;

/// What was said of a leak, and the evidence of it.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) told: Vec<Told>,
    /// Who explains most of the growth, and how many percent of it.
    pub(super) first: Option<(String, f64)>,
}

/// A trend that was told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// In seconds since boot.
    pub(super) at: f64,
    pub(super) severity: String,
    /// Lowest, most likely and highest, in bytes per second.
    rates: [f64; 3],
    /// How long what is available lasts, in its words.
    pub(super) lasts: String,
}

impl Report {
    /// From `incident.json`.
    pub(super) fn parse(text: &str) -> Self {
        let incident: Value = serde_json::from_str(text).unwrap_or_default();
        let told = incident["told"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let first = &incident["comparison"]["explanations"][0];
        let owner = first["owner"].as_str().zip(first["share_percent"].as_f64());
        Self {
            told: told.iter().filter_map(Told::of).collect(),
            first: owner.map(|(owner, percent)| (owner.to_owned(), percent)),
        }
    }

    /// The first that was told at this severity.
    pub(super) fn first_at(&self, severity: &str) -> Option<&Told> {
        self.told.iter().find(|told| told.severity == severity)
    }

    /// Who explains most, in words.
    pub(super) fn first_in_words(&self) -> String {
        match &self.first {
            Some((owner, percent)) => format!("{owner} ({percent:.0} %)"),
            None => "nobody".to_owned(),
        }
    }
}

impl Told {
    fn of(told: &Value) -> Option<Self> {
        if told["code"] != "trend-leak" {
            return None;
        }
        let number = |name: &str| told["numbers"][name].as_f64();
        let lasts = told["text"].as_str()?.split_once("would last ")?.1;
        Some(Self {
            at: told["at"]["uptime_ms"].as_f64()? / 1000.0,
            severity: told["severity"].as_str()?.to_owned(),
            rates: [
                number("growth_low_bytes_per_second")?,
                number("growth_bytes_per_second")?,
                number("growth_high_bytes_per_second")?,
            ],
            lasts: lasts.split(';').next()?.to_owned(),
        })
    }

    /// Whether the rate is right, so far as one demands.
    pub(super) fn is_near(&self, rate: f64) -> bool {
        (self.rates[1] - rate).abs() <= rate * TOLERANCE
    }

    pub(super) fn range(&self) -> String {
        let [low, middle, high] = self.rates.map(per_hour);
        format!("{middle} ({low} to {high})")
    }
}

/// How much was lost when: lines of seconds since boot and KiB.
#[derive(Debug)]
pub(super) struct Course(Vec<(f64, f64)>);

impl Course {
    pub(super) fn parse(text: &str) -> Self {
        let point = |line: &str| {
            let (at, kib) = line.split_once(' ')?;
            Some((at.parse().ok()?, kib.trim().parse().ok()?))
        };
        Self(text.lines().filter_map(point).collect())
    }

    /// In seconds since boot.
    pub(super) fn began(&self) -> f64 {
        self.0.first().map_or(0.0, |point| point.0)
    }

    /// In bytes per second.
    pub(super) fn rate(&self) -> f64 {
        match (self.0.first(), self.0.last()) {
            (Some(first), Some(last)) if last.0 > first.0 => {
                (last.1 - first.1) * 1024.0 / (last.0 - first.0)
            }
            _ => 0.0,
        }
    }
}

/// A rate in MiB per hour.
pub(super) fn per_hour(bytes_per_second: f64) -> String {
    format!("{:.1}", bytes_per_second * 3600.0 / MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INCIDENT: &str = r#"{"told": [
        {"at": {"uptime_ms": 600000}, "severity": "debug", "code": "trend-suspicion", "text": "", "numbers": {}},
        {"at": {"uptime_ms": 900000}, "severity": "warning", "code": "trend-leak",
         "text": "Possible memory leak (trend): it grew; the 1 GiB available would last 9 to 11 h; more",
         "numbers": {"growth_low_bytes_per_second": 1e6, "growth_bytes_per_second": 1.1e6, "growth_high_bytes_per_second": 1.2e6}}],
        "comparison": {"explanations": [{"owner": "kmalloc-1k", "share_percent": 98.5}]}}"#;

    #[test]
    fn only_trends_are_taken_from_an_incident() {
        let report = Report::parse(INCIDENT);

        let told = Told {
            at: 900.0,
            severity: "warning".to_owned(),
            rates: [1e6, 1.1e6, 1.2e6],
            lasts: "9 to 11 h".to_owned(),
        };
        assert_eq!(report.told, [told]);
        assert_eq!(report.first, Some(("kmalloc-1k".to_owned(), 98.5)));
    }

    #[test]
    fn a_rate_is_right_to_a_tenth() {
        let told = &Report::parse(INCIDENT).told[0];
        assert_eq!(
            [0.9e6, 1.05e6, 1.2e6, 1.3e6].map(|rate| told.is_near(rate)),
            [false, true, true, false]
        );
    }

    #[test]
    fn the_real_rate_is_that_of_the_whole_leak() {
        let course = Course::parse("100 0\n400 9\n1100 1000\n");
        assert_eq!(
            (course.began(), per_hour(course.rate())),
            (100.0, "3.5".to_owned())
        );
        assert_eq!(per_hour(Course::parse("100 5").rate()), "0.0");
    }
}

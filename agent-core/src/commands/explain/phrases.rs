//! Numbers and moments as people say them.

use jiff::Timestamp;
use serde_json::Value;

use adaptivemm_module_api::units::Bytes;

use crate::decisions::{Decision, Effect};

/// Shown for an unknown number.
pub(super) const UNKNOWN: &str = "?";

/// A number; one whose name says that it counts bytes gets a unit that fits.
pub(super) fn number(name: &str, value: &Value) -> String {
    let Some(number) = value.as_f64() else {
        return UNKNOWN.to_owned();
    };
    match value.as_u64() {
        Some(bytes) if name.ends_with("_bytes") => Bytes::new(bytes).to_string(),
        _ if value.is_f64() => float(number),
        _ => value.to_string(),
    }
}

/// Returns a number with as many digits as matter.
pub(super) fn float(number: f64) -> String {
    if number == 0.0 {
        "0".to_owned()
    } else if number.abs() < 1.0 {
        format!("{number:.3}")
    } else {
        format!("{number:.1}")
    }
}

/// One that may not be known.
pub(super) fn known(number: Option<f64>) -> String {
    number.map_or_else(|| UNKNOWN.to_owned(), float)
}

/// A count that may not be known.
pub(super) fn count(number: Option<u64>) -> String {
    number.map_or_else(|| UNKNOWN.to_owned(), |number| number.to_string())
}

/// A span in its two largest units.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole seconds are enough, and none are negative"
)]
pub(super) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// Returns the time of a decision, as far as it is known.
pub(super) fn moment(decision: &Decision) -> String {
    let since_boot = || format!("{} after boot", span(decision.uptime_seconds));
    let time = decision.time.as_deref();
    let time = time.map(|time| time.replace('T', " ").replace('Z', ""));
    time.unwrap_or_else(since_boot)
}

/// Returns how long ago a decision was made.
pub(super) fn ago(decision: &Decision, now: Timestamp) -> Option<String> {
    let then: Timestamp = decision.time.as_deref()?.parse().ok()?;
    let seconds = now.as_second().checked_sub(then.as_second())?;
    let seconds = u32::try_from(seconds).ok()?;
    Some(format!("{} ago", span(f64::from(seconds))))
}

/// The change in as few words as it has.
pub(super) fn change(decision: &Decision) -> String {
    match (&decision.tunable, &decision.before, decision.value) {
        (Some(tunable), Some(before), Some(value)) => format!("{tunable} {before} -> {value}"),
        _ => decision.action.clone(),
    }
}

/// Returns the effect in words that do not claim that the decision caused it.
pub(super) fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Better => "better since",
        Effect::Unchanged => "no clear change",
        Effect::Worse => "worse since",
        Effect::Quiet => "nobody waited before or since",
        Effect::Unknown => "cannot be told",
    }
}

//! What nobody expects.

use agent_core::base::clock::Moment;
use agent_core::incidents::Incident;

use super::leaks::pages;
use super::{DAY, OPENED, millis};

/// Numbers, names and lengths that nobody expects.
pub(crate) fn extreme() -> Incident {
    let hostile =
        "</pre><script>alert(1)</script>\u{1b}[2J\u{202e}\"'&<img src=x onerror=alert(1)>";
    let mut incident = pages();
    incident.id = hostile.into();
    incident.module = hostile.into();
    incident.machine.host = Some(hostile.repeat(20));
    incident.machine.kernel = "6.1;$(reboot)".into();
    incident.machine.mem_total_bytes = u64::MAX;
    incident.told_more = u64::MAX;
    incident.problems = vec![hostile.to_owned()];
    let mut finding = incident.told[0].clone();
    finding.text = hostile.repeat(100);
    finding.severity = hostile.into();
    finding.code = hostile.into();
    finding.details = vec![hostile.repeat(50); 4];
    finding.at = Moment {
        time: hostile.to_owned(),
        uptime_ms: u64::MAX,
    };
    for number in finding.numbers.values_mut() {
        *number = f64::MAX;
    }
    incident.told.extend(vec![finding; 500]);
    for column in incident.history.columns.values_mut() {
        column[0] = Some(f64::MAX);
        column[1] = Some(f64::MIN);
        column[2] = Some(f64::INFINITY);
        column[3] = None;
    }
    let comparison = incident.comparison.as_mut().unwrap();
    comparison.growth[0].before_bytes = i64::MIN;
    comparison.growth[0].after_bytes = i64::MAX;
    comparison.growth_bytes = u64::MAX;
    comparison.unexplained_bytes = u64::MAX;
    comparison.explanations[0].owner = hostile.repeat(9);
    comparison.explanations[0].share_percent = f64::NAN;
    comparison.explanations = vec![comparison.explanations[0].clone(); 900];
    comparison.sources = vec![comparison.sources[4].clone(); 700];
    comparison.modules_loaded = vec![hostile.to_owned(); 50];
    incident
}

/// A history of one row.
pub(crate) fn one_point() -> Incident {
    let mut incident = pages();
    incident.history.uptime_ms = vec![millis(OPENED)];
    incident.history.columns = [("unaccounted_exact_bytes".to_owned(), vec![Some(4.0e9)])].into();
    incident
}

/// A history of ten thousand rows.
pub(crate) fn long() -> Incident {
    let mut incident = pages();
    let rows = 10_000;
    incident.history.uptime_ms = (0..rows)
        .map(|row| millis(OPENED - 7.0 * DAY) + row * 60_480)
        .collect();
    for (index, column) in incident.history.columns.values_mut().enumerate() {
        let value = |row: u64| {
            Some(((row * row * 31) % 1013) as f64 * 4e5 * index as f64 + row as f64 * 3e5)
        };
        *column = (0..rows).map(value).collect();
    }
    incident
}

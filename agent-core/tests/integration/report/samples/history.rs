//! How metrics go.

use agent_core::incidents::History;

use super::{DAY, HOUR, MIB, OPENED, millis};

/// A metric: its size in MiB before, how much it trembles, since how many hours it grows and by how much an hour.
pub(crate) struct Metric(
    pub(crate) &'static str,
    pub(crate) f64,
    pub(crate) f64,
    pub(crate) f64,
    pub(crate) f64,
);

/// Some days every half hour, and the last two hours every scan.
pub(crate) fn history(days: f64, after: f64, metrics: &[Metric]) -> History {
    let coarse = std::iter::successors(Some(-days * DAY), |at| Some(at + HOUR / 2.0))
        .take_while(|at| *at < after - 2.0 * HOUR);
    let fine = std::iter::successors(Some(after - 2.0 * HOUR), |at| Some(at + 30.0))
        .take_while(|at| *at <= after);
    let times: Vec<f64> = coarse.chain(fine).collect();
    let column = |metric: &Metric| {
        let Metric(_, level, noise, grows, per_hour) = *metric;
        let mut random = 7_u64;
        let value = |at: &f64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let tremble = noise * ((random >> 40) as f64 / f64::from(1 << 24) - 0.5);
            let risen = (at / HOUR + grows).max(0.0) * per_hour;
            Some((MIB * (level + tremble + risen)).round())
        };
        times.iter().map(value).collect()
    };
    History {
        uptime_ms: times.iter().map(|at| millis(OPENED + at)).collect(),
        columns: metrics
            .iter()
            .map(|metric| (metric.0.to_owned(), column(metric)))
            .collect(),
    }
}

/// All classes as they are on a quiet machine.
pub(crate) fn quiet() -> Vec<Metric> {
    vec![
        Metric("unaccounted_bytes", 1300.0, 120.0, 0.0, 0.0),
        Metric("baseline_bytes", 1240.0, 0.0, 0.0, 0.0),
        Metric("unaccounted_exact_bytes", 212.0, 14.0, 0.0, 0.0),
        Metric("orphans_bytes", 0.4, 0.5, 0.0, 0.0),
        Metric("slab_bytes", 760.0, 22.0, 0.0, 0.0),
        Metric("vmalloc_bytes", 96.0, 1.0, 0.0, 0.0),
        Metric("per_cpu_bytes", 41.0, 0.2, 0.0, 0.0),
        Metric("page_tables_bytes", 310.0, 18.0, 0.0, 0.0),
        Metric("stacks_bytes", 23.5, 0.6, 0.0, 0.0),
    ]
}

pub(crate) fn growing(
    metric: &'static str,
    level: f64,
    noise: f64,
    since_hours: f64,
    per_hour: f64,
) -> Vec<Metric> {
    let mut metrics = quiet();
    for each in &mut metrics {
        if each.0 == metric {
            *each = Metric(metric, level, noise, since_hours, per_hour);
        }
    }
    metrics
}

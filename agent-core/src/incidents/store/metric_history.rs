//! The development of the metrics of a module: every scan of late, fewer and fewer of those before.

use std::collections::BTreeMap;

use adaptivemm_module_api::units::Uptime;

use crate::incidents::record::History;
use crate::modules::output::Number;

/// No more metrics are remembered of one module.
const MOST_COLUMNS: usize = 64;
/// No more rows are kept in all, across restarts of the daemon.
const MOST_ROWS: usize = 1200;
/// Every so many scans, and so many of those. At a scan each 30 s: an hour of all, 12 hours of one in 5 minutes, and two
/// weeks of one an hour, which is longer than any detector looks back.
const STEPS: [(u64, usize); 3] = [(1, 120), (10, 144), (120, 336)];

/// The development of the metrics of one module.
#[derive(Debug)]
pub(in crate::incidents) struct MetricHistory {
    module: String,
    /// The development that a daemon before this one remembered in this boot.
    earlier: History,
    names: Vec<String>,
    rings: [Ring; STEPS.len()],
    scans: u64,
}

/// The last rows of one step. A value that was not said is NaN.
#[derive(Debug)]
struct Ring {
    every: u64,
    /// The place where the next row goes.
    next: usize,
    used: usize,
    uptime_ms: Vec<u64>,
    columns: Vec<Vec<f64>>,
}

impl MetricHistory {
    /// Goes on where a daemon before this one has ended.
    pub(in crate::incidents) fn resume(module: &str, earlier: History) -> Self {
        Self {
            module: module.to_owned(),
            earlier,
            names: Vec::new(),
            rings: STEPS.map(|(every, most)| Ring {
                every,
                next: 0,
                used: 0,
                uptime_ms: vec![0; most],
                columns: Vec::new(),
            }),
            scans: 0,
        }
    }

    pub(in crate::incidents) fn module(&self) -> &str {
        &self.module
    }

    /// Takes down the metrics of one scan. Without allocating, unless there are new ones.
    pub(in crate::incidents) fn note(&mut self, at: Uptime, metrics: &[Number]) {
        let is_as_before = metrics.len() == self.names.len()
            && metrics
                .iter()
                .zip(&self.names)
                .all(|(metric, name)| metric.name == *name);
        let due = self
            .rings
            .iter_mut()
            .filter(|ring| self.scans % ring.every == 0);
        let at_ms = u64::try_from(at.0.as_millis()).unwrap_or(u64::MAX);
        if is_as_before {
            for ring in due {
                ring.begin(at_ms);
                for (column, metric) in ring.columns.iter_mut().zip(metrics) {
                    column[ring.next] = metric.value;
                }
                ring.end();
            }
        } else {
            for metric in metrics {
                if !self.names.contains(&metric.name) && self.names.len() < MOST_COLUMNS {
                    self.names.push(metric.name.clone());
                }
            }
            for ring in due {
                ring.widen(self.names.len());
                ring.begin(at_ms);
                for metric in metrics {
                    if let Some(index) = self.names.iter().position(|name| *name == metric.name) {
                        ring.columns[index][ring.next] = metric.value;
                    }
                }
                ring.end();
            }
        }
        self.scans += 1;
    }

    /// All of it: coarse first, then finer.
    pub(in crate::incidents) fn history(&self) -> History {
        let mut rows = Vec::new();
        for (index, ring) in self.rings.iter().enumerate() {
            rows.extend(ring.rows().map(|row| (ring.uptime_ms[row], index, row)));
        }
        rows.sort_unstable();
        // A scan that several rings have counts once.
        rows.dedup_by_key(|(at_ms, ..)| *at_ms);
        let columns: BTreeMap<String, Vec<Option<f64>>> = self
            .names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let rows = rows.iter();
                let values = rows.map(|&(_, ring, row)| self.value(index, ring, row));
                (name.clone(), values.collect())
            })
            .collect();
        let own = History {
            uptime_ms: rows.iter().map(|(at_ms, ..)| *at_ms).collect(),
            columns,
        };
        own.after(&self.earlier, MOST_ROWS)
    }

    /// Returns the metric of this index in a row of a ring, if it had a value then.
    fn value(&self, index: usize, ring: usize, row: usize) -> Option<f64> {
        let column = self.rings[ring].columns.get(index)?;
        column.get(row).copied().filter(|value| value.is_finite())
    }
}

impl Ring {
    fn most(&self) -> usize {
        self.uptime_ms.len()
    }

    fn widen(&mut self, columns: usize) {
        let most = self.most();
        if self.columns.len() < columns {
            self.columns.resize_with(columns, || vec![f64::NAN; most]);
        }
    }

    fn begin(&mut self, at_ms: u64) {
        self.uptime_ms[self.next] = at_ms;
        for column in &mut self.columns {
            column[self.next] = f64::NAN;
        }
    }

    fn end(&mut self) {
        self.next = (self.next + 1) % self.most();
        self.used = self.most().min(self.used + 1);
    }

    /// The rows that are used, the oldest first.
    fn rows(&self) -> impl Iterator<Item = usize> {
        let (most, used, next) = (self.most(), self.used, self.next);
        (0..used).map(move |age| (next + most - used + age) % most)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn noted(scans: u64) -> MetricHistory {
        let mut history = MetricHistory::resume("memleak", History::default());
        for scan in 0..scans {
            let metric = |name: &str, value| Number {
                name: name.to_owned(),
                value,
            };
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let mut metrics = vec![metric("growth_bytes", scan as f64)];
            if scan >= 3 {
                metrics.insert(0, metric("late_bytes", 1.0));
            }
            history.note(Uptime(Duration::from_secs(30 * scan)), &metrics);
        }
        history
    }

    #[test]
    fn the_last_scans_are_all_there_and_of_those_before_fewer_and_fewer() {
        let history = noted(3000).history();

        let seconds: Vec<u64> = history.uptime_ms.iter().map(|ms| ms / 1000).collect();
        assert!(seconds.is_sorted_by(|a, b| a < b), "no row is twice");
        let between = |from: u64, to: u64| {
            let rows = seconds.iter().filter(|at| (from..to).contains(*at));
            rows.count()
        };
        let end = 3000 * 30;
        assert_eq!(between(end - 120 * 30, end), 120, "every scan");
        assert_eq!(between(end - 144 * 300, end - 120 * 30), 132, "one in ten");
        assert_eq!(between(0, end - 144 * 300), 13, "one in 120");
        let growth = &history.columns["growth_bytes"];
        let rows: Vec<f64> = growth.iter().map(|value| value.unwrap() * 30.0).collect();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let expected: Vec<f64> = seconds.iter().map(|at| *at as f64).collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_metric_that_comes_later_has_no_value_before() {
        let history = noted(5).history();

        assert_eq!(
            history.columns["late_bytes"],
            [None, None, None, Some(1.0), Some(1.0)]
        );
        assert_eq!(history.columns["growth_bytes"].len(), 5);
    }

    #[test]
    fn a_daemon_goes_on_where_the_one_before_has_ended() {
        let earlier = noted(50).history();
        let mut history = MetricHistory::resume("memleak", earlier.clone());
        let metric = Number {
            name: "growth_bytes".to_owned(),
            value: 50.0,
        };
        history.note(Uptime(Duration::from_secs(1500)), &[metric]);

        let history = history.history();

        assert_eq!(history.uptime_ms.len(), 51);
        assert_eq!(history.uptime_ms[..50], earlier.uptime_ms);
        assert_eq!(history.columns["growth_bytes"][50], Some(50.0));
        assert_eq!(history.columns["late_bytes"][49..], [Some(1.0), None]);
    }

    #[test]
    fn many_restarts_thin_out_what_is_old_and_never_what_is_new() {
        let mut history = History::default();
        for second in 0..5000 {
            let one = History {
                uptime_ms: vec![second * 1000],
                columns: BTreeMap::from([("a_bytes".to_owned(), vec![Some(1.0)])]),
            };
            history = one.after(&history, 100);
        }

        assert!(history.uptime_ms.len() <= 100);
        assert!(history.uptime_ms.is_sorted_by(|a, b| a < b));
        assert_eq!(history.columns["a_bytes"].len(), history.uptime_ms.len());
        let newest: Vec<u64> = (4980..5000).map(|second| second * 1000).collect();
        assert!(history.uptime_ms.ends_with(&newest));
        assert_eq!(history.uptime_ms[0], 0);
    }

    #[test]
    fn a_module_that_makes_up_metrics_is_remembered_only_in_part() {
        let mut history = MetricHistory::resume("odd", History::default());
        for scan in 0..100 {
            let metric = Number {
                name: format!("n{scan}_bytes"),
                value: f64::INFINITY,
            };
            history.note(Uptime(Duration::from_secs(scan)), &[metric]);
        }

        let history = history.history();

        assert_eq!(history.columns.len(), MOST_COLUMNS);
        assert_eq!(history.columns["n0_bytes"], [None; 100], "no number");
    }
}

//! The numbers of the daemon and of its modules in the text format of Prometheus, version 0.0.4. The library that owns the
//! format writes it: a quote in the wrong place, and a collector drops all numbers of the host.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeMetric, MetricEncoder, prometheus_text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::summary::{Module, Summary};

/// The beginning of every name.
const PREFIX: &str = "adaptivemmd";
/// The ending of the name of a counter.
const TOTAL: &str = "_total";
/// The owner of the metrics that belong to no module.
const OURSELVES: &str = "the daemon";

/// A metric of a module that is not published, as another one has its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Clash {
    /// The module.
    pub(crate) module: String,
    /// The name that the module gives the metric.
    pub(crate) metric: String,
    /// The name of both.
    pub(crate) name: String,
    /// The owner of the other metric.
    pub(crate) owner: String,
}

/// Returns all metrics.
#[must_use]
pub fn exposition(summary: &Summary) -> String {
    sheet(summary).text()
}

/// Returns the metrics where no daemon answers.
#[must_use]
pub(crate) fn exposition_without_daemon() -> String {
    let mut sheet = Sheet::default();
    up(&mut sheet, false);
    sheet.text()
}

/// The metrics of modules that are not published, as others have their names.
#[must_use]
pub(crate) fn clashes(summary: &Summary) -> Vec<Clash> {
    sheet(summary).clashes
}

fn sheet(summary: &Summary) -> Sheet {
    let mut sheet = Sheet::default();
    add_daemon(summary, &mut sheet);
    add_log(summary, &mut sheet);
    add_tunables(summary, &mut sheet);
    add_modules(summary, &mut sheet);
    add_files(summary, &mut sheet);
    for module in &summary.modules {
        own(module, &mut sheet);
    }
    sheet
}

fn up(sheet: &mut Sheet, is_up: bool) {
    sheet.family(
        "up",
        Kind::Gauge,
        "1 if the daemon answered.",
        [([].as_slice(), f64::from(u8::from(is_up)))],
    );
}

fn add_daemon(summary: &Summary, sheet: &mut Sheet) {
    let build = [("version", summary.version.as_str())];
    sheet.family(
        "build_info",
        Kind::Gauge,
        "A metric with a constant value of 1, labelled by the version of adaptivemmd.",
        [(build.as_slice(), 1.0)],
    );
    up(sheet, true);
    let one = |sheet: &mut Sheet, name, kind, help, value| {
        sheet.family(name, kind, help, [([].as_slice(), value)]);
    };
    let scans = whole(summary.scans);
    one(sheet, "scans_total", Kind::Counter, "Scans so far.", scans);
    one(
        sheet,
        "scan_seconds_total",
        Kind::Counter,
        "Time that all scans took so far.",
        summary.scans_seconds,
    );
    if summary.scans > 0 {
        one(
            sheet,
            "last_scan_timestamp_seconds",
            Kind::Gauge,
            "Time of the last scan, in seconds since 1970.",
            summary.scanned_at_seconds,
        );
    }
    one(
        sheet,
        "scan_age_seconds",
        Kind::Gauge,
        "Time since the last scan.",
        summary.scanned_seconds_ago,
    );
    one(
        sheet,
        "scan_period_seconds",
        Kind::Gauge,
        "Time between two scans, as configured.",
        summary.period_seconds,
    );
    let reload = summary.reload.as_ref();
    let is_well = reload.is_none_or(|reload| reload.problem.is_none());
    one(
        sheet,
        "config_last_reload_successful",
        Kind::Gauge,
        "1 if the configuration was applied when it was last read.",
        f64::from(u8::from(is_well)),
    );
}

fn add_log(summary: &Summary, sheet: &mut Sheet) {
    let events: Vec<_> = summary
        .log
        .events
        .iter()
        .map(|(severity, count)| ([("severity", severity.as_str())], whole(*count)))
        .collect();
    sheet.family(
        "log_events_total",
        Kind::Counter,
        "Events that were logged so far.",
        events
            .iter()
            .map(|(labels, value)| (labels.as_slice(), *value)),
    );
    sheet.family(
        "log_messages_lost_total",
        Kind::Counter,
        "Messages that were lost because the log did not take them.",
        [([].as_slice(), whole(summary.log.lost))],
    );
}

fn add_tunables(summary: &Summary, sheet: &mut Sheet) {
    let tunables = || summary.tunables.iter();
    let mut family = |name, help, values: Vec<(&str, f64)>| {
        let labelled: Vec<_> = values
            .into_iter()
            .map(|(tunable, value)| ([("tunable", tunable)], value))
            .collect();
        let samples = labelled.iter();
        sheet.family(
            name,
            Kind::Gauge,
            help,
            samples.map(|(labels, value)| (labels.as_slice(), *value)),
        );
    };
    let value = |value: i64| {
        // Tunables are far smaller than what a float holds exactly.
        i32::try_from(value).map_or(f64::NAN, f64::from)
    };
    family(
        "tunable_value",
        "Current value of a tunable that modules may change.",
        tunables()
            .filter_map(|t| Some((t.name.as_str(), value(t.value?))))
            .collect(),
    );
    family(
        "tunable_original_value",
        "Original value of a tunable that the daemon has changed.",
        tunables()
            .filter_map(|t| Some((t.name.as_str(), value(t.original?))))
            .collect(),
    );
    family(
        "tunable_yielded",
        "1 if tuning is paused because the tunable was changed externally.",
        tunables()
            .map(|t| (t.name.as_str(), f64::from(u8::from(t.yielded))))
            .collect(),
    );
    let requests: Vec<_> = summary
        .requests
        .iter()
        .map(|r| {
            (
                [("module", r.module.as_str()), ("result", &r.outcome)],
                whole(r.count),
            )
        })
        .collect();
    sheet.family(
        "requests_total",
        Kind::Counter,
        "Requests of modules so far, by outcome.",
        requests
            .iter()
            .map(|(labels, value)| (labels.as_slice(), *value)),
    );
}

fn add_modules(summary: &Summary, sheet: &mut Sheet) {
    let up: Vec<_> = summary
        .modules
        .iter()
        .map(|module| {
            let labels = [
                ("module", module.name.as_str()),
                ("version", &module.version),
            ];
            (labels, f64::from(u8::from(module.state == "running")))
        })
        .collect();
    sheet.family(
        "module_up",
        Kind::Gauge,
        "1 if an enabled module did its work in the last scan.",
        up.iter().map(|(labels, value)| (labels.as_slice(), *value)),
    );
    let quarantined: Vec<_> = summary
        .modules
        .iter()
        .map(|module| {
            let value = f64::from(u8::from(module.state == "quarantined"));
            ([("module", module.name.as_str())], value)
        })
        .collect();
    sheet.family(
        "module_quarantined",
        Kind::Gauge,
        "1 if an enabled module is quarantined.",
        quarantined
            .iter()
            .map(|(labels, value)| (labels.as_slice(), *value)),
    );
}

fn add_files(summary: &Summary, sheet: &mut Sheet) {
    let mut family = |name, help, value: fn(&Module) -> f64| {
        let modules = summary.modules.iter();
        let samples: Vec<_> = modules
            .map(|module| ([("module", module.name.as_str())], value(module)))
            .collect();
        let samples = samples.iter();
        sheet.family(
            name,
            Kind::Counter,
            help,
            samples.map(|(labels, value)| (labels.as_slice(), *value)),
        );
    };
    family(
        "module_files_seconds_total",
        "Time spent so far reading files for one module, without those that are read for all.",
        |module| module.files.seconds_total,
    );
    family(
        "module_files_bytes_total",
        "Bytes read so far from files for one module, without those that are read for all.",
        |module| whole(module.files.bytes_total),
    );
}

/// Adds the metrics of a module, under its own name.
fn own(module: &Module, sheet: &mut Sheet) {
    for (metric, value) in &module.metrics {
        let help = format!("{metric} of the module {}.", module.name);
        let name = format!("{}_{metric}", module.name.replace('-', "_"));
        let kind = if name.ends_with(TOTAL) {
            Kind::Counter
        } else {
            Kind::Gauge
        };
        if let Some(owner) = sheet.owners.get(&name) {
            sheet.clashes.push(Clash {
                module: module.name.clone(),
                metric: metric.clone(),
                name: format!("{PREFIX}_{name}"),
                owner: owner.clone(),
            });
            continue;
        }
        sheet
            .owners
            .insert(name.clone(), format!("module {}", module.name));
        sheet.add(&name, kind, &help, vec![(Vec::new(), *value)]);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a counter beyond 2^53 is one that nobody counted"
)]
fn whole(count: u64) -> f64 {
    count as f64
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A counter, whose name ends in `_total`.
    Counter,
    Gauge,
}

/// The labels of a sample.
type Labels = Vec<(String, String)>;

/// A metric with its samples.
#[derive(Debug)]
struct Family {
    name: String,
    kind: Kind,
    help: String,
    samples: Vec<(Labels, f64)>,
}

#[derive(Debug, Default)]
struct Sheet {
    families: Vec<Family>,
    /// The owners of the names, without their common beginning.
    owners: BTreeMap<String, String>,
    clashes: Vec<Clash>,
}

impl Sheet {
    /// A metric of the daemon with its samples. Without any, only its name is kept from modules.
    fn family<'a>(
        &mut self,
        name: &str,
        kind: Kind,
        help: &str,
        samples: impl IntoIterator<Item = (&'a [(&'a str, &'a str)], f64)>,
    ) {
        self.owners.insert(name.to_owned(), OURSELVES.to_owned());
        let owned = |(label, value): &(&str, &str)| ((*label).to_owned(), (*value).to_owned());
        let samples = samples
            .into_iter()
            .map(|(labels, value)| (labels.iter().map(owned).collect(), value));
        self.add(name, kind, help, samples.collect());
    }

    fn add(&mut self, name: &str, kind: Kind, help: &str, samples: Vec<(Labels, f64)>) {
        if !samples.is_empty() {
            self.families.push(Family {
                name: name.to_owned(),
                kind,
                help: help.to_owned(),
                samples,
            });
        }
    }

    fn text(self) -> String {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _never_fails = prometheus_text::encode(&mut text, &registry);
        text
    }
}

impl Collector for Sheet {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for Family {
            name,
            kind,
            help,
            samples,
        } in &self.families
        {
            // The library adds the end of a counter itself.
            let (name, metric_type) = match kind {
                Kind::Counter => (
                    name.strip_suffix(TOTAL).unwrap_or(name),
                    MetricType::Counter,
                ),
                Kind::Gauge => (name.as_str(), MetricType::Gauge),
            };
            let mut family = encoder.encode_descriptor(name, help, None, metric_type)?;
            for (labels, value) in samples {
                sample(*kind, *value, family.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}

fn sample(kind: Kind, value: f64, encoder: MetricEncoder<'_>) -> fmt::Result {
    match kind {
        Kind::Counter => ConstCounter::new(value).encode(encoder),
        Kind::Gauge => ConstGauge::new(value).encode(encoder),
    }
}

#[cfg(test)]
mod tests;

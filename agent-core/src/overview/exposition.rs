//! The numbers of the daemon and of its modules in the text format of Prometheus, version 0.0.4.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Module, Overview};

/// All metrics.
#[must_use]
pub fn exposition(overview: &Overview) -> String {
    let mut sheet = Sheet::default();
    of_daemon(overview, &mut sheet);
    of_log(overview, &mut sheet);
    of_tunables(overview, &mut sheet);
    of_modules(overview, &mut sheet);
    of_files(overview, &mut sheet);
    for module in &overview.modules {
        own(module, &mut sheet);
    }
    sheet.text
}

fn of_daemon(overview: &Overview, sheet: &mut Sheet) {
    let build = [("version", overview.version.as_str())];
    sheet.family(
        "build_info",
        Kind::Gauge,
        "A metric with a constant value of 1, labelled by the version of adaptivemmd.",
        [(build.as_slice(), 1.0)],
    );
    let one = |sheet: &mut Sheet, name, kind, help, value| {
        sheet.family(name, kind, help, [([].as_slice(), value)]);
    };
    let scans = whole(overview.scans);
    one(sheet, "scans_total", Kind::Counter, "Scans so far.", scans);
    one(
        sheet,
        "scan_seconds_total",
        Kind::Counter,
        "Time that all scans took so far.",
        overview.scans_seconds,
    );
    one(
        sheet,
        "scan_age_seconds",
        Kind::Gauge,
        "Time since the last scan.",
        overview.scanned_seconds_ago,
    );
    one(
        sheet,
        "scan_period_seconds",
        Kind::Gauge,
        "Time between two scans, as configured.",
        overview.period_seconds,
    );
    let reload = overview.reload.as_ref();
    let is_well = reload.is_none_or(|reload| reload.problem.is_none());
    one(
        sheet,
        "config_last_reload_successful",
        Kind::Gauge,
        "Whether the configuration was taken over when it was last read.",
        f64::from(u8::from(is_well)),
    );
}

fn of_log(overview: &Overview, sheet: &mut Sheet) {
    let events: Vec<_> = overview
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
        "Messages that the log did not take.",
        [([].as_slice(), whole(overview.log.lost))],
    );
}

fn of_tunables(overview: &Overview, sheet: &mut Sheet) {
    let tunables = || overview.tunables.iter();
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
        "What a tunable that modules may change is.",
        tunables()
            .filter_map(|t| Some((t.name.as_str(), value(t.value?))))
            .collect(),
    );
    family(
        "tunable_original_value",
        "What a tunable that the daemon has changed gets back.",
        tunables()
            .filter_map(|t| Some((t.name.as_str(), value(t.original?))))
            .collect(),
    );
    family(
        "tunable_yielded",
        "Whether a tunable is left alone, as somebody else has set it.",
        tunables()
            .map(|t| (t.name.as_str(), f64::from(u8::from(t.yielded))))
            .collect(),
    );
    let requests: Vec<_> = overview
        .requests
        .iter()
        .map(|r| {
            (
                [("module", r.module.as_str()), ("result", &r.fate)],
                whole(r.count),
            )
        })
        .collect();
    sheet.family(
        "requests_total",
        Kind::Counter,
        "What modules asked for so far, by what became of it.",
        requests
            .iter()
            .map(|(labels, value)| (labels.as_slice(), *value)),
    );
}

fn of_modules(overview: &Overview, sheet: &mut Sheet) {
    let up: Vec<_> = overview
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
        "Whether an enabled module did its work in the last scan.",
        up.iter().map(|(labels, value)| (labels.as_slice(), *value)),
    );
    let quarantined: Vec<_> = overview
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
        "Whether an enabled module is not asked any more.",
        quarantined
            .iter()
            .map(|(labels, value)| (labels.as_slice(), *value)),
    );
}

fn of_files(overview: &Overview, sheet: &mut Sheet) {
    let mut family = |name, help, value: fn(&Module) -> f64| {
        let modules = overview.modules.iter();
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
        "Time that reading the files of a module took so far, beside those that are read for everybody.",
        |module| module.files.seconds_total,
    );
    family(
        "module_files_bytes_total",
        "Text that was read of the files of a module so far, beside those that are read for everybody.",
        |module| whole(module.files.bytes_total),
    );
}

/// What a module says of itself, under its own name.
fn own(module: &Module, sheet: &mut Sheet) {
    for (name, value) in &module.metrics {
        let help = format!("{name} of the module {}.", module.name);
        let name = format!("{}_{name}", module.name);
        sheet.family(&name, Kind::Gauge, &help, [([].as_slice(), *value)]);
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
    Counter,
    Gauge,
}

#[derive(Debug, Default)]
struct Sheet {
    text: String,
    names: BTreeSet<String>,
}

impl Sheet {
    /// A metric with its samples; nothing if there are none, or if another has its name.
    fn family<'a>(
        &mut self,
        name: &str,
        kind: Kind,
        help: &str,
        samples: impl IntoIterator<Item = (&'a [(&'a str, &'a str)], f64)>,
    ) {
        let mut samples = samples.into_iter().peekable();
        let name = format!("adaptivemmd_{}", cleaned(name));
        if samples.peek().is_none() || !self.names.insert(name.clone()) {
            return;
        }
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let help = escaped(help);
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let labels: Vec<String> = labels
                .iter()
                .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
                .collect();
            let labels = match labels.as_slice() {
                [] => String::new(),
                labels => format!("{{{}}}", labels.join(",")),
            };
            let _ = writeln!(self.text, "{name}{labels} {value}");
        }
    }
}

/// What a name may consist of.
fn cleaned(name: &str) -> String {
    let clean = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    name.chars().map(clean).collect()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

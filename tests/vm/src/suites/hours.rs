//! Kernel memory is lost slowly, for hours and days: when the daemon as it is shipped tells of it, and whether what it says is true.

mod leaks;
mod report;

use std::time::Duration;

use serde_json::Value;

use self::leaks::{HOUR, LEAKS, Leak};
use self::report::{Course, Report, Told, per_hour};
use super::checks::Findings;
use super::{Bench, Errand, set};
use crate::cache::Tree;
use crate::machine::{Machine, Time};
use crate::outcome::Outcome;
use crate::problem::Result;
use crate::table::Table;

/// As shipped, but that an emulated processor may take as long for the evidence as it needs.
const CONFIG: &str = "\
[core]
evidence-budget-ms = 5000
";

/// Days in which nothing is lost.
const BENIGN: &str = "benign-days";
const BENIGN_HOURS: u32 = 48;

const HEADING: [&str; 9] = [
    "kernel",
    "lost",
    "MiB per hour",
    "noted after",
    "warned after",
    "promised",
    "told, MiB per hour",
    "available lasts",
    "named first",
];

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let is_wanted = |name: &str| bench.options.wants(name);
    let mut suite = Hours {
        bench,
        tree: bench.kernel()?,
        table: Table::new(&HEADING),
        findings: Findings::new(),
    };
    for leak in LEAKS.iter().filter(|leak| is_wanted(leak.name)) {
        suite.lose(leak)?;
    }
    if is_wanted(BENIGN) {
        suite.lose_nothing();
    }
    println!("\n{}", suite.table);
    Ok(suite.findings.print())
}

/// What came of it so far.
struct Hours<'a> {
    bench: &'a Bench<'a>,
    tree: Tree,
    table: Table,
    findings: Findings,
}

impl Hours<'_> {
    fn lose(&mut self, leak: &Leak) -> Result<()> {
        let settings = leak.settings(self.bench);
        let Some(outcome) = self.run(leak.name, leak.machine_mib, settings) else {
            return Ok(());
        };
        let incidents = outcome.read("incidents.jsonl")?;
        let mut ids = incidents.lines().filter_map(id);
        let report = match ids.next() {
            Some(id) => Report::parse(&outcome.read(&format!("{id}.json"))?),
            None => Report::default(),
        };
        self.add(
            leak,
            "it is no more than one incident",
            ids.next().is_none(),
        );
        let course = Course::parse(&outcome.read("lost.txt")?);
        self.judge(leak, &report, &course);
        self.tabulate(leak, &report, &course);
        Ok(())
    }

    fn lose_nothing(&mut self) {
        let hours = self.bench.secs(BENIGN_HOURS, 6);
        let settings = vec![set("CLASS", "none"), set("QUIET_SECS", hours * HOUR)];
        self.run(BENIGN, 1024, settings);
    }

    /// Runs one machine; nothing if it does not come to its end.
    fn run(
        &mut self,
        name: &str,
        mib: u64,
        mut settings: Vec<(&'static str, String)>,
    ) -> Option<Outcome> {
        let mut machine = Machine::of_nodes(1, mib);
        machine.time = Time::Skipping;
        // What looks after the processor and its clock several times a second would be most of what an idle machine does.
        "tsc=reliable nowatchdog".clone_into(&mut machine.command_line);
        machine.timeout = Duration::from_secs(1800);
        // Two scans.
        settings.push(set("SCAN_SECS", 65));
        let errand = Errand {
            script: "hours.sh",
            name,
            config: CONFIG,
            settings,
        };
        match self.bench.run(&machine, &self.tree, &errand) {
            Ok(outcome) => {
                self.findings.note(&self.tree, name, &outcome);
                Some(outcome)
            }
            Err(problem) => {
                println!("{problem}");
                self.findings
                    .add(&self.tree, name, "it runs to its end", false);
                None
            }
        }
    }

    /// Checks what was promised.
    fn judge(&mut self, leak: &Leak, report: &Report, course: &Course) {
        let within = f64::from(leak.within);
        let told = report.first_at(leak.severity);
        let is_in_time = told.is_some_and(|told| told.at - course.began() <= within);
        let promise = format!("it is a {} within {}", leak.severity, hours(within));
        self.add(leak, &promise, is_in_time);
        let is_right = told.is_some_and(|told| told.is_near(course.rate()));
        self.add(leak, "its rate is right to 10 %", is_right);
        if let Some(owner) = leak.owner {
            let first = report.first.as_ref();
            let is_named = first.is_some_and(|(first, _)| first.contains(owner));
            self.add(leak, &format!("{owner} is named first"), is_named);
        }
    }

    fn add(&mut self, leak: &Leak, what: &str, holds: bool) {
        self.findings.add(&self.tree, leak.name, what, holds);
    }

    fn tabulate(&mut self, leak: &Leak, report: &Report, course: &Course) {
        let after = |severity: &str| match report.first_at(severity) {
            Some(told) => hours(told.at - course.began()),
            None => "-".to_owned(),
        };
        let told = report.first_at(leak.severity);
        self.table.row([
            self.tree.kernel.series.to_owned(),
            leak.name.to_owned(),
            per_hour(course.rate()),
            after("notice"),
            after("warning"),
            format!("{}, {}", leak.severity, hours(f64::from(leak.within))),
            told.map_or("-".to_owned(), Told::range),
            told.map_or("-".to_owned(), |told| told.lasts.clone()),
            report.first_in_words(),
        ]);
    }
}

/// The name of an incident in a line of the list.
fn id(line: &str) -> Option<String> {
    let incident: Value = serde_json::from_str(line).ok()?;
    Some(incident["id"].as_str()?.to_owned())
}

fn hours(seconds: f64) -> String {
    format!("{:.2} h", seconds / f64::from(HOUR))
}

//! `adaptivemmd status`: how things stand, on one screen.

use std::fmt::Write;

use adaptivemm_module_api::units::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::control::ask;
use super::live::{self, Look};
use super::{Exit, complain, print, state_dir};
use crate::commands::cli::Cli;
use crate::incidents::Archive;
use crate::scan::TunableState;
use crate::status::{Files, Machine, Message, Module, RecentDecision, RecentIncident, Summary};

/// The width of the column of headings.
const HEADING: usize = 13;
/// The number of errors and warnings that fit on the screen with the rest.
const MESSAGES: usize = 5;
/// The number of incidents that fit on the screen with the rest.
const INCIDENTS: usize = 3;

pub(super) fn run(cli: &Cli, is_json: bool, is_stored: bool) -> Exit {
    let mut reply = match ask(cli, "Status", &json!({})) {
        Ok(reply) => reply,
        Err(exit) => return exit,
    };
    let now = if is_stored { None } else { look(cli) };
    if is_json {
        if let Some((id, now)) = &now {
            reply["now"] = json!({ "incident": id, "seen": now.object() });
        }
        return print(&format!("{reply}\n"));
    }
    match serde_json::from_value::<Summary>(reply) {
        Ok(summary) => {
            let now =
                now.map(|(id, now)| format!("now, as root, of incident {id}: {}", now.line()));
            print(&screen(&summary, now.as_deref(), &TimeZone::system()))
        }
        Err(error) => {
            complain(&format_args!(
                "cannot read the answer of the daemon, which is of another version: {error}"
            ));
            Exit::Failed
        }
    }
}

/// Returns the current holders of the memory of the newest incident, if it is open and root asks.
fn look(cli: &Cli) -> Option<(String, Look)> {
    let archive = Archive::below(&state_dir(cli));
    let ids = archive.ids().ok()?;
    let incident = archive.read(ids.last()?).ok()?;
    let look = live::look(&cli.root(), &archive, &incident)?;
    Some((incident.id, look))
}

fn screen(summary: &Summary, now: Option<&str>, zone: &TimeZone) -> String {
    let mut screen = Screen(String::new());
    screen.line(&head(summary));
    if let Some(reload) = &summary.reload {
        let text = match &reload.problem {
            None => "read again".to_owned(),
            Some(problem) => problem.clone(),
        };
        let time = time_of_day(&reload.time, zone);
        screen.row("settings", [format!("{time} {text}")]);
    }
    screen.row("memory", memory(&summary.machine));
    screen.row("tunables", summary.tunables.iter().map(tunable));
    screen.row("modules", summary.modules.iter().map(module));
    let mut changes = summary.decisions.iter().filter(|each| each.changed);
    let change = changes.next_back();
    screen.row(
        "last change",
        change.into_iter().flat_map(|it| decision(it, zone)),
    );
    let mut others = summary.decisions.iter().filter(|each| !each.changed);
    let other = others.next_back();
    if let Some(newer) = other.filter(|other| change.is_none_or(|change| change.id < other.id)) {
        screen.row("not done", decision(newer, zone));
    }
    let costly = summary
        .modules
        .iter()
        .filter(|module| module.files.bytes_total > 0);
    let costs: Vec<String> = costly.map(files).collect();
    if !costs.is_empty() {
        screen.row("files", costs);
    }
    let first = summary.incidents.len().saturating_sub(INCIDENTS);
    let incidents = &summary.incidents[first..];
    if !incidents.is_empty() || now.is_some() {
        let lines = incidents.iter().map(|it| incident(it, zone));
        screen.row("incidents", lines.chain(now.map(str::to_owned)));
    }
    let first = summary.messages.len().saturating_sub(MESSAGES);
    let last = summary.messages[first..].iter();
    screen.row("warnings", last.map(|it| message(it, zone)));
    screen.0
}

fn head(summary: &Summary) -> String {
    let scans = if summary.scans == 1 { "scan" } else { "scans" };
    format!(
        "adaptivemmd {} runs as process {}, for {}: {} {scans}, one every {} s, the last {} ago, in {:.1} ms",
        summary.version,
        summary.pid,
        span(summary.running_seconds),
        summary.scans,
        summary.period_seconds,
        span(summary.scanned_seconds_ago),
        summary.scan_seconds * 1000.0,
    )
}

fn memory(machine: &Machine) -> Vec<String> {
    let waited = machine.pressure_some_percent.map(|percent| {
        format!("in the last minute programs waited for memory for {percent:.2} % of the time")
    });
    let memory = machine.memory();
    let memory = memory.unwrap_or_else(|| "no module reads it".to_owned());
    [memory].into_iter().chain(waited).collect()
}

fn tunable(tunable: &TunableState) -> String {
    let TunableState {
        name,
        value,
        original,
        owner,
        yielded,
    } = tunable;
    let mut text = match value {
        Some(value) => format!("{name} = {value}"),
        None => format!("{name} is not in this kernel"),
    };
    // Writing to a string cannot fail.
    if let Some(original) = original {
        let owner = owner.as_deref().unwrap_or("nobody");
        let _ = write!(text, ", changed by {owner}, originally {original}");
    }
    if *yielded {
        text.push_str(", paused until `adaptivemmd resume`");
    }
    text
}

fn module(module: &Module) -> String {
    let Module {
        name,
        state,
        why,
        mode,
        status,
        ..
    } = module;
    let mut notes = Vec::new();
    if state != "running" {
        notes.push(state.as_str());
    }
    if mode == "advise" {
        notes.push("only advises");
    }
    let notes = match notes.as_slice() {
        [] => String::new(),
        notes => format!(" ({})", notes.join(", ")),
    };
    let text = why.as_deref().or(status.as_deref());
    format!("{name}{notes}: {}", text.unwrap_or("has no status"))
}

/// Returns the cost of the files of a module.
fn files(module: &Module) -> String {
    let Files {
        bytes,
        seconds,
        bytes_total,
        seconds_total,
    } = module.files;
    format!(
        "{}: {} in {:.2} ms in the last scan, {} in {:.1} ms in all",
        module.name,
        Bytes::new(bytes),
        seconds * 1000.0,
        Bytes::new(bytes_total),
        seconds_total * 1000.0,
    )
}

fn decision(decision: &RecentDecision, zone: &TimeZone) -> Vec<String> {
    let RecentDecision {
        id,
        time,
        module,
        action,
        outcome_text,
        reason,
        effect_text,
        ..
    } = decision;
    let time = time_of_day(time, zone);
    let mut lines = vec![
        format!("{time} {module}: {action}: {outcome_text} [decision {id}]"),
        format!("  because {reason}"),
    ];
    lines.extend(effect_text.iter().map(|text| format!("  {text}")));
    lines
}

fn incident(incident: &RecentIncident, zone: &TimeZone) -> String {
    let RecentIncident {
        time, module, text, ..
    } = incident;
    let time = time_of_day(time, zone);
    match &incident.open_since {
        Some(since) => {
            let what = if module == "memleak" {
                "leak"
            } else {
                "incident"
            };
            let since = time_of_day(since, zone);
            format!("{module}: {what} open since {since}, last looked at {time}: {text}")
        }
        None => format!("{time} {module}: {text}"),
    }
}

fn message(message: &Message, zone: &TimeZone) -> String {
    let Message {
        time,
        severity,
        module,
        text,
    } = message;
    format!("{} {severity} {module}: {text}", time_of_day(time, zone))
}

/// Returns the time of day in local time.
fn time_of_day(time: &str, zone: &TimeZone) -> String {
    let Ok(time) = time.parse::<Timestamp>() else {
        return time.to_owned();
    };
    let time = time.to_zoned(zone.clone());
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A span of time with two units at most.
fn span(seconds: f64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let seconds = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let seconds = seconds.as_secs();
    let first = UNITS.iter().position(|(unit, _)| seconds >= *unit);
    let Some(first) = first else {
        return "0 s".to_owned();
    };
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, name) in UNITS.iter().skip(first).take(2) {
        if left >= *unit {
            parts.push(format!("{} {name}", left / unit));
        }
        left %= unit;
    }
    parts.join(" ")
}

struct Screen(String);

impl Screen {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// Adds lines with a heading beside the first; "none" if there are none.
    fn row(&mut self, heading: &str, lines: impl IntoIterator<Item = String>) {
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_else(|| "none".to_owned());
        self.line(&format!("{heading:HEADING$}{first}"));
        for line in lines {
            self.line(&format!("{:HEADING$}{line}", ""));
        }
    }
}

#[cfg(test)]
mod tests;

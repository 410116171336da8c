//! The status of the daemon: what it sees, what it did last and why, what each module does, and what
//! was said last that somebody should look at. The names are interface.

use std::collections::BTreeMap;
use std::process;

use adaptivemm_module_api::units::Bytes;
use serde::{Deserialize, Serialize};

use super::modules_file;
use super::recent::{Recent, RecentDecision, RecentIncident, Reload};
use crate::base::clock;
use crate::config::{Isolation, ModuleMode};
use crate::kernel::{FileCosts, PRESSURE, Snapshot};
use crate::log::sinks::{Logger, Said};
use crate::modules::pool::ModuleHandle;
use crate::scan::Agent;
use crate::scan::TunableState;

/// The status of the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The version of the program.
    pub version: String,
    /// The process ID.
    pub pid: u32,
    /// The time when it started; RFC 3339, UTC.
    pub started: String,
    /// The time since it started.
    pub running_seconds: f64,
    /// The time between two scans.
    pub period_seconds: f64,
    /// The number of scans.
    pub scans: u64,
    /// The time since the last scan.
    pub scanned_seconds_ago: f64,
    /// The time of the last scan, since 1970.
    #[serde(default)]
    pub scanned_at_seconds: f64,
    /// The duration of the last scan, without what was done afterwards.
    pub scan_seconds: f64,
    /// The duration of all scans.
    pub scans_seconds: f64,
    /// True if memory stood still enough in the last scan that the files fit together.
    pub steady: bool,
    /// The memory of the machine.
    pub machine: Machine,
    /// The tunables that modules may change.
    pub tunables: Vec<TunableState>,
    /// The modules, by name.
    pub modules: Vec<Module>,
    /// The last ones, the newest last.
    pub decisions: Vec<RecentDecision>,
    /// The last ones, the newest last.
    pub incidents: Vec<RecentIncident>,
    /// The number of requests so far, by module and outcome.
    pub requests: Vec<Requests>,
    /// The last errors and warnings, the newest last.
    pub messages: Vec<Message>,
    /// The number of logged events so far.
    pub log: Log,
    /// The last time that the configuration was read again.
    pub reload: Option<Reload>,
}

/// The memory of the machine, as far as some module wants to know.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// `MemTotal`
    pub memory_bytes: Option<u64>,
    /// `MemFree`
    pub free_bytes: Option<u64>,
    /// `MemAvailable`
    pub available_bytes: Option<u64>,
    /// The share of the last minute in which some program waited for memory.
    pub pressure_some_percent: Option<f64>,
    /// The share of the last minute in which all programs waited at once.
    pub pressure_full_percent: Option<f64>,
}

/// A module at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Module {
    /// The name of the module.
    pub name: String,
    /// The version of the module.
    pub version: String,
    /// `running`, `failing`, `late`, `restarting`, `quarantined` or `idle`.
    pub state: String,
    /// The reason, if it does not simply run.
    pub why: Option<String>,
    /// `active` or `advise`.
    pub mode: String,
    /// `none` or `process`.
    pub isolation: String,
    /// The status line of the module.
    pub status: Option<String>,
    /// The cost of its files, without those that the core reads for all.
    #[serde(default)]
    pub files: Files,
    /// The metrics of the module.
    pub metrics: BTreeMap<String, f64>,
}

/// The cost of the files of a module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Files {
    /// The bytes that were read in the last scan.
    pub bytes: u64,
    /// The time that this took.
    pub seconds: f64,
    /// The bytes that were read since the daemon started.
    pub bytes_total: u64,
    /// The time that this took.
    pub seconds_total: f64,
}

/// The number of requests of a module with the same outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// The module that asked.
    pub module: String,
    /// The outcome, in kebab-case.
    pub outcome: String,
    /// The number of requests.
    pub count: u64,
}

/// An error or a warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The time in RFC 3339, UTC.
    pub time: String,
    /// `error` or `warning`.
    pub severity: String,
    /// The author.
    pub module: String,
    /// The text.
    pub text: String,
}

/// The number of logged events so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// The number of events by severity.
    pub events: BTreeMap<String, u64>,
    /// The number of messages that could not be written.
    pub lost: u64,
}

impl Summary {
    /// Takes the status of a daemon, between two scans.
    #[must_use]
    pub fn from_agent(agent: &Agent, journal: &Logger, latest: &Recent) -> Self {
        let recent = journal.recent();
        let now = clock::uptime();
        let snapshot = agent.snapshot();
        let events = Log::SEVERITIES.map(|severity| {
            let count = recent.count(severity);
            (severity.name().to_owned(), count)
        });
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: process::id(),
            started: latest.started().to_string(),
            running_seconds: now.since(latest.started_at()).as_secs_f64(),
            period_seconds: agent.period().as_secs_f64(),
            scans: snapshot.scan,
            scanned_seconds_ago: now.since(snapshot.uptime).as_secs_f64(),
            scanned_at_seconds: latest.scanned_at(),
            scan_seconds: latest.took().as_secs_f64(),
            scans_seconds: latest.took_in_all().as_secs_f64(),
            steady: snapshot.steady,
            machine: Machine::from_snapshot(snapshot),
            tunables: agent.tunables().collect(),
            modules: agent
                .handles()
                .iter()
                .map(|m| Module::from_handle(m, agent))
                .collect(),
            decisions: latest.decisions().cloned().collect(),
            incidents: latest.incidents().cloned().collect(),
            requests: latest.requests(),
            messages: recent.said().map(Message::from_said).collect(),
            log: Log {
                events: events.into(),
                lost: journal.dropped(),
            },
            reload: latest.reload().cloned(),
        }
    }
}

impl Machine {
    fn from_snapshot(snapshot: &Snapshot) -> Self {
        let bytes = |key| Some(snapshot.meminfo()?.bytes(key)?.get());
        let pressure = |who: &str| {
            let text = std::str::from_utf8(snapshot.file(PRESSURE)?).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix(who))?;
            let mut fields = line.split_whitespace();
            fields.find_map(|field| field.strip_prefix("avg60=")?.parse().ok())
        };
        Self {
            memory_bytes: bytes("MemTotal"),
            free_bytes: bytes("MemFree"),
            available_bytes: bytes("MemAvailable"),
            pressure_some_percent: pressure("some "),
            pressure_full_percent: pressure("full "),
        }
    }

    /// Returns the memory, and how much of it is free, for people.
    #[must_use]
    pub fn memory(&self) -> Option<String> {
        let total = Bytes::new(self.memory_bytes?);
        let part = |bytes: Option<u64>, what: &str| {
            bytes.map_or_else(String::new, |bytes| {
                format!(", {} {what}", Bytes::new(bytes))
            })
        };
        let free = part(self.free_bytes, "free");
        Some(format!(
            "{total}{free}{}",
            part(self.available_bytes, "available")
        ))
    }
}

impl Module {
    fn from_handle(handle: &ModuleHandle, agent: &Agent) -> Self {
        let stand = modules_file::stand(handle);
        let output = handle.output();
        let metrics = output.metrics().iter().filter(|n| n.value.is_finite());
        let settings = agent.settings(handle.name());
        let mode = settings.map_or(ModuleMode::Active, |(_, settings)| settings.mode);
        let isolation = settings.map_or(Isolation::None, |(module, settings)| {
            settings.isolation.unwrap_or(module.isolation)
        });
        Self {
            name: handle.name().to_owned(),
            version: handle.version().to_owned(),
            state: stand.state,
            why: stand.why,
            mode: match mode {
                ModuleMode::Active => "active",
                ModuleMode::Advise => "advise",
            }
            .to_owned(),
            isolation: match isolation {
                Isolation::None => "none",
                Isolation::Process => "process",
            }
            .to_owned(),
            files: Files::from(agent.file_costs(handle.name())),
            status: Some(output.status.clone()).filter(|status| !status.is_empty()),
            metrics: metrics.map(|n| (n.name.clone(), n.value)).collect(),
        }
    }
}

impl From<FileCosts> for Files {
    fn from(costs: FileCosts) -> Self {
        let FileCosts { last, total } = costs;
        Self {
            bytes: last.bytes,
            seconds: last.time.as_secs_f64(),
            bytes_total: total.bytes,
            seconds_total: total.time.as_secs_f64(),
        }
    }
}

impl Message {
    fn from_said(said: &Said) -> Self {
        Self {
            time: said.time.to_string(),
            severity: said.severity.name().to_owned(),
            module: said.module.clone(),
            text: said.text.clone(),
        }
    }
}

impl Log {
    const SEVERITIES: [adaptivemm_module_api::Severity; 5] = {
        use adaptivemm_module_api::Severity::{Debug, Error, Info, Notice, Warning};
        [Error, Warning, Notice, Info, Debug]
    };
}

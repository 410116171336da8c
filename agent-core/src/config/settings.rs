//! The configuration as the daemon uses it: every value present and in range.

use std::path::PathBuf;
use std::time::Duration;

use super::limits::{ChangeLimits, EvidenceBudget, IncidentLimits};
use crate::kernel::FileBudget;

use super::content::{Content, Value, key_text};
use super::merge::{Setting, find};
use super::schema::{ModuleSchema, module_table};

/// The result of reading the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Of the daemon itself.
    pub core: Core,
    /// One per installed module, in the order of the schemas.
    pub modules: Vec<ModuleSettings>,
}

/// `[core]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Core {
    /// From one scan to the next; 0.1 s to 1 h.
    pub period: Duration,
    /// How early and how strongly to act.
    pub aggressiveness: Aggressiveness,
    /// 0 to 5.
    pub verbosity: u8,
    /// Where the log goes.
    pub log_target: LogTarget,
    /// The Unix socket of the system log; absolute.
    pub syslog_socket: PathBuf,
    /// The Unix socket of the systemd journal; absolute.
    pub journal_socket: PathBuf,
    /// The directory of the lock and the control socket; absolute.
    pub runtime_dir: PathBuf,
    /// The directory of the decision log; absolute.
    pub state_dir: PathBuf,
    /// The directory of modules that are loaded; absolute.
    pub module_dir: PathBuf,
    /// How long a scan waits for its modules; `None` for a quarter of the
    /// period, at most 5 s.
    pub deadline: Option<Duration>,
    /// For how many scans a module may be late before it is quarantined; 1 to
    /// 1000.
    pub max_late: u32,
    /// What the files of each module may cost in a scan.
    pub file_budget: FileBudget,
    /// How often the machine may be changed, and when again after others.
    pub limits: ChangeLimits,
    /// How many incidents are kept; 0 for none.
    pub incidents: IncidentLimits,
    /// Whether all pages are counted for each incident.
    pub incident_census: bool,
    /// What evidence may cost each time it is taken; 10 ms to 1 min.
    pub evidence_budget: EvidenceBudget,
    /// What everybody is told of who holds memory.
    pub tell_owners: TellOwners,
}

/// What is told over the control socket of who holds memory, to whoever is neither root nor in the group adaptivemmd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TellOwners {
    /// The name of the program, and neither its process nor its service.
    Program,
    /// All that is known.
    All,
    /// Not even the program.
    None,
}

/// How early and how strongly to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aggressiveness {
    /// 1
    Low,
    /// 2
    Normal,
    /// 3
    High,
}

/// Where the log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogTarget {
    /// Wherever is right for the way the daemon was started.
    Auto,
    /// The system log.
    Syslog,
    /// The systemd journal.
    Journal,
    /// The terminal.
    Stderr,
}

/// `[modules.NAME]`. Equal if a module works in the same way with both: who set its options does not matter.
#[derive(Debug, Clone)]
pub struct ModuleSettings {
    /// The name of its schema.
    pub name: String,
    /// Whether it runs at all.
    pub enabled: bool,
    /// Whether it may change the machine.
    pub mode: ModuleMode,
    /// The shared object that holds it, absolute; `None` if it is linked in or
    /// in the directory of modules.
    pub path: Option<PathBuf>,
    /// Where it runs; `None` for what is right for the place it comes from.
    pub isolation: Option<Isolation>,
    /// How long a scan waits for it, 1 ms to 10 min; `None` for as long as for
    /// all modules.
    pub deadline: Option<Duration>,
    /// The tunables that it may change; `None` for all that it declares.
    pub allow: Option<Vec<String>>,
    /// Every option of the schema, in its order.
    pub values: Vec<(String, Value)>,
    /// The options that the administrator has set to something else than their defaults; not those that a package
    /// has set, or that follow `[core]`.
    pub written: Vec<String>,
}

/// Whether a module may change the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleMode {
    /// It may.
    Active,
    /// It says what it would change.
    Advise,
}

/// Where a module runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Within the daemon.
    None,
    /// In a process of its own.
    Process,
}

impl Aggressiveness {
    /// From 1, 2 or 3, as written in the configuration.
    #[must_use]
    pub fn from_scale(scale: i64) -> Option<Self> {
        match scale {
            1 => Some(Self::Low),
            2 => Some(Self::Normal),
            3 => Some(Self::High),
            _ => None,
        }
    }

    /// The time from one scan to the next, if the configuration does not say.
    #[must_use]
    pub fn period(self) -> Duration {
        Duration::from_secs(match self {
            Self::Low => 60,
            Self::Normal => 30,
            Self::High => 15,
        })
    }
}

impl Isolation {
    /// From its name in the configuration.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "process" => Some(Self::Process),
            _ => None,
        }
    }
}

impl Settings {
    /// From settings that were checked and merged.
    pub(crate) fn of(settings: &[Setting], modules: &[ModuleSchema]) -> Self {
        Self {
            core: Core::of(settings),
            modules: modules
                .iter()
                .map(|module| ModuleSettings::of(settings, module))
                .collect(),
        }
    }
}

impl Core {
    fn of(settings: &[Setting]) -> Self {
        let find = |key: &str| find(settings, &format!("core.{key}"));
        let path = |key| find(key).and_then(Content::text).map(PathBuf::from);
        let seconds = |key| find(key).and_then(Content::number).and_then(seconds);
        let scale = find("aggressiveness").and_then(Content::integer);
        let aggressiveness = scale
            .and_then(Aggressiveness::from_scale)
            .unwrap_or(Aggressiveness::Normal);
        Self {
            period: seconds("period-secs").unwrap_or(aggressiveness.period()),
            aggressiveness,
            verbosity: find("verbosity").and_then(whole).unwrap_or_default(),
            log_target: match find("log-target").and_then(Content::text) {
                Some("syslog") => LogTarget::Syslog,
                Some("journal") => LogTarget::Journal,
                Some("stderr") => LogTarget::Stderr,
                _ => LogTarget::Auto,
            },
            syslog_socket: path("syslog-socket").unwrap_or_default(),
            journal_socket: path("journal-socket").unwrap_or_default(),
            runtime_dir: path("runtime-dir").unwrap_or_default(),
            state_dir: path("state-dir").unwrap_or_default(),
            module_dir: path("module-dir").unwrap_or_default(),
            deadline: seconds("deadline-secs"),
            max_late: find("max-late").and_then(whole).unwrap_or(1),
            file_budget: FileBudget {
                bytes: find("module-files-kib")
                    .and_then(whole::<u64>)
                    .map_or(FileBudget::default().bytes, |kib| {
                        kib.saturating_mul(1 << 10)
                    }),
                cpu: find("module-files-ms")
                    .and_then(whole)
                    .map_or(FileBudget::default().cpu, Duration::from_millis),
            },
            limits: ChangeLimits {
                per_minute: find("max-changes-per-minute").and_then(whole).unwrap_or(1),
                resume_after: seconds("resume-secs").filter(|pause| !pause.is_zero()),
            },
            incidents: IncidentLimits {
                count: find("max-incidents").and_then(whole).unwrap_or_default(),
                bytes: find("max-incidents-mib")
                    .and_then(whole::<u64>)
                    .unwrap_or_default()
                    .saturating_mul(1 << 20),
            },
            incident_census: find("incident-census")
                .and_then(Content::boolean)
                .unwrap_or_default(),
            tell_owners: match find("tell-owners").and_then(Content::text) {
                Some("all") => TellOwners::All,
                Some("none") => TellOwners::None,
                _ => TellOwners::Program,
            },
            evidence_budget: find("evidence-budget-ms")
                .and_then(whole)
                .map_or_else(EvidenceBudget::default, |millis| {
                    EvidenceBudget::of(Duration::from_millis(millis))
                }),
        }
    }
}

impl PartialEq for ModuleSettings {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            name,
            enabled,
            mode,
            path,
            isolation,
            deadline,
            allow,
            values,
            written: _,
        } = self;
        (name, enabled, mode, path) == (&other.name, &other.enabled, &other.mode, &other.path)
            && (isolation, deadline, allow, values)
                == (
                    &other.isolation,
                    &other.deadline,
                    &other.allow,
                    &other.values,
                )
    }
}

impl ModuleSettings {
    fn of(settings: &[Setting], module: &ModuleSchema) -> Self {
        let table = module_table(&module.name);
        let find = |key: &str| find(settings, &format!("{table}.{key}"));
        let value = |name: &str, default: &Value| match find(&format!("config.{}", key_text(name)))
        {
            Some(Content::One(value)) => value.clone(),
            Some(Content::Names(_)) | None => default.clone(),
        };
        Self {
            name: module.name.clone(),
            enabled: find("enabled")
                .and_then(Content::boolean)
                .unwrap_or(module.enabled),
            mode: match find("mode").and_then(Content::text) {
                Some("advise") => ModuleMode::Advise,
                _ => ModuleMode::Active,
            },
            path: find("path").and_then(Content::text).map(PathBuf::from),
            isolation: find("isolation")
                .and_then(Content::text)
                .and_then(Isolation::from_name),
            deadline: find("deadline-ms")
                .and_then(whole)
                .map(Duration::from_millis),
            allow: find("allow")
                .and_then(Content::names)
                .map(<[String]>::to_vec),
            values: module
                .options
                .iter()
                .map(|option| (option.name.clone(), value(&option.name, &option.default)))
                .collect(),
            written: Vec::new(),
        }
    }
}

fn whole<T: TryFrom<i64>>(content: &Content) -> Option<T> {
    content.integer().and_then(|number| number.try_into().ok())
}

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}

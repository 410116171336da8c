//! The configuration as the daemon uses it: every value is present and in range.

use std::path::PathBuf;
use std::time::Duration;

use super::limits::{ChangeLimits, EvidenceBudget, IncidentLimits};
use crate::kernel::FileBudget;

use super::content::{Content, Value, key_text};
use super::merge::{Setting, find};
use super::schema::{ModuleSchema, OptionSchema, module_table};

/// The result of reading the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The settings of the daemon itself.
    pub core: Core,
    /// The settings of each installed module, in the order of the schemas.
    pub modules: Vec<ModuleSettings>,
}

/// The table `[core]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Core {
    /// The time from one scan to the next; 0.1 s to 1 h.
    pub period: Duration,
    /// The aggressiveness, which says how early and how strongly to act.
    pub aggressiveness: Aggressiveness,
    /// The verbosity, 0 to 5.
    pub verbosity: u8,
    /// The target of the log.
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
    /// The time for which a scan waits for its modules; `None` for a quarter of the
    /// period, at most 5 s.
    pub deadline: Option<Duration>,
    /// The number of scans for which a module may be late before it is quarantined; 1 to
    /// 1000.
    pub max_late: u32,
    /// The most that the files of each module may cost in a scan.
    pub file_budget: FileBudget,
    /// The limits of changes of the machine.
    pub limits: ChangeLimits,
    /// The limits of the incidents that are kept.
    pub incidents: IncidentLimits,
    /// True if all pages are counted for each incident.
    pub incident_census: bool,
    /// The most that evidence may cost each time it is taken; 10 ms to 1 min.
    pub evidence_budget: EvidenceBudget,
    /// The facts that everybody may learn about the holders of memory.
    pub tell_owners: TellOwners,
}

/// The facts about the holders of memory that the control socket tells users other than root and the group adaptivemmd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TellOwners {
    /// The name of the program, and neither its process nor its service.
    Program,
    /// Everything that is known.
    All,
    /// Nothing, not even the program.
    None,
}

/// The choice of how early and how strongly to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aggressiveness {
    /// 1
    Low,
    /// 2
    Normal,
    /// 3
    High,
}

/// The target of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogTarget {
    /// The target that suits the way the daemon was started.
    Auto,
    /// The system log.
    Syslog,
    /// The systemd journal.
    Journal,
    /// The terminal.
    Stderr,
}

/// The table `[modules.NAME]`. Two are equal if the module works in the same way with both: it does not matter who set its
/// options.
#[derive(Debug, Clone)]
pub struct ModuleSettings {
    /// The name of its schema.
    pub name: String,
    /// True if it runs.
    pub enabled: bool,
    /// The mode, which says if it may change the machine.
    pub mode: ModuleMode,
    /// The shared object that holds it, absolute; `None` if it is linked in or
    /// in the directory of modules.
    pub path: Option<PathBuf>,
    /// The isolation; `None` for the default of the place it comes from.
    pub isolation: Option<Isolation>,
    /// The time for which a scan waits for it, 1 ms to 10 min; `None` for the deadline of
    /// all modules.
    pub deadline: Option<Duration>,
    /// The tunables that it may change; `None` for all that it declares.
    pub allow: Option<Vec<String>>,
    /// Every option of the schema, in its order.
    pub values: Vec<(String, Value)>,
    /// The options that the administrator has set to another value than the default; not those that a package
    /// has set, or that follow `[core]`.
    pub written: Vec<String>,
}

/// The right of a module to change the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleMode {
    /// It may change the machine.
    Active,
    /// It says what it would change.
    Advise,
}

/// The place where a module runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// The module runs within the daemon.
    None,
    /// The module runs in a process of its own.
    Process,
}

impl Aggressiveness {
    /// Reads 1, 2 or 3, as written in the configuration.
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
    /// Reads the name in the configuration.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "process" => Some(Self::Process),
            _ => None,
        }
    }
}

impl Settings {
    /// Takes the settings from values that were checked and merged.
    pub(crate) fn from_values(values: &[Setting], modules: &[ModuleSchema]) -> Self {
        Self {
            core: Core::from_values(values),
            modules: modules
                .iter()
                .map(|module| ModuleSettings::from_values(values, module))
                .collect(),
        }
    }
}

/// The values of one table.
struct Table<'a> {
    name: &'a str,
    values: &'a [Setting],
}

impl<'a> Table<'a> {
    fn content(&self, key: &str) -> Option<&'a Content> {
        find(self.values, &format!("{}.{key}", self.name))
    }

    fn boolean(&self, key: &str) -> Option<bool> {
        self.content(key).and_then(Content::boolean)
    }

    fn whole<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        self.content(key)?.integer()?.try_into().ok()
    }

    fn seconds(&self, key: &str) -> Option<Duration> {
        Duration::try_from_secs_f64(self.content(key)?.number()?).ok()
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.content(key).and_then(Content::text)
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    /// A size in units of `unit` bytes, in bytes.
    fn bytes(&self, key: &str, unit: u64) -> Option<u64> {
        let count: u64 = self.whole(key)?;
        Some(count.saturating_mul(unit))
    }

    /// The value of an option of a module.
    fn option(&self, option: &OptionSchema) -> Value {
        match self.content(&format!("config.{}", key_text(&option.name))) {
            Some(Content::One(value)) => value.clone(),
            Some(Content::Names(_)) | None => option.default.clone(),
        }
    }
}

impl Core {
    fn from_values(values: &[Setting]) -> Self {
        let table = Table {
            name: "core",
            values,
        };
        let scale = table.whole("aggressiveness");
        let aggressiveness = scale
            .and_then(Aggressiveness::from_scale)
            .unwrap_or(Aggressiveness::Normal);
        Self {
            period: table
                .seconds("period-secs")
                .unwrap_or(aggressiveness.period()),
            aggressiveness,
            verbosity: table.whole("verbosity").unwrap_or_default(),
            log_target: match table.text("log-target") {
                Some("syslog") => LogTarget::Syslog,
                Some("journal") => LogTarget::Journal,
                Some("stderr") => LogTarget::Stderr,
                _ => LogTarget::Auto,
            },
            syslog_socket: table.path("syslog-socket").unwrap_or_default(),
            journal_socket: table.path("journal-socket").unwrap_or_default(),
            runtime_dir: table.path("runtime-dir").unwrap_or_default(),
            state_dir: table.path("state-dir").unwrap_or_default(),
            module_dir: table.path("module-dir").unwrap_or_default(),
            deadline: table.seconds("deadline-secs"),
            max_late: table.whole("max-late").unwrap_or(1),
            file_budget: FileBudget {
                bytes: table
                    .bytes("module-files-kib", 1 << 10)
                    .unwrap_or(FileBudget::default().bytes),
                cpu: table
                    .whole("module-files-ms")
                    .map_or(FileBudget::default().cpu, Duration::from_millis),
            },
            limits: ChangeLimits {
                per_minute: table.whole("max-changes-per-minute").unwrap_or(1),
                resume_after: table
                    .seconds("resume-secs")
                    .filter(|pause| !pause.is_zero()),
            },
            incidents: IncidentLimits {
                count: table.whole("max-incidents").unwrap_or_default(),
                bytes: table
                    .bytes("max-incidents-mib", 1 << 20)
                    .unwrap_or_default(),
            },
            incident_census: table.boolean("incident-census").unwrap_or_default(),
            tell_owners: match table.text("tell-owners") {
                Some("all") => TellOwners::All,
                Some("none") => TellOwners::None,
                _ => TellOwners::Program,
            },
            evidence_budget: table
                .whole("evidence-budget-ms")
                .map_or_else(EvidenceBudget::default, |millis| {
                    EvidenceBudget::from_cpu_time(Duration::from_millis(millis))
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
    fn from_values(values: &[Setting], module: &ModuleSchema) -> Self {
        let name = module_table(&module.name);
        let table = Table {
            name: &name,
            values,
        };
        let options = module.options.iter();
        Self {
            name: module.name.clone(),
            enabled: table.boolean("enabled").unwrap_or(module.enabled),
            mode: match table.text("mode") {
                Some("advise") => ModuleMode::Advise,
                _ => ModuleMode::Active,
            },
            path: table.path("path"),
            isolation: table.text("isolation").and_then(Isolation::from_name),
            deadline: table.whole("deadline-ms").map(Duration::from_millis),
            allow: table
                .content("allow")
                .and_then(Content::names)
                .map(<[String]>::to_vec),
            values: options
                .map(|option| (option.name.clone(), table.option(option)))
                .collect(),
            written: Vec::new(),
        }
    }
}

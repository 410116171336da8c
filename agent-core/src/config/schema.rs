//! The keys of the configuration, as data: validation, `show` and the manual all read them here.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::content::{Content, Value, key_text};
use crate::base::bounded::few;

/// The most options that a module may have.
pub(crate) const MAX_OPTIONS: usize = 256;

/// The settings of a module, which the module exports as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleSchema {
    /// The name, as in `[modules.NAME]`.
    pub name: String,
    /// The switch at the top of the file, such as `ENABLE_MEMLEAK_CHECK`.
    pub flag: Option<String>,
    /// True if it runs unless told otherwise.
    pub enabled: bool,
    /// The purpose of the module, in a sentence.
    pub description: String,
    /// The keys of `[modules.NAME.config]`.
    #[serde(deserialize_with = "few::<_, _, MAX_OPTIONS>")]
    pub options: Vec<OptionSchema>,
}

/// One key of `[modules.NAME.config]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptionSchema {
    /// The name with its unit, such as `min-growth-percent`.
    pub name: String,
    /// The default, whose kind is the kind of the option.
    pub default: Value,
    /// The smallest and the largest number accepted; `None` for no limit.
    pub range: Option<(f64, f64)>,
    /// The effect, in a sentence without its full stop: the manual and the shipped file have it from here.
    pub help: String,
}

/// One key of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The header of its table: `core`, `modules.NAME` or `modules.NAME.config`.
    pub table: String,
    /// The name, as written in the table.
    pub name: String,
    /// The values that it accepts.
    pub kind: ValueKind,
    /// The value if nobody sets it.
    pub default: Fallback,
    /// The effect, in a sentence without its full stop: the manual and the shipped file have it from here.
    pub help: String,
}

/// The value of a key that nobody sets.
#[derive(Debug, Clone, PartialEq)]
pub enum Fallback {
    /// A value that is always the same.
    Fixed(Content),
    /// A value that depends on other settings, in words.
    Derived(&'static str),
}

/// The values that a key accepts. Displayed as “a whole number from 1 to 3”.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueKind {
    /// `true` or `false`.
    Boolean,
    /// A whole number, within limits if there are any.
    Integer(Option<(f64, f64)>),
    /// Any finite number, within limits if there are any.
    Number(Option<(f64, f64)>),
    /// A string.
    Text,
    /// A string that is an absolute path.
    Path,
    /// A string that is one of these.
    Choice(&'static [&'static str]),
    /// An array of strings.
    Names,
}

/// The directory of the modules that are loaded. A packager sets
/// `ADAPTIVEMMD_MODULE_DIR` to an absolute path when the daemon is built.
pub(crate) const MODULE_DIR: &str = match option_env!("ADAPTIVEMMD_MODULE_DIR") {
    Some(directory) => directory,
    None => "/usr/lib/adaptivemmd/modules",
};
const _: () = assert!(
    matches!(MODULE_DIR.as_bytes(), [b'/', ..]),
    "ADAPTIVEMMD_MODULE_DIR must be an absolute path"
);

/// The keys of `[core]`.
#[must_use]
pub fn core_keys() -> Vec<Key> {
    let keys = usual_keys().into_iter();
    keys.chain(place_keys())
        .chain(limit_keys())
        .chain(incident_keys())
        .collect()
}

fn core_key(name: &str, kind: ValueKind, default: Fallback, help: &str) -> Key {
    Key::new("core", name, kind, default, help)
}

/// The keys that most administrators set.
fn usual_keys() -> [Key; 3] {
    [
        core_key(
            "period-secs",
            ValueKind::Number(Some((0.1, 3600.0))),
            Fallback::Derived("60, 30 or 15 for aggressiveness 1, 2 or 3"),
            "Time between scans, in seconds",
        ),
        core_key(
            "aggressiveness",
            ValueKind::Integer(Some((1.0, 3.0))),
            Fallback::integer(2),
            "How early and how strongly to act: 1 low, 2 normal, 3 high",
        ),
        core_key(
            "verbosity",
            ValueKind::Integer(Some((0.0, 5.0))),
            Fallback::integer(0),
            "How much to log: 0 only errors, warnings and changes, 5 everything",
        ),
    ]
}

/// The keys of files and directories.
fn place_keys() -> [Key; 6] {
    [
        core_key(
            "log-target",
            ValueKind::Choice(&["auto", "syslog", "journal", "stderr"]),
            Fallback::text("auto"),
            "Where to log; \"auto\" chooses by how the daemon was started",
        ),
        core_key(
            "syslog-socket",
            ValueKind::Path,
            Fallback::text("/dev/log"),
            "Unix socket of the system log",
        ),
        core_key(
            "journal-socket",
            ValueKind::Path,
            Fallback::text("/run/systemd/journal/socket"),
            "Unix socket of the systemd journal",
        ),
        core_key(
            "runtime-dir",
            ValueKind::Path,
            Fallback::text("/run/adaptivemmd"),
            "Directory of the lock, the control socket and the original values of tunables",
        ),
        core_key(
            "state-dir",
            ValueKind::Path,
            Fallback::text("/var/lib/adaptivemmd"),
            "Directory of decisions, incidents and what modules have learned",
        ),
        core_key(
            "module-dir",
            ValueKind::Path,
            Fallback::text(MODULE_DIR),
            "Directory from which every *.so is loaded as a module",
        ),
    ]
}

/// The keys that limit modules.
fn limit_keys() -> [Key; 6] {
    [
        core_key(
            "deadline-secs",
            ValueKind::Number(Some((0.01, 3600.0))),
            Fallback::Derived("a quarter of the period, at most 5"),
            "How long a scan waits for its modules, in seconds",
        ),
        core_key(
            "max-late",
            ValueKind::Integer(Some((1.0, 1000.0))),
            Fallback::integer(3),
            "For how many scans in a row a module may be late before it is quarantined",
        ),
        core_key(
            "module-files-kib",
            ValueKind::Integer(Some((1.0, 65_536.0))),
            Fallback::integer(1024),
            "How much text the files of a module may hold in a scan, in KiB, besides those that the core reads for every module",
        ),
        core_key(
            "module-files-ms",
            ValueKind::Integer(Some((1.0, 10_000.0))),
            Fallback::integer(5),
            "CPU time that reading the files of a module may take in a scan, in milliseconds, besides those that the core \
             reads for every module",
        ),
        core_key(
            "max-changes-per-minute",
            ValueKind::Integer(Some((1.0, 600.0))),
            Fallback::integer(12),
            "How often a tunable may be changed, or a node compacted, within a minute",
        ),
        core_key(
            "resume-secs",
            ValueKind::Integer(Some((0.0, 31_536_000.0))),
            Fallback::integer(0),
            "Time after which a tunable that was changed externally is tuned again, in seconds; 0 waits for \
             `adaptivemmd resume` or a restart",
        ),
    ]
}

/// The keys of incidents.
fn incident_keys() -> [Key; 5] {
    [
        core_key(
            "tell-owners",
            ValueKind::Choice(&["program", "all", "none"]),
            Fallback::text("program"),
            "What everybody may learn over the control socket about who holds memory; root and the group adaptivemmd \
             learn all of it",
        ),
        core_key(
            "max-incidents",
            ValueKind::Integer(Some((0.0, 10_000.0))),
            Fallback::integer(50),
            "How many incidents to keep; the oldest are deleted first, and 0 keeps none and collects no evidence",
        ),
        core_key(
            "max-incidents-mib",
            ValueKind::Integer(Some((1.0, 1_048_576.0))),
            Fallback::integer(64),
            "How much disk space incidents may take, in MiB; the newest one is always kept",
        ),
        core_key(
            "incident-census",
            ValueKind::Boolean,
            Fallback::boolean(false),
            "Count all pages in /proc/kpageflags for each incident, which takes 25 to 50 ms of CPU time per GiB of memory",
        ),
        core_key(
            "evidence-budget-ms",
            ValueKind::Integer(Some((10.0, 60_000.0))),
            Fallback::integer(100),
            "CPU time that collecting evidence may take each time, in milliseconds; at most 4 MiB of text are read per \
             100 ms",
        ),
    ]
}

/// The keys of `[modules.NAME]` and `[modules.NAME.config]`.
#[must_use]
pub fn module_keys(module: &ModuleSchema) -> Vec<Key> {
    let table = module_table(&module.name);
    let [path, isolation] = placing_keys(&module.name);
    let mut keys = vec![
        Key::new(
            &table,
            "enabled",
            ValueKind::Boolean,
            Fallback::Fixed(Content::One(Value::Boolean(module.enabled))),
            "Run the module; its flag, at the top of the file, says the same",
        ),
        Key::new(
            &table,
            "mode",
            ValueKind::Choice(&["active", "advise"]),
            Fallback::text("active"),
            "Carry out what the module asks for (\"active\"), or only log it (\"advise\")",
        ),
        path,
        isolation,
        Key::new(
            &table,
            "deadline-ms",
            ValueKind::Integer(Some((1.0, 600_000.0))),
            Fallback::Derived("deadline-secs of [core]"),
            "How long a scan waits for this module, in milliseconds",
        ),
        Key::new(
            &table,
            "allow",
            ValueKind::Names,
            Fallback::Derived("everything that the module declares"),
            "Tunables that the module may change, named as by sysctl(8), and \"compact-node\"",
        ),
    ];
    let config = format!("{table}.config");
    keys.extend(module.options.iter().map(|option| {
        let default = Fallback::Fixed(Content::One(option.default.clone()));
        Key::new(
            &config,
            &option.name,
            ValueKind::from_option(option),
            default,
            &option.help,
        )
    }));
    keys
}

/// The keys of `[modules.NAME]` that count before the module is there, because
/// they name the place that it comes from: `path` and `isolation`.
pub(crate) fn placing_keys(module: &str) -> [Key; 2] {
    let table = module_table(module);
    [
        Key::new(
            &table,
            "path",
            ValueKind::Path,
            Fallback::Derived("linked in, or in module-dir"),
            "Shared object that holds the module",
        ),
        Key::new(
            &table,
            "isolation",
            ValueKind::Choice(&["none", "process"]),
            Fallback::Derived(
                "\"none\" for modules that are linked in or in module-dir, \"process\" for all others",
            ),
            "Run the module in the daemon (\"none\"), or in an unprivileged process of its own (\"process\")",
        ),
    ]
}

/// The path of `[modules.NAME]`.
pub(crate) fn module_table(module: &str) -> String {
    format!("modules.{}", key_text(module))
}

/// All keys, in the order in which they are shown.
pub(crate) fn all_keys(modules: &[ModuleSchema]) -> Vec<Key> {
    let mut keys = core_keys();
    keys.extend(modules.iter().flat_map(module_keys));
    keys
}

impl Key {
    /// `TABLE.NAME`, which no other key has.
    pub(crate) fn path(&self) -> String {
        format!("{}.{}", self.table, key_text(&self.name))
    }

    fn new(table: &str, name: &str, kind: ValueKind, default: Fallback, help: &str) -> Self {
        Self {
            table: table.into(),
            name: name.into(),
            kind,
            default,
            help: help.into(),
        }
    }
}

impl Fallback {
    fn boolean(is_on: bool) -> Self {
        Self::Fixed(Content::One(Value::Boolean(is_on)))
    }

    fn integer(number: i64) -> Self {
        Self::Fixed(Content::One(Value::Integer(number)))
    }

    fn text(text: &str) -> Self {
        Self::Fixed(Content::One(Value::Text(text.into())))
    }
}

impl OptionSchema {
    /// True if it can be set to `value`.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        ValueKind::from_option(self)
            .accept(Content::One(value.clone()))
            .is_some()
    }
}

impl ValueKind {
    fn from_option(option: &OptionSchema) -> Self {
        match option.default {
            Value::Boolean(_) => Self::Boolean,
            Value::Integer(_) => Self::Integer(option.range),
            Value::Float(_) => Self::Number(option.range),
            Value::Text(_) => Self::Text,
        }
    }

    /// Returns `content` as a key of this kind holds it; `None` if the key does not accept
    /// it. A number may be written without a point.
    pub(crate) fn accept(&self, content: Content) -> Option<Content> {
        let (accepted, content) = match self {
            Self::Boolean => (content.boolean().is_some(), content),
            Self::Integer(range) => {
                let whole = content.integer().and(content.number());
                (whole.is_some_and(|number| within(*range, number)), content)
            }
            Self::Number(range) => {
                let number = content.number()?;
                let number = within(*range, number).then_some(number)?;
                (number.is_finite(), Content::One(Value::Float(number)))
            }
            Self::Text => (content.text().is_some(), content),
            Self::Path => (content.text().is_some_and(is_absolute_path), content),
            Self::Choice(names) => {
                let known = content.text().is_some_and(|text| names.contains(&text));
                (known, content)
            }
            Self::Names => (content.names().is_some(), content),
        };
        accepted.then_some(content)
    }
}

fn within(range: Option<(f64, f64)>, number: f64) -> bool {
    range.is_none_or(|(least, most)| (least..=most).contains(&number))
}

fn is_absolute_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains('\0')
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("true or false"),
            Self::Integer(None) => f.write_str("a whole number"),
            Self::Integer(Some((least, most))) => {
                write!(f, "a whole number from {least} to {most}")
            }
            Self::Number(None) => f.write_str("a number"),
            Self::Number(Some((least, most))) => write!(f, "a number from {least} to {most}"),
            Self::Text => f.write_str("a string in quotes"),
            Self::Path => f.write_str("an absolute path in quotes"),
            Self::Choice(names) => write!(f, "one of \"{}\"", names.join("\", \"")),
            Self::Names => f.write_str("an array of strings"),
        }
    }
}

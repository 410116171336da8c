//! Reads the `KEY=VALUE` file of adaptivemm 2.1, with its original meaning.
//!
//! Values are read as C's `strtoul` reads them. Unlike adaptivemm 2.1,
//! this reader goes on after a line that it does not know, and reports it.

use std::fmt;
use std::ops::Range;

use super::content::{Content, Value};
use super::diagnostic::{Diagnostic, did_you_mean};
use super::document::{Document, Place};
use super::native::owners_of_flag;
use super::schema::{Key, ModuleSchema, module_table};
use super::strtoul::{Fits, Number, strtoul};

/// The meaning of a value of the old file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// The number itself.
    Number,
    /// The aggressiveness: 1 low, 2 normal, 3 high.
    Aggressiveness,
    /// A switch: off if it is 0, on otherwise.
    Switch,
}

/// The keys that are not flags, and their names in TOML.
const KEYS: [(&str, &str, &str, Meaning); 6] = [
    ("VERBOSE", "core", "verbosity", Meaning::Number),
    (
        "AGGRESSIVENESS",
        "core",
        "aggressiveness",
        Meaning::Aggressiveness,
    ),
    (
        "MAXGAP",
        "modules.free-pages.config",
        "max-gap-gib",
        Meaning::Number,
    ),
    (
        "NEG_DENTRY_CAP",
        "modules.negative-dentry.config",
        "cap",
        Meaning::Number,
    ),
    (
        "NEG-DENTRY-CAP",
        "modules.negative-dentry.config",
        "cap",
        Meaning::Number,
    ),
    (
        "PREFER_OBJECT_CACHING",
        "modules.cache-pressure.config",
        "prefer-object-caching",
        Meaning::Switch,
    ),
];

/// The flags of the modules that adaptivemm 2.1 had built in.
const FLAGS: [(&str, &str); 5] = [
    ("ENABLE_MEMLEAK_CHECK", "memleak"),
    ("ENABLE_FREE_PAGE_MGMT", "free-pages"),
    ("ENABLE_COMPACTION", "compaction"),
    ("ENABLE_NEG_DENTRY_MGMT", "negative-dentry"),
    ("ENABLE_CACHE_PRESSURE_MGMT", "cache-pressure"),
];

/// A setting of the file, of a module that is installed or not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting {
    /// The key in the old file.
    key: String,
    /// The table of the key that it sets.
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) content: Content,
    pub(crate) place: Place,
}

impl Setting {
    /// The path of the key that it sets, if that is installed.
    pub(crate) fn path(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}   # {}", self.name, self.content, self.place)
    }
}

/// Table and name, in a TOML file, of a key of the old file.
pub(crate) fn native_name(key: &str) -> Option<(&'static str, &'static str)> {
    let (_, table, name, _) = KEYS.iter().find(|(known, ..)| *known == key)?;
    Some((table, name))
}

/// All settings of the file, in its order (a later line overrules an
/// earlier one), and the doubts about them. One note names the settings of
/// modules that are not installed.
pub(crate) fn read(
    document: &Document,
    keys: &[Key],
    modules: &[ModuleSchema],
) -> (Vec<Setting>, Vec<Diagnostic>) {
    let mut settings = Vec::new();
    let mut diagnostics = Vec::new();
    let mut missing: Vec<String> = Vec::new();
    for setting in lines(document, modules, &mut diagnostics) {
        let path = setting.path();
        let Some(known) = keys.iter().find(|key| key.path() == path) else {
            if !missing.contains(&setting.key) {
                missing.push(setting.key.clone());
            }
            settings.push(setting);
            continue;
        };
        if let Some(content) = known.kind.accept(setting.content.clone()) {
            settings.push(Setting { content, ..setting });
        } else {
            let (key, kind, content) = (setting.key, &known.kind, setting.content);
            let message = format!("{key} must be {kind}, found {content}; it is ignored");
            diagnostics.push(Diagnostic::warning(setting.place, &message));
        }
    }
    diagnostics.sort_by_key(Diagnostic::position);
    if !missing.is_empty() {
        let missing = missing.join(", ");
        let message = format!("the modules of these settings are not installed: {missing}");
        diagnostics.push(Diagnostic::note(document.whole(), &message));
    }
    (settings, diagnostics)
}

fn lines(
    document: &Document,
    modules: &[ModuleSchema],
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut offset = 0;
    for text in document.text().split_inclusive('\n') {
        match Line::parse(text, offset) {
            Parsed::Nothing => {}
            Parsed::Nonsense(span) => diagnostics.push(
                Diagnostic::warning(document.place(&span), "this line is not KEY=VALUE")
                    .hint(Some("it has no effect".into())),
            ),
            Parsed::Line(line) => settings.extend(line.settings(document, modules, diagnostics)),
        }
        offset += text.len();
    }
    let implied = settings
        .iter()
        .find(|each: &&Setting| each.key == "PREFER_OBJECT_CACHING");
    // The guidance for caches had no flag: it was on when this key was there.
    // It comes first in the list, so that the flag of today overrules it anywhere.
    if let Some(implied) = implied.cloned() {
        let table = module_table("cache-pressure");
        let (name, content) = ("enabled".into(), switch(1));
        settings.insert(
            0,
            Setting {
                table,
                name,
                content,
                ..implied
            },
        );
    }
    settings
}

/// A line of the form `KEY=VALUE`.
#[derive(Debug)]
struct Line {
    /// The key, without any blanks.
    key: String,
    key_span: Range<usize>,
    number: Number,
    /// The text after the number.
    rest: String,
    value_span: Range<usize>,
}

#[derive(Debug)]
enum Parsed {
    /// A blank line, or a comment.
    Nothing,
    /// A line that is neither that nor a setting.
    Nonsense(Range<usize>),
    Line(Line),
}

impl Line {
    fn parse(text: &str, offset: usize) -> Parsed {
        let visible = text.trim().trim_start_matches(BYTE_ORDER_MARK).trim_start();
        if visible.is_empty() || visible.starts_with('#') {
            return Parsed::Nothing;
        }
        let start = offset + text.len() - text.trim_start().len();
        let end = offset + text.trim_end().len();
        let Some((key, value)) = text.split_once('=') else {
            return Parsed::Nonsense(start..end);
        };
        let number = strtoul(value);
        Parsed::Line(Self {
            key: key.split_whitespace().collect(),
            key_span: start..offset + key.len(),
            rest: value[number.length..].trim().into(),
            number,
            value_span: end.min(offset + key.len() + 1)..end,
        })
    }

    /// The settings of the line, by their names in TOML: a flag may belong to several
    /// modules.
    fn settings(
        &self,
        document: &Document,
        modules: &[ModuleSchema],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<Setting> {
        let targets = self.targets(modules);
        let key_place = document.place(&self.key_span);
        if targets.is_empty() {
            let message = format!("unknown key `{}`", self.key);
            let hint = self.likely_cause(modules);
            diagnostics.push(Diagnostic::warning(key_place, &message).hint(Some(hint)));
            return Vec::new();
        }
        if let Some(message) = self.doubt() {
            let place = document.place(&self.value_span);
            diagnostics.push(Diagnostic::warning(place, &message));
        }
        let mut settings = Vec::new();
        for (table, name, meaning) in targets {
            if meaning == Meaning::Aggressiveness && !(1..=3).contains(&self.number.value) {
                let message = "AGGRESSIVENESS must be from 1 to 3; 2 is used";
                diagnostics.push(Diagnostic::warning(key_place.clone(), message));
            }
            settings.push(Setting {
                key: self.key.clone(),
                table,
                name,
                content: meaning.content(self.number.value),
                place: key_place.clone(),
            });
        }
        settings
    }

    fn targets(&self, modules: &[ModuleSchema]) -> Vec<(String, String, Meaning)> {
        let by_flag: Vec<&str> = modules
            .iter()
            .filter(|module| module.flag.as_ref() == Some(&self.key))
            .map(|module| module.name.as_str())
            .collect();
        let mut switched = owners_of_flag(&by_flag);
        if switched.is_empty() {
            let built_in = FLAGS.iter().filter(|(flag, _)| *flag == self.key);
            switched.extend(built_in.map(|(_, module)| *module));
        }
        let mut targets = Vec::new();
        for module in switched {
            targets.push((module_table(module), "enabled".into(), Meaning::Switch));
        }
        let keys = KEYS.iter().filter(|(key, ..)| *key == self.key);
        targets.extend(
            keys.map(|(_, table, name, meaning)| ((*table).into(), (*name).into(), *meaning)),
        );
        targets
    }

    fn likely_cause(&self, modules: &[ModuleSchema]) -> String {
        if self.key.starts_with(BYTE_ORDER_MARK) {
            return "the file begins with a byte order mark: remove it".into();
        }
        if self.key.starts_with("export") {
            return "write it without `export`".into();
        }
        let flags = modules.iter().filter_map(|module| module.flag.as_deref());
        let known = KEYS.iter().map(|(key, ..)| *key);
        let known = known
            .chain(FLAGS.iter().map(|(flag, _)| *flag))
            .chain(flags);
        did_you_mean(&self.key, known).unwrap_or_else(|| "this line has no effect".into())
    }

    /// The doubt about a value that may not be what its writer meant.
    fn doubt(&self) -> Option<String> {
        let number = self.number.value;
        if self.number.length == 0 {
            let what = if self.rest.is_empty() {
                "nothing"
            } else {
                &self.rest
            };
            return Some(format!(
                "{} must be a number; `{what}` counts as 0",
                self.key
            ));
        }
        if self.number.range == Fits::No {
            return Some(format!(
                "this number is out of range and counts as {number}"
            ));
        }
        let comment = self.rest.is_empty() || self.rest.starts_with('#');
        (!comment).then(|| format!("this counts as {number}; `{}` is ignored", self.rest))
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

impl Meaning {
    fn content(self, number: u64) -> Content {
        match self {
            Self::Number => whole(number),
            Self::Aggressiveness if (1..=3).contains(&number) => whole(number),
            Self::Aggressiveness => whole(2),
            Self::Switch => switch(number),
        }
    }
}

fn whole(number: u64) -> Content {
    Content::One(Value::Integer(i64::try_from(number).unwrap_or(i64::MAX)))
}

fn switch(number: u64) -> Content {
    Content::One(Value::Boolean(number != 0))
}

#[cfg(test)]
mod tests;

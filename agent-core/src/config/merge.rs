//! Chooses the value that counts among all that were given for a key.

use std::collections::HashMap;
use std::fmt;

use super::content::{Content, Value, key_text};
use super::diagnostic::Diagnostic;
use super::document::Place;
use super::schema::{Fallback, Key};

/// The source of a value; of two, the higher counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    /// A package, below `/usr`.
    Vendor,
    /// The administrator, in the file of adaptivemm 2.1.
    Legacy,
    /// The administrator, below `/etc` or `/run` or in a file named with `-c`.
    Native,
    /// Whoever started the daemon.
    CommandLine,
}

impl Layer {
    /// Weighs a problem in a file of this layer. A package must not keep the daemon from starting: wrong settings in its
    /// files are left out, and the rest of them counts.
    pub(crate) fn weighed(self, diagnostic: Diagnostic) -> Diagnostic {
        match self {
            Self::Vendor => diagnostic.at_most_warning(),
            Self::Legacy | Self::Native | Self::CommandLine => diagnostic,
        }
    }
}

/// A value that someone gave for a key.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    /// The path of the key, as from [`Key::path`].
    pub(crate) path: String,
    pub(crate) content: Content,
    pub(crate) layer: Layer,
    pub(crate) place: Place,
}

impl Assignment {
    /// The value, if it is a string.
    pub(crate) fn text(&self) -> Option<&str> {
        self.content.text()
    }
}

/// A key with the value that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The key.
    pub key: Key,
    /// The value; `None` if it was not set and the default depends on
    /// other settings.
    pub content: Option<Content>,
    /// The origin of the value.
    pub origin: Origin,
}

/// The origin of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// It was set here.
    Set(Place),
}

/// Switches that follow another one as long as nobody sets them.
const FOLLOWS: [(&str, &str); 1] = [("modules.compaction.enabled", "modules.free-pages.enabled")];

/// The setting that options of the same name follow in modules, as long as nobody sets them.
const AGGRESSIVENESS: (&str, &str) = ("core", "aggressiveness");

/// The assignments that count, by path. Within a layer the last one does.
pub(crate) fn in_force(assignments: &[Assignment]) -> HashMap<&str, &Assignment> {
    let mut in_force = HashMap::new();
    for given in assignments {
        let counts = in_force.entry(given.path.as_str()).or_insert(given);
        if given.layer >= counts.layer {
            *counts = given;
        }
    }
    in_force
}

/// Gives each key its value.
pub(crate) fn merge(keys: &[Key], assignments: &[Assignment]) -> Vec<Setting> {
    let in_force = in_force(assignments);
    let mut settings = Vec::new();
    for key in keys {
        let given = in_force.get(key.path().as_str()).copied();
        settings.push(setting(key, given));
    }
    for (follower, leader) in FOLLOWS {
        follow(&mut settings, follower, leader);
    }
    let (core, name) = AGGRESSIVENESS;
    let leader = format!("{core}.{name}");
    for key in keys
        .iter()
        .filter(|key| key.name == name && key.table != core)
    {
        follow(&mut settings, &key.path(), &leader);
    }
    let scale = find(&settings, &leader).and_then(Content::integer);
    let period = scale
        .and_then(super::Aggressiveness::from_scale)
        .map(super::Aggressiveness::period);
    for setting in &mut settings {
        if setting.key.path() == "core.period-secs" && setting.content.is_none() {
            setting.content = period.map(|period| Content::One(Value::Float(period.as_secs_f64())));
        }
    }
    settings
}

fn setting(key: &Key, given: Option<&Assignment>) -> Setting {
    let (content, origin) = match given {
        Some(given) => (
            Some(given.content.clone()),
            Origin::Set(given.place.clone()),
        ),
        None => match &key.default {
            Fallback::Fixed(content) => (Some(content.clone()), Origin::Default),
            Fallback::Derived(_) => (None, Origin::Default),
        },
    };
    Setting {
        key: key.clone(),
        content,
        origin,
    }
}

fn follow(settings: &mut [Setting], follower: &str, leader: &str) {
    let Some(leader) = settings
        .iter()
        .find(|each| each.key.path() == leader)
        .cloned()
    else {
        return;
    };
    for setting in settings
        .iter_mut()
        .filter(|each| each.key.path() == follower)
    {
        let content = leader.content.clone();
        // A module may give the name another meaning.
        let accepted = content.and_then(|content| setting.key.kind.accept(content));
        if setting.origin == Origin::Default
            && leader.origin != Origin::Default
            && accepted.is_some()
        {
            setting.content = accepted;
            setting.origin = leader.origin.clone();
        }
    }
}

/// The value of the key with this path.
pub(crate) fn find<'a>(settings: &'a [Setting], path: &str) -> Option<&'a Content> {
    let setting = settings.iter().find(|each| each.key.path() == path)?;
    setting.content.as_ref()
}

/// A warning for each value of the legacy file that a native one overrules.
pub(crate) fn overruled(keys: &[Key], assignments: &[Assignment]) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    for key in keys {
        let path = key.path();
        let legacy = last(assignments, &path, Layer::Legacy);
        let native = last(assignments, &path, Layer::Native);
        let (Some(legacy), Some(native)) = (legacy, native) else {
            continue;
        };
        if legacy.content != native.content {
            let message = format!(
                "`{path}` is {} as set in {}; the value {} set here is ignored",
                native.content, native.place, legacy.content
            );
            let hint = "remove one of the two".to_owned();
            warnings.push(Diagnostic::warning(legacy.place.clone(), &message).hint(Some(hint)));
        }
    }
    warnings
}

fn last<'a>(assignments: &'a [Assignment], path: &str, layer: Layer) -> Option<&'a Assignment> {
    let mut latest_first = assignments.iter().rev();
    latest_first.find(|given| given.path == path && given.layer == layer)
}

/// All settings as TOML, each with its origin.
pub(crate) fn show(settings: &[Setting]) -> String {
    let lines = settings
        .iter()
        .map(|setting| (setting.key.table.as_str(), setting.to_string()));
    tables(lines)
}

/// Writes lines, each with the name of its table, as TOML. Lines of one table are next
/// to each other.
pub(crate) fn tables<'a>(lines: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut text = Vec::new();
    let mut current = None;
    for (table, line) in lines {
        if current != Some(table) {
            // An empty line between tables, not above the first.
            text.extend(current.map(|_| String::new()));
            text.push(format!("[{table}]"));
            current = Some(table);
        }
        text.push(line);
    }
    text.push(String::new());
    text.join("\n")
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = key_text(&self.key.name);
        match (&self.content, &self.key.default) {
            (Some(content), _) => write!(f, "{name} = {content}   # {}", self.origin),
            (None, Fallback::Derived(how)) => write!(f, "# {name} is not set: {how}"),
            (None, Fallback::Fixed(content)) => write!(f, "# {name} is not set: {content}"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Set(place) => place.fmt(f),
        }
    }
}

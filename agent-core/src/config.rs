//! The configuration: TOML files, the file of adaptivemm 2.1 and the command
//! line, read into [`Settings`] that cannot be wrong.
//!
//! Nothing stops at the first problem: whoever repairs a configuration sees all
//! of them at once, each with its place and what to do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

mod content;
mod diagnostic;
mod document;
mod legacy;
mod limits;
mod lookup;
mod merge;
mod native;
mod placements;
mod schema;
mod settings;
mod strtoul;
#[cfg(test)]
mod tests;

pub use content::{Content, Value};
pub(crate) use diagnostic::did_you_mean;
pub use diagnostic::{Diagnostic, Severity};
pub use document::Place;
pub use limits::{ChangeLimits, EvidenceBudget, IncidentLimits};
pub use lookup::legacy_path;
pub(crate) use lookup::read;
pub use merge::{Origin, Setting};
pub use placements::{Placement, Placements, placements};
pub(crate) use schema::MAX_OPTIONS;
pub use schema::{Fallback, Key, ModuleSchema, OptionSchema, ValueKind, core_keys, module_keys};
pub use settings::{
    Aggressiveness, Core, Isolation, LogTarget, ModuleMode, ModuleSettings, Settings, TellOwners,
};

use document::Document;
use merge::{Assignment, Layer};

/// The sources of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// `/`, or the tree below which `/etc`, `/run` and `/usr` are looked up.
    pub root: PathBuf,
    /// Exactly this file instead of the lookup (`-c`). `*.toml` is TOML, any
    /// other the format of adaptivemm 2.1. Not below `root`.
    pub file: Option<PathBuf>,
    /// A file to be judged as if it were a drop-in in `/etc`, under its own
    /// base name (`check-config --drop-in`).
    pub drop_in: Option<PathBuf>,
    /// The settings of the command line; they overrule every file.
    pub command_line: CommandLine,
}

/// The settings of the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The number of times that `-v` was given; more than 5 count as 5.
    pub verbosity: Option<u8>,
    /// The value of `-a`, 1 to 3.
    pub aggressiveness: Option<i64>,
    /// The value of `-m`, in GiB.
    pub max_gap_gib: Option<u64>,
}

/// A configuration that has been read.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings; they may be used only if the configuration is valid.
    pub settings: Settings,
    /// All problems, file by file and line by line.
    pub diagnostics: Vec<Diagnostic>,
    /// Every key with its value and the origin of that.
    pub values: Vec<Setting>,
    /// The files that were read; a later one overrules those before it.
    pub files: Vec<PathBuf>,
}

/// A file of adaptivemm 2.1 as TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The text for a file `*.toml`.
    pub toml: String,
    /// The doubts about the old file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads everything, for a daemon with these modules.
#[must_use]
pub fn load(sources: &Sources, modules: &[ModuleSchema]) -> Loaded {
    // Looked up first: the file that places a module may not be the one that
    // configures it.
    let placed = placements(sources).modules;
    let mut loader = Loader::gather(sources, modules, &placed);
    let overruled = merge::overruled(&loader.keys, &loader.assignments);
    loader.diagnostics.extend(overruled);
    let values = merge::merge(&loader.keys, &loader.assignments);
    let mut settings = Settings::from_values(&values, modules);
    note_written(&mut settings, &loader);
    Loaded {
        settings,
        diagnostics: diagnostic::few(loader.diagnostics),
        values,
        files: loader.files,
    }
}

/// Notes the options of modules that the administrator has set.
fn note_written(settings: &mut Settings, loader: &Loader<'_>) {
    let in_force = merge::in_force(&loader.assignments);
    for (module, settings) in loader.modules.iter().zip(&mut settings.modules) {
        let table = schema::module_table(&module.name);
        for (option, (_, value)) in module.options.iter().zip(&settings.values) {
            let path = format!("{table}.config.{}", content::key_text(&option.name));
            let given = in_force.get(path.as_str());
            let is_theirs = given.is_some_and(|given| given.layer > Layer::Vendor);
            if is_theirs && *value != option.default {
                settings.written.push(option.name.clone());
            }
        }
    }
}

/// The legacy file as TOML, with the settings of modules that are not
/// installed: they may be some day.
#[must_use]
pub fn convert(legacy_text: &[u8], path: &Path, modules: &[ModuleSchema]) -> Converted {
    let document = Document::new(path, String::from_utf8_lossy(legacy_text).into());
    let keys = schema::all_keys(modules);
    let (mut settings, diagnostics) = legacy::read(&document, &keys, modules);
    // The last of equal keys counts; a stable sort keeps it last.
    settings.sort_by(|a, b| (&a.table, &a.name).cmp(&(&b.table, &b.name)));
    let equal_keys = settings.chunk_by(|a, b| a.path() == b.path());
    let lines = equal_keys.filter_map(<[_]>::last);
    let toml = merge::tables(lines.map(|setting| (setting.table.as_str(), setting.to_string())));
    Converted {
        toml,
        diagnostics: diagnostic::few(diagnostics),
    }
}

impl Loaded {
    /// True if the daemon can run with it, as there are no errors.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// All settings as TOML, each with its origin. Loading it gives the same
    /// settings.
    #[must_use]
    pub fn show(&self) -> String {
        merge::show(&self.values)
    }
}

/// Gathers the values of all sources.
#[derive(Debug)]
struct Loader<'a> {
    keys: Vec<Key>,
    modules: &'a [ModuleSchema],
    placed: &'a [Placement],
    assignments: Vec<Assignment>,
    /// The modules that are set but not among the schemas.
    absent: BTreeSet<String>,
    diagnostics: Vec<Diagnostic>,
    files: Vec<PathBuf>,
}

impl<'a> Loader<'a> {
    fn gather(sources: &Sources, modules: &'a [ModuleSchema], placed: &'a [Placement]) -> Self {
        let mut loader = Self {
            keys: schema::all_keys(modules),
            modules,
            placed,
            assignments: Vec::new(),
            absent: BTreeSet::new(),
            diagnostics: Vec::new(),
            files: Vec::new(),
        };
        match &sources.file {
            Some(file) => {
                loader.exactly(file);
                if let Some(drop_in) = &sources.drop_in {
                    loader.native(drop_in, Layer::Native);
                }
            }
            None => loader.lookup(sources),
        }
        loader.command_line(&sources.command_line);
        loader
    }

    fn exactly(&mut self, file: &Path) {
        if file
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            return self.native(file, Layer::Native);
        }
        match lookup::read(file) {
            Ok(bytes) => self.legacy(file, &bytes),
            Err(error) => self.diagnostics.push(unreadable(file, &error)),
        }
    }

    fn lookup(&mut self, sources: &Sources) {
        let candidate = sources.drop_in.as_deref();
        let (files, diagnostics) = lookup::native_files(&sources.root, candidate);
        self.diagnostics.extend(diagnostics);
        for file in &files {
            self.native(&file.path, file.layer);
        }
        let Some(path) = legacy_path(&sources.root) else {
            return;
        };
        match lookup::read(&path) {
            Ok(bytes) => self.legacy(&path, &bytes),
            Err(error) => {
                let message = format!("{error}; it is ignored");
                self.diagnostics
                    .push(Diagnostic::warning(Place::file(&path), &message));
            }
        }
    }

    fn native(&mut self, path: &Path, layer: Layer) {
        let bytes = match lookup::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let error = layer.weighed(unreadable(path, &error));
                return self.diagnostics.push(error);
            }
        };
        self.files.push(path.to_owned());
        // Bytes that are not UTF-8 are replaced, so that all other problems are found.
        let document = Document::new(path, String::from_utf8_lossy(&bytes).into());
        if let Err(error) = std::str::from_utf8(&bytes) {
            let at = error.valid_up_to();
            let message = format!("not UTF-8: byte {:#04x} at position {at}", bytes[at]);
            let place = document.place(&(at..at + 1));
            let error = layer.weighed(Diagnostic::error(place, &message));
            self.diagnostics.push(error);
        }
        let keys = &self.keys;
        let said = native::Reader::new(&document, layer, keys, self.modules, self.placed).read();
        self.assignments.extend(said.assignments);
        self.absent.extend(said.absent);
        let diagnostics = said.diagnostics.into_iter();
        self.diagnostics
            .extend(diagnostics.map(|each| layer.weighed(each)));
    }

    fn legacy(&mut self, path: &Path, bytes: &[u8]) {
        self.files.push(path.to_owned());
        let document = Document::new(path, String::from_utf8_lossy(bytes).into());
        let (settings, diagnostics) = legacy::read(&document, &self.keys, self.modules);
        // Settings of modules that are not installed match no key later on.
        self.assignments
            .extend(settings.into_iter().map(|setting| Assignment {
                path: setting.path(),
                content: setting.content,
                layer: Layer::Legacy,
                place: setting.place,
            }));
        self.diagnostics.extend(diagnostics);
    }

    fn command_line(&mut self, given: &CommandLine) {
        let verbosity = given.verbosity.map(|count| count.min(5).into());
        let gap = given
            .max_gap_gib
            .map(|gap| i64::try_from(gap).unwrap_or(i64::MAX));
        for (option, path, number) in [
            ("-v", "core.verbosity", verbosity),
            ("-a", "core.aggressiveness", given.aggressiveness),
            ("-m", "modules.free-pages.config.max-gap-gib", gap),
        ] {
            if let Some(number) = number {
                self.option(option, path, number);
            }
        }
    }

    fn option(&mut self, option: &str, path: &str, number: i64) {
        let place = Place::command_line(option);
        let Some(key) = self.keys.iter().find(|key| key.path() == path) else {
            let message = format!("the module of `{path}` is not installed");
            return self.diagnostics.push(Diagnostic::warning(place, &message));
        };
        let Some(content) = key.kind.accept(Content::One(Value::Integer(number))) else {
            let message = format!("this must be {}, found {number}", key.kind);
            return self.diagnostics.push(Diagnostic::error(place, &message));
        };
        self.assignments.push(Assignment {
            path: path.into(),
            content,
            layer: Layer::CommandLine,
            place,
        });
    }
}

fn unreadable(path: &Path, error: &lookup::Unreadable) -> Diagnostic {
    Diagnostic::error(Place::file(path), &error.to_string())
}

//! Reads one TOML file: everything it sets, and all problems of it.

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::content::{Content, Value, key_text};
use super::diagnostic::{Diagnostic, did_you_mean, nearest};
use super::document::Document;
use super::legacy;
use super::merge::{Assignment, Layer};
use super::placements::Placement;
use super::schema::{Key, ModuleSchema, module_table, placing_keys};
use crate::base::linked::CHOSEN;

/// Reads a document against the keys there are.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    document: &'a Document,
    layer: Layer,
    keys: &'a [Key],
    modules: &'a [ModuleSchema],
    placed: &'a [Placement],
    said: Reading,
}

/// The content of a document.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) assignments: Vec<Assignment>,
    /// The modules with a table that are not among the schemas.
    pub(crate) absent: Vec<String>,
    /// All problems, in the order of the lines.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// An entry of a table: a name with its value.
type Entry<'t, 'i> = (&'t Spanned<DeString<'i>>, &'t Spanned<DeValue<'i>>);

impl<'a> Reader<'a> {
    /// Makes a reader of `document`, whose values belong to `layer`. Modules
    /// that are `placed` but have no schema could not be loaded.
    pub(crate) fn new(
        document: &'a Document,
        layer: Layer,
        keys: &'a [Key],
        modules: &'a [ModuleSchema],
        placed: &'a [Placement],
    ) -> Self {
        Self {
            document,
            layer,
            keys,
            modules,
            placed,
            said: Reading::default(),
        }
    }

    /// Reads the whole document.
    pub(crate) fn read(mut self) -> Reading {
        let (table, errors) = DeTable::parse_recoverable(self.document.text());
        self.top(table.get_ref());
        let mut broken = HashSet::new();
        let mut syntax = Vec::new();
        for error in errors {
            let span = error.span().unwrap_or_default();
            broken.extend(self.lines_in_doubt(span.start));
            syntax.push(Diagnostic::error(
                self.document.place(&span),
                error.message(),
            ));
        }
        let mut said = self.said;
        said.assignments
            .retain(|each| !broken.contains(&each.place.position().0));
        said.diagnostics
            .retain(|each| !broken.contains(&each.position().0));
        said.diagnostics.append(&mut syntax);
        said.diagnostics.sort_by_key(Diagnostic::position);
        said
    }

    /// The lines that the parser has probably misunderstood after a syntax
    /// error: that line, and after a broken header all that is below it.
    fn lines_in_doubt(&self, offset: usize) -> Range<usize> {
        let first = self.document.line_number(offset);
        let mut end = first + 1;
        while self.is_header(first) && end <= self.document.line_count() && !self.is_header(end) {
            end += 1;
        }
        first..end
    }

    fn is_header(&self, line: usize) -> bool {
        self.document.line(line).trim_start().starts_with('[')
    }

    fn top(&mut self, table: &DeTable<'_>) {
        for entry in table {
            match entry.0.get_ref().as_ref() {
                "core" => self.table("core", entry),
                "modules" => self.modules(entry),
                name if name.starts_with("ENABLE_") => self.flag(entry),
                _ => self.unknown("", entry.0),
            }
        }
    }

    fn modules(&mut self, entry: Entry<'_, '_>) {
        let Some(table) = self.expect_table("modules", entry) else {
            return;
        };
        let modules = self.modules;
        for entry in table {
            let name = entry.0.get_ref().as_ref();
            if modules.iter().any(|module| module.name == name) {
                self.module(&module_table(name), entry);
            } else {
                self.absent(entry);
            }
        }
    }

    /// Reads the table of a module that is not there. The place that it comes from is read
    /// all the same, so that it can be loaded.
    fn absent(&mut self, (name, value): Entry<'_, '_>) {
        let typed = name.get_ref().as_ref();
        self.said.absent.push(typed.into());
        let table = value.get_ref().as_table();
        for key in placing_keys(typed) {
            if let Some(entry) = table.and_then(|table| table.get_key_value(key.name.as_str())) {
                self.set(&key, entry);
            }
        }
        let placed = self.placed.iter().find(|placed| placed.name == typed);
        if let Some(path) = placed.and_then(|placed| placed.path.as_deref()) {
            let path = path.display();
            let message = format!(
                "module `{typed}` could not be loaded from {path}; its settings have no effect"
            );
            self.warning(&name.span(), &message);
        } else if table.is_none_or(|table| !table.contains_key("path")) {
            let installed = self.modules.iter().map(|module| module.name.as_str());
            self.not_installed("module", "module", name, nearest(typed, installed));
        }
    }

    fn module(&mut self, path: &str, entry: Entry<'_, '_>) {
        let Some(table) = self.expect_table(path, entry) else {
            return;
        };
        for entry in table {
            if entry.0.get_ref() == "config" {
                self.table(&format!("{path}.config"), entry);
            } else {
                self.key(path, entry);
            }
        }
    }

    fn table(&mut self, path: &str, entry: Entry<'_, '_>) {
        if let Some(table) = self.expect_table(path, entry) {
            for entry in table {
                self.key(path, entry);
            }
        }
    }

    fn expect_table<'t, 'i>(
        &mut self,
        path: &str,
        entry: Entry<'t, 'i>,
    ) -> Option<&'t DeTable<'i>> {
        let table = entry.1.get_ref().as_table();
        if table.is_none() {
            let message = format!("`{path}` must be a table, found {}", self.found(entry.1));
            let hint = Some(format!("write `[{path}]` on a line of its own"));
            self.error(&entry.0.span(), &message, hint);
        }
        table
    }

    fn key(&mut self, table: &str, entry: Entry<'_, '_>) {
        let name = entry.0;
        let keys = self.keys;
        let mut keys = keys.iter().filter(|key| key.table == table);
        match keys.find(|key| key.name == *name.get_ref()) {
            Some(key) => self.set(key, entry),
            None => self.unknown(table, name),
        }
    }

    fn set(&mut self, key: &Key, (name, value): Entry<'_, '_>) {
        match content(value.get_ref()).and_then(|content| key.kind.accept(content)) {
            Some(content) => self.assign(key.path(), content, &name.span()),
            None => self.unacceptable(name.get_ref(), &key.kind.to_string(), value),
        }
    }

    fn flag(&mut self, (name, value): Entry<'_, '_>) {
        let modules = self.modules.iter();
        let flags: Vec<(&str, &str)> = modules
            .filter_map(|module| Some((module.flag.as_deref()?, module.name.as_str())))
            .collect();
        if flags.iter().all(|(flag, _)| flag != name.get_ref()) {
            let near = nearest(name.get_ref(), flags.iter().map(|(flag, _)| *flag));
            return self.not_installed("flag", "module of flag", name, near);
        }
        let switch = content(value.get_ref()).and_then(|content| match content.integer() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => content.boolean(),
        });
        let Some(switch) = switch else {
            return self.unacceptable(name.get_ref(), "0, 1, true or false", value);
        };
        let meant: Vec<&str> = flags
            .iter()
            .filter(|(flag, _)| flag == name.get_ref())
            .map(|(_, module)| *module)
            .collect();
        for module in owners_of_flag(&meant) {
            let path = format!("{}.enabled", module_table(module));
            self.assign(path, Content::One(Value::Boolean(switch)), &name.span());
        }
    }

    /// Gives a key its value. A key comes twice in a file only if one of the two is a flag.
    fn assign(&mut self, path: String, content: Content, span: &Range<usize>) {
        let place = self.document.place(span);
        if let Some(other) = self
            .said
            .assignments
            .iter()
            .find(|other| other.path == path)
        {
            if other.content != content {
                let (there, says) = (other.place.precise(), &other.content);
                let message = format!("`{path}` is {content} here but {says} at {there}");
                self.error(
                    span,
                    &message,
                    Some("the flag means the same: keep one of the two".into()),
                );
                return;
            }
        }
        self.said.assignments.push(Assignment {
            path,
            content,
            layer: self.layer,
            place,
        });
    }

    /// Reports a name that is unknown. A near miss of a module that is linked in was mistyped; any other may be installed
    /// some day, or was. A module in a file does not count: the daemon starts without it, too.
    fn not_installed(
        &mut self,
        what: &str,
        absent: &str,
        name: &Spanned<DeString<'_>>,
        near: Option<&str>,
    ) {
        let typed = name.get_ref();
        if let Some(near) = near.filter(|near| self.is_linked_in(near)) {
            let hint = format!("did you mean `{near}`?");
            self.error(
                &name.span(),
                &format!("there is no {what} `{typed}`"),
                Some(hint),
            );
        } else {
            let message =
                format!("{absent} `{typed}` is not installed; its settings have no effect");
            let place = self.document.place(&name.span());
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let warning = Diagnostic::warning(place, &message).hint(hint);
            self.said.diagnostics.push(warning);
        }
    }

    /// True for the name or the flag of a module that is linked in.
    fn is_linked_in(&self, name: &str) -> bool {
        let mut linked_in = self
            .modules
            .iter()
            .filter(|module| CHOSEN.contains(&module.name.as_str()));
        linked_in.any(|module| module.name == name || module.flag.as_deref() == Some(name))
    }

    fn unknown(&mut self, table: &str, name: &Spanned<DeString<'_>>) {
        let typed = name.get_ref().as_ref();
        let here = self.names_in(table);
        let hint = self
            .home_of(typed, table)
            .map(|home| format!("it belongs {home}"))
            .or_else(|| did_you_mean(typed, here.iter().copied()))
            .unwrap_or_else(|| match here.as_slice() {
                [] => "there is nothing to set here".into(),
                names => format!("there is: {}", names.join(", ")),
            });
        let message = match table {
            "" => format!("unknown setting `{typed}` outside of a table"),
            table => format!("unknown setting `{typed}` in `[{table}]`"),
        };
        self.error(&name.span(), &message, Some(hint));
    }

    /// The names that can be written in a table, or outside of one if it is `""`.
    fn names_in(&self, table: &str) -> Vec<&'a str> {
        if table.is_empty() {
            let flags = self
                .modules
                .iter()
                .filter_map(|module| module.flag.as_deref());
            return ["core", "modules"].into_iter().chain(flags).collect();
        }
        let keys = self.keys.iter().filter(|key| key.table == table);
        keys.map(|key| key.name.as_str()).collect()
    }

    /// The place where a setting of that name would be right, if not in `table`.
    fn home_of(&self, name: &str, table: &str) -> Option<String> {
        if name.starts_with("ENABLE_") {
            return Some("at the top of the file, before the first table".into());
        }
        if let Some((table, name)) = legacy::native_name(name) {
            return Some(format!("in `[{table}]` as `{name}`"));
        }
        let mut keys = self.keys.iter().filter(|key| key.name == name);
        let key = keys.find(|key| match table {
            "" => key.table == "core",
            table => key.table.starts_with(table) || table.starts_with(&key.table),
        })?;
        Some(format!("in `[{}]`", key.table))
    }

    fn unacceptable(&mut self, name: &str, expected: &str, value: &Spanned<DeValue<'_>>) {
        let name = key_text(name);
        let message = format!("`{name}` must be {expected}, found {}", self.found(value));
        let hint = match (value.get_ref().as_str(), value.get_ref().as_integer()) {
            (Some("true" | "false"), _) => Some("without the quotes".to_owned()),
            (Some(text), _) if text.parse::<f64>().is_ok() => Some("without the quotes".into()),
            (_, Some(_)) if expected == "true or false" => Some("1 is true and 0 is false".into()),
            _ => None,
        };
        self.error(&value.span(), &message, hint);
    }

    fn found(&self, value: &Spanned<DeValue<'_>>) -> String {
        let written = self.document.text().get(value.span()).unwrap_or_default();
        let short: String = written.chars().take(40).collect();
        match value.get_ref() {
            DeValue::Table(_) => "a table".into(),
            DeValue::Array(_) => "an array".into(),
            DeValue::String(_) => format!("the string {short}"),
            DeValue::Datetime(_) => format!("the date {short}"),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => short,
        }
    }

    fn error(&mut self, span: &Range<usize>, message: &str, hint: Option<String>) {
        let place = self.document.place(span);
        let error = Diagnostic::error(place, message).hint(hint);
        self.said.diagnostics.push(error);
    }

    fn warning(&mut self, span: &Range<usize>, message: &str) {
        let place = self.document.place(span);
        let warning = Diagnostic::warning(place, message);
        self.said.diagnostics.push(warning);
    }
}

/// The modules that a flag switches, of those that declare it: one that is linked in does not share its flag.
pub(crate) fn owners_of_flag<'m>(modules: &[&'m str]) -> Vec<&'m str> {
    let linked_in = modules.iter().filter(|module| CHOSEN.contains(module));
    let linked_in: Vec<&str> = linked_in.copied().collect();
    if linked_in.is_empty() {
        modules.to_vec()
    } else {
        linked_in
    }
}

/// The value as a key holds it; `None` if no key could hold it.
fn content(value: &DeValue<'_>) -> Option<Content> {
    let value = match value {
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Integer(value) => {
            Value::Integer(i64::from_str_radix(value.as_str(), value.radix()).ok()?)
        }
        DeValue::Float(value) => Value::Float(value.as_str().parse().ok()?),
        DeValue::String(value) => Value::Text(value.to_string()),
        DeValue::Array(values) => {
            let names = values
                .iter()
                .map(|each| each.get_ref().as_str().map(String::from));
            return names.collect::<Option<_>>().map(Content::Names);
        }
        DeValue::Datetime(_) | DeValue::Table(_) => return None,
    };
    Some(Content::One(value))
}

#[cfg(test)]
mod tests;

//! The reference of all settings, written from what the program declares: the items in the manual, and
//! `conf/adaptivemmd.toml`. `UPDATE_DOCS=1 cargo test -p adaptivemmd the_manual` writes both.
//!
//! In a page, the lines from `.\" BEGIN NAME` to `.\" END NAME` are written anew, but for what follows `.\" MORE` in an
//! item: that is the place for what one sentence cannot say.

use std::collections::BTreeMap;
use std::fs;

use agent_core::config::{Fallback, Key, ModuleSchema, ValueKind, core_keys, module_keys};
use agent_core::modules::catalogue::Registration;

use super::page;
use crate::linked_in::modules;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conf/adaptivemmd.toml");

/// The longest line that is written.
const WIDTH: usize = 80;

/// A file, with what it holds and what it should hold.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) path: String,
    pub(crate) committed: String,
    pub(crate) declared: String,
}

/// An item of a list in a page.
struct Entry {
    name: String,
    /// What it is good for, and what it accepts: each a sentence.
    sentences: [String; 3],
}

/// Every file that holds a reference of settings.
pub(crate) fn documents() -> Vec<Document> {
    let modules = modules();
    let mut documents = vec![configuration_page(&modules), shipped_file(&modules)];
    documents.extend(modules.iter().map(|module| {
        let schema = &module.description.schema;
        Document::page(
            &page::of_module(&schema.name),
            &[("options", options(schema))],
        )
    }));
    documents
}

impl Document {
    /// A page with the lists in it, each with its name.
    fn page(page: &str, lists: &[(&str, Vec<Entry>)]) -> Self {
        let path = page::path(page);
        let committed = fs::read_to_string(&path).unwrap();
        let mut declared = committed.clone();
        for (name, entries) in lists {
            declared = with_list(&declared, name, entries, page);
        }
        Self {
            path,
            committed,
            declared,
        }
    }
}

/// `adaptivemmd.toml(5)`, with what is the same for all modules.
fn configuration_page(modules: &[Registration]) -> Document {
    let schema = &modules[0].description.schema;
    let table = format!("modules.{}", schema.name);
    let host = module_keys(schema).into_iter();
    let host = host.filter(|key| key.table == table);
    let flags = modules
        .iter()
        .map(|module| flag(&module.description.schema));
    Document::page(
        "adaptivemmd.toml.5",
        &[
            ("flags", flags.collect()),
            ("core", core_keys().iter().map(Entry::from_key).collect()),
            ("modules", host.map(|key| Entry::from_key(&key)).collect()),
        ],
    )
}

fn flag(schema: &ModuleSchema) -> Entry {
    let default = if schema.enabled { "on" } else { "off" };
    Entry {
        name: schema.flag.clone().unwrap(),
        sentences: [
            format!("Switches {} on (1) or off (0).", schema.name),
            format!("Default: {default}."),
            String::new(),
        ],
    }
}

fn options(schema: &ModuleSchema) -> Vec<Entry> {
    let keys = module_keys(schema).into_iter();
    let options = keys.filter(|key| key.table.ends_with(".config"));
    options.map(|key| Entry::from_key(&key)).collect()
}

impl Entry {
    fn from_key(key: &Key) -> Self {
        Self {
            name: key.name.clone(),
            sentences: [
                format!("{}.", key.help),
                format!("{}.", capitalised(&key.kind.to_string())),
                format!("Default: {}.", default(key)),
            ],
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(".It Ic {}", self.name)];
        let sentences = self.sentences.iter().filter(|text| !text.is_empty());
        lines.extend(sentences.flat_map(|sentence| mdoc(sentence)));
        lines
    }
}

/// What holds if nobody sets a key, in words.
fn default(key: &Key) -> String {
    match &key.default {
        _ if key.name == "enabled" => "what the module declares".to_owned(),
        fallback => place_of_modules(fallback).unwrap_or_else(|| match fallback {
            Fallback::Fixed(content) => content.to_string(),
            Fallback::Derived(words) => (*words).to_owned(),
        }),
    }
}

/// The directory of modules as it is by default: packagers choose another one when they build the daemon.
fn place_of_modules(fallback: &Fallback) -> Option<String> {
    let keys = core_keys();
    let key = keys.iter().find(|key| key.name == "module-dir").unwrap();
    (*fallback == key.default).then(|| "\"/usr/lib/adaptivemmd/modules\"".to_owned())
}

fn capitalised(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

/// A page in which the list of this name has these items, each with the text that followed its `MORE`.
fn with_list(text: &str, name: &str, entries: &[Entry], page: &str) -> String {
    let begin = format!(".\\\" BEGIN {name}\n");
    let end = format!(".\\\" END {name}\n");
    let split = |text: &str, at: &str| {
        let parts = text
            .split_once(at)
            .map(|(a, b)| (a.to_owned(), b.to_owned()));
        parts.unwrap_or_else(|| panic!("{page} has no line {at}"))
    };
    let (before, rest) = split(text, &begin);
    let (old, after) = split(&rest, &end);
    let mut more = written_by_hand(&old);
    let mut lines = vec![".Bl -tag -width Ds".to_owned()];
    for entry in entries {
        lines.extend(entry.lines());
        if let Some(more) = more.remove(&entry.name) {
            lines.push(".Pp".to_owned());
            lines.extend(more);
        }
    }
    lines.push(".El\n".to_owned());
    before + &begin + &lines.join("\n") + &end + &after
}

/// What follows `MORE` in each item of a list.
fn written_by_hand(list: &str) -> BTreeMap<String, Vec<String>> {
    let list = list.strip_suffix(".El\n").unwrap_or(list);
    let items = list.split(".It Ic ").skip(1);
    let texts = items.filter_map(|item| {
        let lines: Vec<&str> = item.lines().collect();
        let start = lines.iter().position(|line| *line == ".\\\" MORE")?;
        let more = lines[start..].iter().map(|&line| line.to_owned());
        Some((lines[0].to_owned(), more.collect()))
    });
    texts.collect()
}

/// A sentence as lines of mdoc: what is between backticks is literal.
fn mdoc(sentence: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, part) in sentence.split('`').enumerate() {
        if index % 2 == 1 {
            lines.push(format!(".Ql {part}"));
            continue;
        }
        let mut part = part.trim();
        let is_mark = |c: char| ".,;:".contains(c);
        if let Some(mark) = part.chars().next().filter(|&c| index > 0 && is_mark(c)) {
            let literal = lines.pop().unwrap();
            lines.push(format!("{literal} {mark}"));
            part = part[1..].trim_start();
        }
        let escaped = part.replace('\\', "\\e");
        lines.extend(wrapped(&escaped, WIDTH));
    }
    lines
}

/// A text in lines of at most `width`.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A comment of TOML.
fn comment(text: &str) -> String {
    format!("# {}\n", wrapped(text, WIDTH - 2).join("\n# "))
}

/// `conf/adaptivemmd.toml`: every setting with its default, as a comment.
fn shipped_file(modules: &[Registration]) -> Document {
    let flags = modules.iter().map(|module| {
        let schema = &module.description.schema;
        let flag = schema.flag.as_ref().unwrap();
        let what = comment(&format!("{}.", schema.description));
        format!("{what}#{flag} = {}\n", u8::from(schema.enabled))
    });
    let core = core_keys();
    let core = core.iter().map(|key| setting(key, modules));
    let host = module_keys(&modules[0].description.schema).into_iter();
    let host = host.filter(|key| !key.table.ends_with(".config"));
    let host = host.map(|key| comment(&format!("{}: {}", key.name, said(&key))));
    let tables = modules.iter().map(|module| tables(module, modules));
    let declared = [
        INTRODUCTION,
        &flags.collect::<Vec<_>>().join("\n"),
        "\n[core]\n",
        &core.collect::<Vec<_>>().join("\n"),
        OF_MODULES,
        &host.collect::<Vec<_>>().join("#\n"),
        &tables.collect::<String>(),
    ];
    Document {
        path: SHIPPED.to_owned(),
        committed: fs::read_to_string(SHIPPED).unwrap(),
        declared: declared.concat(),
    }
}

/// The tables of a module.
fn tables(module: &Registration, modules: &[Registration]) -> String {
    let schema = &module.description.schema;
    let name = &schema.name;
    let keys = module_keys(schema);
    let (options, host): (Vec<&Key>, Vec<&Key>) =
        keys.iter().partition(|key| key.table.ends_with(".config"));
    let host: String = host.iter().map(|key| line(key, modules)).collect();
    let options = options.iter().map(|key| setting(key, modules));
    let options = options.collect::<Vec<_>>().join("\n");
    format!(
        "\n#[modules.{name}]\n# Every module has these keys: see adaptivemmd.toml(5).\n{host}\
         \n#[modules.{name}.config]\n# More about these options is in adaptivemmd-{name}(7).\n\n{options}"
    )
}

/// A key with its comment.
fn setting(key: &Key, modules: &[Registration]) -> String {
    comment(&said(key)) + &line(key, modules)
}

/// What there is to say of a key; of its default only if the line below does not show it.
fn said(key: &Key) -> String {
    let mut sentences = vec![key.help.clone()];
    if key.kind != ValueKind::Boolean {
        sentences.push(capitalised(&key.kind.to_string()));
    }
    if key.name == "enabled" || matches!(key.default, Fallback::Derived(_)) {
        sentences.push(format!("Default: {}", default(key)));
    }
    sentences.join(". ") + "."
}

/// A key with its default, or with what that is on many machines.
fn line(key: &Key, modules: &[Registration]) -> String {
    let module = key.table.trim_start_matches("modules.");
    let value = match &key.default {
        Fallback::Fixed(content) => {
            place_of_modules(&key.default).unwrap_or_else(|| content.to_string())
        }
        Fallback::Derived(_) => match key.name.as_str() {
            "period-secs" => "30".to_owned(),
            "deadline-secs" => "5".to_owned(),
            "deadline-ms" => "5000".to_owned(),
            "isolation" => "\"none\"".to_owned(),
            "path" => format!("\"/usr/lib/adaptivemmd/modules/{module}.so\""),
            "allow" => {
                let mut all = modules.iter().map(|module| &module.description);
                let module = all.find(|other| other.schema.name == module).unwrap();
                format!("{:?}", module.writes)
            }
            name => panic!("{name} has no example of its default"),
        },
    };
    format!("#{} = {value}\n", key.name)
}

const INTRODUCTION: &str = r"# Configuration of adaptivemmd, the memory daemon.
#
# This file shows every setting with its default. Do not edit it: put what you
# change into a file of your own, such as
# /etc/adaptivemmd/adaptivemmd.toml.d/50-local.toml, and then run
#
#   adaptivemmd check-config && systemctl reload adaptivemmd
#
# `adaptivemmd check-config --show` prints what is in force, and where it was
# set. adaptivemmd.toml(5) has more about these settings, and each module has a
# page of its own, such as adaptivemmd-memleak(7).
#
# Flags come first, above any [table]: 1 switches a module on, 0 off. A flag says
# the same as `enabled` of its module. ENABLE_COMPACTION follows
# ENABLE_FREE_PAGE_MGMT unless it is set.

";

const OF_MODULES: &str = "
# Every module has a table [modules.NAME] with the keys below, and its own options
# in [modules.NAME.config]. `adaptivemmd modules` lists the modules that are
# installed: a package may have fewer than this file.
#
";

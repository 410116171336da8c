//! Which file of a crate uses which, as far as its text says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Pairs of a user and what it uses.
pub(crate) type Arrows = BTreeSet<(String, String)>;

/// The files of a crate, by the path of their module, such as `kernel::root`.
#[derive(Debug)]
pub(crate) struct Sources {
    texts: BTreeMap<String, String>,
}

/// The folder of a module: the first part of its path.
pub(crate) fn folder(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

impl Sources {
    /// All files of the library below a directory, without its tests.
    pub(crate) fn read(directory: &Path) -> Self {
        let mut texts = BTreeMap::new();
        gather(directory, "", &mut texts);
        Self { texts }
    }

    pub(crate) fn folders(&self) -> BTreeSet<String> {
        self.texts
            .keys()
            .map(|module| folder(module).to_owned())
            .collect()
    }

    /// Each file with each other that it names, through re-exports of a parent to where a name is from.
    pub(crate) fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (module, text) in &self.texts {
            for path in paths(module, text) {
                let Some(used) = self.home(&path, 0) else {
                    continue;
                };
                // What a folder offers of its own files is no arrow, and neither is what a file takes from its folder's.
                if used != *module && !used.starts_with(&format!("{module}::")) {
                    arrows.insert((module.clone(), used));
                }
            }
        }
        arrows
    }

    /// The file in which a path ends.
    fn home(&self, path: &str, depth: usize) -> Option<String> {
        let mut module = path;
        while !self.texts.contains_key(module) {
            module = module.rsplit_once("::")?.0;
        }
        let name = path[module.len()..]
            .trim_start_matches("::")
            .split("::")
            .next()?;
        let is_item = !name.is_empty() && depth < 4;
        let offered = is_item.then(|| self.offer(module, name)).flatten();
        match offered.and_then(|path| self.home(&path, depth + 1)) {
            Some(home) => Some(home),
            None => Some(module.to_owned()),
        }
    }

    /// Where a module that offers a name of another has it from.
    fn offer(&self, module: &str, name: &str) -> Option<String> {
        let text = &self.texts[module];
        let offers = text.split(';').filter_map(|part| {
            part.rsplit_once("pub use ")
                .or_else(|| part.rsplit_once("pub(crate) use "))
        });
        for (_, offered) in offers {
            let offered: String = offered.split_whitespace().collect();
            let (from, names) = offered.rsplit_once("::")?;
            let mut names = names.trim_matches(['{', '}']).split(',');
            if !names.any(|offered| offered == name) {
                continue;
            }
            let inside = format!("{module}::{from}");
            return Some(match from.strip_prefix("crate::") {
                Some(from) => format!("{from}::{name}"),
                None => format!("{inside}::{name}"),
            });
        }
        None
    }
}

fn gather(directory: &Path, module: &str, texts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else {
            continue;
        };
        let inside = if module.is_empty() {
            name.to_owned()
        } else {
            format!("{module}::{name}")
        };
        if name == "tests" || name == "bin" {
            continue;
        }
        if path.is_dir() {
            gather(&path, &inside, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text
                .split("#[cfg(test)]\nmod tests")
                .next()
                .unwrap_or_default();
            texts.insert(inside, without_comments(code));
        }
    }
}

fn without_comments(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect()
}

/// All paths that a text names, from the root of the crate.
fn paths(module: &str, text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let parent = |levels: usize| {
        let parts: Vec<&str> = module.split("::").collect();
        parts[..parts.len().saturating_sub(levels)].join("::")
    };
    for (start, _) in text
        .match_indices("crate::")
        .chain(text.match_indices("super::"))
    {
        let before = text[..start].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':') {
            continue;
        }
        let mut rest = &text[start..];
        let mut levels = 0;
        while let Some(above) = rest.strip_prefix("super::") {
            levels += 1;
            rest = above;
        }
        let base = if levels == 0 {
            String::new()
        } else {
            parent(levels)
        };
        let rest = rest.strip_prefix("crate::").unwrap_or(rest);
        for path in named(rest) {
            paths.push(if base.is_empty() {
                path
            } else {
                format!("{base}::{path}")
            });
        }
    }
    paths
}

/// The paths of `a::b::{C, d::E}` and of `a::b::C`.
fn named(text: &str) -> Vec<String> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    let path = path.trim_end_matches("::");
    let Some(list) = rest
        .strip_prefix('{')
        .and_then(|rest| rest.split('}').next())
    else {
        return vec![path.to_owned()];
    };
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| match name {
            "self" => path.to_owned(),
            name => format!("{path}::{}", name.split(' ').next().unwrap_or(name)),
        })
        .collect()
}

//! A manual page as its source has it: sections, and the items of their lists.

use std::fs;

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The pages that are not about one module.
const PAGES: [&str; 3] = ["adaptivemmd.8", "adaptivemmd.toml.5", "adaptivemm-module.7"];

/// The page of a module.
pub(crate) fn of_module(name: &str) -> String {
    format!("adaptivemmd-{name}.7")
}

/// All pages there are, each with its file.
pub(crate) fn all() -> Vec<String> {
    let modules = fs::read_dir(format!("{TOP}/modules")).unwrap();
    let names = modules.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = PAGES.iter().map(|&page| page.to_owned());
    pages.chain(names.map(|name| of_module(&name))).collect()
}

/// The file of a page: that of a module is beside its sources.
pub(crate) fn path(page: &str) -> String {
    let module = page
        .strip_prefix("adaptivemmd-")
        .and_then(|rest| rest.strip_suffix(".7"));
    match module {
        Some(module) => format!("{TOP}/modules/{module}/man/{page}"),
        None => format!("{TOP}/conf/man/{page}"),
    }
}

/// A section (`.Sh`) or a part of one (`.Ss`).
#[derive(Debug, Clone)]
pub(crate) struct Section {
    heading: String,
    lines: Vec<String>,
}

/// An item of a list.
#[derive(Debug)]
pub(crate) struct Item {
    /// The words of its line, macros of mdoc among them.
    words: Vec<String>,
    /// What it says, items within it included, with a blank between two words.
    pub(crate) text: String,
}

/// The section of this heading.
pub(crate) fn section(page: &str, heading: &str) -> Section {
    let text = fs::read_to_string(path(page)).unwrap();
    let whole = Section {
        heading: page.to_owned(),
        lines: text.lines().map(str::to_owned).collect(),
    };
    whole.part(".Sh ", heading)
}

/// Whether a page has a section or a part of one of this heading, or an item for a setting of this name.
pub(crate) fn has_place(page: &str, place: &str) -> bool {
    let text = fs::read_to_string(path(page)).unwrap();
    let starts = [".Sh ", ".Ss ", ".It Ic "];
    text.lines().any(|line| {
        let mut starts = starts.iter();
        starts.any(|start| line.strip_prefix(start) == Some(place))
    })
}

impl Section {
    /// The subsection of this heading.
    pub(crate) fn subsection(&self, heading: &str) -> Self {
        self.part(".Ss ", heading)
    }

    fn part(&self, macro_: &str, heading: &str) -> Self {
        let is_start = |line: &&String| line.strip_prefix(macro_) == Some(heading);
        let mut lines = self.lines.iter().skip_while(|line| !is_start(line));
        assert!(
            lines.next().is_some(),
            "{} has no {macro_}{heading}",
            self.heading
        );
        let is_inside = |line: &&String| !line.starts_with(macro_);
        Self {
            heading: format!("{}, {heading}", self.heading),
            lines: lines.take_while(is_inside).cloned().collect(),
        }
    }

    /// All items of its lists, those within others too.
    pub(crate) fn items(&self) -> Vec<Item> {
        let mut depth = 0;
        let mut items: Vec<Item> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        for line in &self.lines {
            if line.starts_with(".Bl ") {
                depth += 1;
            } else if line == ".El" {
                depth -= 1;
                open.truncate(depth);
            } else if let Some(words) = line.strip_prefix(".It") {
                // A step of a numbered list has no words of its own.
                let words = words.trim_start();
                open.truncate(depth - 1);
                open.push(items.len());
                items.push(Item {
                    words: words.split(' ').map(str::to_owned).collect(),
                    text: String::new(),
                });
            }
            for &index in &open {
                items[index].text += line;
                items[index].text += " ";
            }
        }
        items
    }

    /// The item whose line has these words next to each other.
    pub(crate) fn item(&self, words: &[&str]) -> Item {
        let mut items = self.items().into_iter();
        items.find(|item| item.has(words)).unwrap_or_else(|| {
            panic!(
                "{} has no item \"{}\": everything that there is has an item of its own",
                self.heading,
                words.join(" ")
            )
        })
    }

    /// Whether a line of it begins with this.
    pub(crate) fn has_line(&self, start: &str) -> bool {
        self.lines.iter().any(|line| line.starts_with(start))
    }

    /// The second words of all items whose line begins with this macro.
    pub(crate) fn named(&self, macro_: &str) -> Vec<String> {
        let items = self.items().into_iter();
        let named = items.filter(|item| item.words[0] == macro_);
        named.map(|item| item.words[1].clone()).collect()
    }
}

impl Item {
    /// Whether its line has these words next to each other.
    pub(crate) fn has(&self, words: &[&str]) -> bool {
        self.words
            .windows(words.len())
            .any(|window| window == words)
    }

    /// Whether its line begins with these words of a command, each of which may be left out if it is in `Op`.
    pub(crate) fn types(&self, words: &[String]) -> bool {
        let commands = self
            .words
            .iter()
            .filter(|word| !["Cm", "Op"].contains(&word.as_str()));
        self.words[0] == "Cm" && commands.zip(words).filter(|(a, b)| a == b).count() == words.len()
    }

    /// Whether a line of it, or of an item within it, has these words next to each other.
    pub(crate) fn says(&self, words: &[&str]) -> bool {
        let all: Vec<&str> = self.text.split(' ').collect();
        all.windows(words.len()).any(|window| window == words)
    }

    /// The flags that follow `Fl` on its line, such as `v` and `-verbose`.
    pub(crate) fn flags(&self) -> Vec<&str> {
        let pairs = self.words.windows(2);
        let flags = pairs.filter(|pair| pair[0] == "Fl");
        flags.map(|pair| pair[1].as_str()).collect()
    }
}

//! What the modules can say, as their sources have it: findings come only when something is wrong, so that no run
//! of a module shows all.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const MODULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../modules");

/// Words in the sources that look like codes and are none. Whoever adds a code adds it to the manual, and not here.
const NO_CODES: [&str; 5] = ["allocstall", "dentries", "inodes", "nothing", "scans"];

/// A module by its sources.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) flags: BTreeSet<String>,
    pub(crate) options: BTreeSet<String>,
    pub(crate) codes: BTreeSet<String>,
    pub(crate) metrics: BTreeSet<String>,
}

/// A string in a source, and the code in front of it, without blanks.
struct Literal {
    before: String,
    text: String,
}

/// All modules of this repository, whether they are linked in or not.
pub(crate) fn modules() -> Vec<Module> {
    let mut names: Vec<String> = fs::read_dir(MODULES)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names.into_iter().map(Module::read).collect()
}

/// The places of the manual that the texts of the core and of the journal's catalog refer to, as in `"isolation" in adaptivemmd.toml(5)`, each with its
/// page.
pub(crate) fn places_in_the_manual() -> Vec<(String, &'static str)> {
    let catalog = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../conf/journald/adaptivemmd.catalog"
    );
    let mut texts = vec![fs::read_to_string(catalog).unwrap()];
    read_texts(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut texts,
    );
    let mut places = Vec::new();
    for text in texts {
        for page in ["adaptivemmd(8)", "adaptivemmd.toml(5)"] {
            for (at, _) in text.match_indices(&format!("\" in {page}")) {
                let place = text[..at].rsplit('"').next().unwrap();
                places.push((place.to_owned(), page));
            }
        }
    }
    places
}

/// The strings of all sources below a directory, as they are when the program runs.
fn read_texts(directory: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_texts(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            // Whatever is quoted in a string, or continued in the next line, is as if it were in one.
            let source = fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = source.split("\\\n").map(str::trim_start).collect();
            texts.push(lines.concat().replace("\\\"", "\""));
        }
    }
}

impl Module {
    fn read(name: String) -> Self {
        let mut module = Self {
            name,
            flags: BTreeSet::new(),
            options: BTreeSet::new(),
            codes: BTreeSet::new(),
            metrics: BTreeSet::new(),
        };
        let directory = format!("{MODULES}/{}/src", module.name);
        module.read_directory(Path::new(&directory));
        module
    }

    fn read_directory(&mut self, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap();
            if stem == "tests" {
                continue;
            }
            if path.is_dir() {
                self.read_directory(&path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                self.read_source(&text, &path);
            }
        }
    }

    fn read_source(&mut self, text: &str, path: &Path) {
        // Tests are the last thing in a file.
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let literals = literals(code);
        let calls = code.matches(".metric(").count();
        let named = literals
            .iter()
            .filter(|each| each.before.ends_with(".metric("));
        assert_eq!(
            calls,
            named.count(),
            "{}: a metric is not named where it is published, so that this test cannot find it",
            path.display()
        );
        for Literal { before, text } in literals {
            let follows = |words: &[&str]| words.iter().any(|word| before.ends_with(word));
            if before.ends_with(".metric(") {
                self.metrics.insert(text);
            } else if follows(&[
                "Opt::boolean(",
                "Opt::integer(",
                "Opt::float(",
                "Opt::text(",
            ]) {
                self.options.insert(text);
            } else if before.ends_with("flag:") {
                self.flags.insert(text);
            } else if is_kebab(&text)
                && text != self.name
                && !follows(&["Number::new(", "number(", "write_str("])
                && !NO_CODES.contains(&text.as_str())
            {
                self.codes.insert(text);
            }
        }
    }
}

fn is_kebab(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('-').all(is_word)
}

/// The strings of a source, but not those in comments.
fn literals(code: &str) -> Vec<Literal> {
    let mut literals = Vec::new();
    let mut before = String::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            rest = &raw[raw.find("\"#").unwrap() + 2..];
        } else if first == '"' {
            let text = &rest[1..];
            let end = end_of(text, '"');
            literals.push(Literal {
                before: before.clone(),
                text: text[..end].to_owned(),
            });
            rest = &text[end + 1..];
            before.clear();
        } else if let Some(end) = character(rest) {
            rest = &rest[end..];
        } else {
            if !first.is_whitespace() {
                before.push(first);
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    literals
}

/// Where a text ends that is closed by `quote`.
fn end_of(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == quote => return index,
            _ => {}
        }
    }
    panic!("a string has no end: {text}");
}

/// The length of the character in quotes with which this begins, which is no lifetime.
fn character(code: &str) -> Option<usize> {
    let inner = code.strip_prefix('\'')?;
    let first = inner.chars().next()?;
    if first == '\\' {
        return Some(end_of(inner, '\'') + 2);
    }
    inner[first.len_utf8()..]
        .starts_with('\'')
        .then(|| first.len_utf8() + 2)
}

#[test]
fn strings_are_found_with_what_is_in_front_of_them_and_not_in_comments() {
    let code = "fn f<'a>() { // \"no\"\n  g('\"', '\\'',\n \"yes\"); h(\"a\\\"b\", r#\"raw\"#) }";

    let found = literals(code);

    let found: Vec<_> = found
        .iter()
        .map(|literal| (literal.before.as_str(), literal.text.as_str()))
        .collect();
    assert_eq!(found, [("fnf<'a>(){g(,,", "yes"), (");h(", "a\\\"b")]);
}

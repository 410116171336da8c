//! The lines that a writer gets.

use std::io;
use std::sync::{Arc, Mutex};

use super::*;

/// Returns what was written.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<String>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).unwrap();
        self.0.lock().unwrap().push_str(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn journal(&self, verbosity: u8) -> Logger {
        Logger::to_writer(Box::new(self.clone()), verbosity)
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

const GROWING: Entry<'_> = Entry::new(
    Severity::Warning,
    "memleak",
    "unaccounted memory grows by 12 MiB per minute",
);

#[test]
fn an_event_is_a_line_with_its_severity_and_its_module() {
    let paper = Paper::default();

    paper.journal(0).write(&GROWING);

    assert_eq!(
        paper.text(),
        "warning memleak: unaccounted memory grows by 12 MiB per minute\n"
    );
}

#[test]
fn details_are_indented_lines_of_the_same_event() {
    let paper = Paper::default();

    paper.journal(0).write(&Entry {
        text: "grows",
        details: "slab 40 MiB\n\nvmalloc 2 MiB\n",
        ..GROWING
    });

    assert_eq!(
        paper.text(),
        "warning memleak: grows\n\
         warning memleak:   slab 40 MiB\n\
         warning memleak:   vmalloc 2 MiB\n"
    );
}

#[test]
fn only_what_the_verbosity_asks_for_is_written() {
    let paper = Paper::default();
    let mut journal = paper.journal(1);

    for verbosity in 0..=5 {
        let text = &format!("at {verbosity}");
        journal.write(&Entry {
            verbosity,
            text,
            ..GROWING
        });
        journal.set_verbosity(3);
    }

    assert_eq!(journal.verbosity(), 3);
    assert_eq!(
        paper.text(),
        "warning memleak: at 0\n\
         warning memleak: at 1\n\
         warning memleak: at 2\n\
         warning memleak: at 3\n"
    );
}

#[test]
fn a_module_cannot_forge_a_line() {
    let paper = Paper::default();

    paper.journal(0).write(&Entry {
        module: "mod\nule",
        text: "a\nerror core: forged",
        details: "b\rerror core: forged",
        ..GROWING
    });

    assert_eq!(
        paper.text(),
        "warning mod ule: a error core: forged\n\
         warning mod ule:   b error core: forged\n"
    );
}

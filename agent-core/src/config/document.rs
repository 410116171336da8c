//! A configuration file as text, and places in it that can be shown.

use std::fmt;
use std::ops::Range;
use std::path::Path;

/// The longest piece of a line that is shown, in characters.
const SHOWN: usize = 100;

/// A file that has been read, with the beginnings of its lines.
#[derive(Debug)]
pub(crate) struct Document {
    file: String,
    text: String,
    /// The byte offsets of the beginnings; the first is 0.
    lines: Vec<usize>,
}

/// A place in a file, or the command line: a diagnostic points at it, or
/// a value came from it. Displayed as `FILE:LINE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    file: String,
    excerpt: Option<Excerpt>,
}

/// The line around a place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Excerpt {
    /// The number of the line, from 1.
    line: usize,
    /// The column in characters, from 1.
    column: usize,
    shown: String,
    /// The place in `shown` where the carets begin, and their number.
    carets: (usize, usize),
}

impl Document {
    /// The text of `path`.
    pub(crate) fn new(path: &Path, text: String) -> Self {
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(end, _)| end + 1))
            .collect();
        let file = printable(&path.display().to_string());
        Self { file, text, lines }
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The number, from 1, of the line that holds the byte at `offset`.
    pub(crate) fn line_number(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset)
    }

    /// The line of that number, without its end; empty past the last.
    pub(crate) fn line(&self, number: usize) -> &str {
        let Some(start) = self.lines.get(number.saturating_sub(1)) else {
            return "";
        };
        let end = self.lines.get(number).copied().unwrap_or(self.text.len());
        self.text[*start..end].trim_end_matches(['\n', '\r'])
    }

    /// The number of lines.
    pub(crate) fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// The place of these bytes, of which only the first line is shown.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        let number = self.line_number(span.start);
        let line = self.line(number);
        let start = span.start - self.lines[number - 1];
        let end = start + span.len();
        let column = characters_before(line, start);
        let first = if column < SHOWN {
            0
        } else {
            column - SHOWN / 2
        };
        let characters = characters_before(line, end) - column;
        let width = characters.clamp(1, (SHOWN + first - column).max(1));
        let shown: String = line.chars().skip(first).take(SHOWN).collect();
        Place {
            file: self.file.clone(),
            excerpt: Some(Excerpt {
                line: number,
                column: column + 1,
                shown: printable(&shown),
                carets: (column - first, width),
            }),
        }
    }

    /// The place that stands for the file as a whole.
    pub(crate) fn whole(&self) -> Place {
        Place {
            file: self.file.clone(),
            excerpt: None,
        }
    }
}

fn characters_before(line: &str, offset: usize) -> usize {
    let places = line.char_indices();
    places.take_while(|(at, _)| *at < offset).count()
}

impl Place {
    /// A file of which nothing can be shown.
    pub(crate) fn file(path: &Path) -> Self {
        Self {
            file: printable(&path.display().to_string()),
            excerpt: None,
        }
    }

    /// An option of the command line.
    pub(crate) fn command_line(option: &str) -> Self {
        Self {
            file: format!("command line, {option}"),
            excerpt: None,
        }
    }

    /// Line and column, which sort diagnostics of one file.
    pub(crate) fn position(&self) -> (usize, usize) {
        self.excerpt.as_ref().map_or((0, 0), |e| (e.line, e.column))
    }

    /// The place as `FILE:LINE:COLUMN`, as editors read it.
    pub(crate) fn precise(&self) -> String {
        match &self.excerpt {
            Some(Excerpt { line, column, .. }) => format!("{}:{line}:{column}", self.file),
            None => self.file.clone(),
        }
    }

    /// The line with carets below it, and `note` beside the carets.
    pub(crate) fn picture(&self, note: Option<&str>) -> String {
        let note = note.map_or_else(String::new, |note| format!(" {note}"));
        let Some(excerpt) = &self.excerpt else {
            return if note.is_empty() {
                note
            } else {
                format!("\n     {note}")
            };
        };
        let (indent, width) = excerpt.carets;
        let line = format!("\n{:>5} | {}", excerpt.line, excerpt.shown);
        format!(
            "{line}\n      | {}{}{note}",
            " ".repeat(indent),
            "^".repeat(width)
        )
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.excerpt {
            Some(excerpt) => write!(f, "{}:{}", self.file, excerpt.line),
            None => f.write_str(&self.file),
        }
    }
}

/// `text` on one line and without control characters, which have no place on a
/// terminal or in a log.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::new(Path::new("/etc/x.toml"), text.into())
    }

    #[test]
    fn a_place_is_shown_with_its_line_and_carets() {
        let place = document("a = 1\n\tü = 22\r\n").place(&(12..14));

        assert_eq!(place.precise(), "/etc/x.toml:2:6");
        assert_eq!(place.to_string(), "/etc/x.toml:2");
        assert_eq!(
            place.picture(Some("why?")),
            "\n    2 |  ü = 22\n      |      ^^ why?"
        );
    }

    #[test]
    fn a_place_at_the_very_end_is_shown() {
        let place = document("a =").place(&(3..3));

        assert_eq!(place.picture(None), "\n    1 | a =\n      |    ^");
    }

    #[test]
    fn of_a_huge_line_only_a_piece_is_shown() {
        let place = document(&"ä".repeat(100_000)).place(&(100_000..200_000));

        let picture = place.picture(None);

        assert_eq!(place.position(), (1, 50_001));
        assert_eq!(picture.lines().nth(1).map(|l| l.chars().count()), Some(108));
        assert_eq!(picture.lines().nth(2).map(|l| l.chars().count()), Some(108));
    }

    #[test]
    fn control_characters_are_not_passed_on() {
        let place = document("a = '\u{1b}[2J'\n").place(&(0..1));

        assert_eq!(
            place.picture(None).lines().nth(1),
            Some("    1 | a = '\u{fffd}[2J'")
        );
    }
}

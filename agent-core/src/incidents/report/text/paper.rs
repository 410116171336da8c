//! Lines of a width.

/// Below this a chart and a table have no room.
const NARROWEST: usize = 40;
/// Longer lines are hard to read.
const WIDEST: usize = 100;

/// Where headings end and answers begin.
const ENTRY: usize = 19;
const ITEM: usize = 8;

/// A page that is written from top to bottom.
#[derive(Debug)]
pub(super) struct Paper {
    text: String,
    width: usize,
}

impl Paper {
    pub(super) fn of(width: usize) -> Self {
        Self {
            text: String::new(),
            width: width.clamp(NARROWEST, WIDEST),
        }
    }

    pub(super) const fn width(&self) -> usize {
        self.width
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    pub(super) fn heading(&mut self, heading: &str) {
        self.gap();
        self.line(heading);
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        self.wrap("", text, 0);
    }

    pub(super) fn note(&mut self, text: &str) {
        self.wrap("  ", text, 2);
    }

    /// `  Since              2026-11-27 19:21 UTC`.
    pub(super) fn entry(&mut self, heading: &str, text: &str) {
        self.wrap(&format!("  {heading:<ENTRY$}"), text, ENTRY + 2);
    }

    /// `    62 %  kmalloc-512`.
    pub(super) fn item(&mut self, mark: &str, text: &str) {
        self.wrap(&format!("{mark:>ITEM$}  "), text, ITEM + 2);
    }

    pub(super) fn bullet(&mut self, text: &str) {
        self.wrap("  - ", text, 4);
    }

    /// A line for a shell is never broken.
    pub(super) fn command(&mut self, command: &str) {
        for line in command.lines() {
            self.line(&format!("{:ITEM$}  {line}", ""));
        }
    }

    /// A row of a table of classes.
    pub(super) fn columns(&mut self, [name, before, arrow, after, change]: &[&str; 5]) {
        self.line(&format!(
            "  {name:<20} {before:>11} {arrow} {after:>11}  {change:>12}"
        ));
    }

    /// Words in lines that are not longer than the width, unless a word is. `indent` is that of later lines.
    fn wrap(&mut self, lead: &str, text: &str, indent: usize) {
        let mut line = lead.to_owned();
        let mut is_empty = true;
        for word in text.split_whitespace() {
            let length = line.chars().count() + usize::from(!is_empty) + word.chars().count();
            if !is_empty && length > self.width {
                self.line(&line);
                line = " ".repeat(indent);
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        self.line(&line);
    }
}

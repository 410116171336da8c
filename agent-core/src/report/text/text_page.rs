//! Lines of a width.

/// Below this a chart and a table have no room.
const NARROWEST: usize = 40;
/// Longer lines are hard to read.
const WIDEST: usize = 100;

/// Where headings end and answers begin.
const ENTRY: usize = 19;
const ITEM: usize = 8;
const STEP: usize = 4;
/// A row of a table of classes.
const ROW: usize = 66;

/// A page that is written from top to bottom.
#[derive(Debug)]
pub(in crate::report) struct TextPage {
    text: String,
    width: usize,
}

impl TextPage {
    pub(in crate::report) fn of(width: usize) -> Self {
        Self {
            text: String::new(),
            width: width.clamp(NARROWEST, WIDEST),
        }
    }

    pub(super) const fn width(&self) -> usize {
        self.width
    }

    pub(in crate::report) fn finish(self) -> String {
        self.text
    }

    pub(in crate::report) fn gap(&mut self) {
        self.text.push('\n');
    }

    pub(in crate::report) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    pub(in crate::report) fn heading(&mut self, heading: &str) {
        self.gap();
        self.line(heading);
    }

    pub(in crate::report) fn paragraph(&mut self, text: &str) {
        self.wrap("", text, 0);
    }

    pub(in crate::report) fn note(&mut self, text: &str) {
        self.wrap("  ", text, 2);
    }

    /// `  Since              2026-11-27 19:21 UTC`.
    pub(in crate::report) fn entry(&mut self, heading: &str, text: &str) {
        self.wrap(&format!("  {heading:<ENTRY$}"), text, ENTRY + 2);
    }

    /// `    62 %  kmalloc-512`.
    pub(in crate::report) fn item(&mut self, mark: &str, text: &str) {
        self.wrap(&format!("{mark:>ITEM$}  "), text, ITEM + 2);
    }

    pub(in crate::report) fn bullet(&mut self, text: &str) {
        self.wrap("  - ", text, 4);
    }

    /// More about an item, below it.
    pub(in crate::report) fn remark(&mut self, text: &str) {
        self.item("", text);
    }

    /// `  1.  See which cache is largest.`
    pub(in crate::report) fn step(&mut self, number: usize, text: &str) {
        self.wrap(&format!("{number:>STEP$}.  "), text, STEP + 3);
    }

    /// A line for a shell is never broken.
    pub(in crate::report) fn command(&mut self, command: &str) {
        for line in command.lines() {
            self.line(&format!("{:STEP$}     {line}", ""));
        }
    }

    /// What a kind of memory was, what it is, and the difference.
    pub(in crate::report) fn change(&mut self, name: &str, [before, after, change]: &[String; 3]) {
        if self.width < ROW {
            self.bullet(&format!("{name}: {before} -> {after} ({change})"));
        } else {
            self.line(&format!(
                "  {name:<20} {before:>11} -> {after:>11}  {change:>12}"
            ));
        }
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

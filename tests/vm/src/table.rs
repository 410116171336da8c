//! A table that can be pasted into a document.

use std::fmt;

/// Cells of text below a heading, as Markdown.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heading: &[&str]) -> Self {
        let rows = vec![heading.iter().map(|&word| word.to_owned()).collect()];
        Self { rows }
    }

    /// Adds a row.
    pub(crate) fn row<S: ToString>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows
            .push(cells.into_iter().map(|cell| cell.to_string()).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, row) in self.rows.iter().enumerate() {
            writeln!(f, "| {} |", row.join(" | "))?;
            if i == 0 {
                let columns = row.len().saturating_sub(1);
                writeln!(f, "| ---{} |", " | ---:".repeat(columns))?;
            }
        }
        Ok(())
    }
}

/// The middle of some numbers; between two, their mean.
pub(crate) fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// `least to most`.
fn spread(numbers: &[f64]) -> String {
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{} to {}", short(least), short(most))
}

/// Sum, median and spread of some numbers, in one cell: `sum (median; least to most)`.
pub(crate) fn summary(numbers: &[f64]) -> String {
    match numbers {
        [] => "-".to_owned(),
        [one] => short(*one),
        _ => format!(
            "{} (median {}; {})",
            short(numbers.iter().sum()),
            short(median(numbers)),
            spread(numbers)
        ),
    }
}

/// Median and spread of some numbers, whose sum would mean nothing: `median (least to most)`.
pub(crate) fn middle(numbers: &[f64]) -> String {
    match numbers {
        [] => "-".to_owned(),
        [one] => short(*one),
        _ => format!("{} ({})", short(median(numbers)), spread(numbers)),
    }
}

/// How much of the sum of `whole` that of `part` is, in percent.
pub(crate) fn percent(part: &[f64], whole: &[f64]) -> String {
    let (sum, all): (f64, f64) = (part.iter().sum(), whole.iter().sum());
    if all > 0.0 {
        format!("{:.1} %", sum / all * 100.0)
    } else {
        "-".to_owned()
    }
}

/// A number without more digits than it takes.
pub(crate) fn short(number: f64) -> String {
    if number.fract().abs() < 0.005 {
        format!("{number:.0}")
    } else if number.abs() >= 100.0 {
        format!("{number:.1}")
    } else {
        format!("{number:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new(&["what", "a"]);
        table.row(["stalls", "3"]);
        assert_eq!(
            table.to_string(),
            "| what | a |\n| --- | ---: |\n| stalls | 3 |\n"
        );
    }

    #[test]
    fn the_median_is_in_the_middle() {
        let medians =
            [&[3.0, 1.0, 2.0][..], &[4.0, 1.0], &[]].map(|numbers| short(median(numbers)));
        assert_eq!(medians, ["2", "2.50", "0"]);
    }

    #[test]
    fn a_summary_says_sum_median_and_spread() {
        assert_eq!(summary(&[1.0, 5.0, 3.0]), "9 (median 3; 1 to 5)");
        assert_eq!(summary(&[1.5]), "1.50");
        assert_eq!(middle(&[1.0, 5.0, 3.0]), "3 (1 to 5)");
        assert_eq!(percent(&[1.0, 1.0], &[100.0]), "2.0 %");
        assert_eq!(percent(&[1.0], &[]), "-");
    }
}

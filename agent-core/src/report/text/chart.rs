//! A small chart of plain characters.

use std::cmp::Ordering;

use super::super::curve::{Curve, Point};
use super::super::phrases;
use super::super::view::{Chart, View};
use super::TextPage;

const ROWS: usize = 9;
/// For the numbers at the left.
const MARGIN: usize = 12;

const SEEN: char = '*';
const EXPECTED: char = '.';
const BASELINE: char = '-';

/// What the page is about over time, with what is expected of it.
pub(super) fn draw(view: &View<'_>, page: &mut TextPage) {
    let Some(chart) = view
        .chart
        .as_ref()
        .filter(|chart| chart.curve.points.len() > 1)
    else {
        page.heading(&format!(
            "{} over time",
            phrases::capitalised(view.subject.name())
        ));
        page.note("There is no history yet.");
        return;
    };
    page.heading(&format!(
        "{} over time",
        phrases::capitalised(view.subject.name())
    ));
    plot(view, chart, phrases::bytes, page);
    let more = if chart.forecast.is_some() {
        ", . if it goes on like this"
    } else {
        ""
    };
    page.note(&format!("* seen, - least before it grew{more}"));
}

/// A metric of another module over time.
pub(super) fn draw_metric(view: &View<'_>, name: &str, curve: &Curve, page: &mut TextPage) {
    page.heading(&format!("{} over time", phrases::name(name)));
    if curve.points.len() < 2 {
        let value = phrases::metric(name, curve.last().1);
        page.note(&format!("{value}; there is no history yet."));
        return;
    }
    let chart = Chart::plain(curve.clone());
    plot(view, &chart, |value| phrases::metric(name, value), page);
}

fn plot(view: &View<'_>, chart: &Chart, label: impl Fn(f64) -> String, page: &mut TextPage) {
    let canvas = Canvas::of(chart, page.width() - MARGIN - 3);
    for (row, line) in canvas.rows.iter().enumerate() {
        let label = if row % 4 == 0 {
            label(canvas.height_of(row))
        } else {
            String::new()
        };
        let line: String = line.iter().collect();
        page.line(&format!("{label:>MARGIN$} |{line}"));
    }
    page.line(&format!("{:>MARGIN$} +{}", "", "-".repeat(canvas.columns)));
    let (start, end) = (chart.curve.first().0, canvas.to);
    let (from, to) = match view.calendar.ends(start, end) {
        Some((from, to)) => (from, to + " UTC"),
        None => (view.calendar.moment(start), view.calendar.moment(end)),
    };
    let room = (canvas.columns + 1).saturating_sub(from.chars().count());
    if to.chars().count() < room {
        page.line(&format!("{:>MARGIN$} {from}{to:>room$}", ""));
    } else {
        page.line(&format!("{:>MARGIN$} {from}", ""));
        page.line(&format!("{:>MARGIN$} to {to}", ""));
    }
}

struct Canvas {
    rows: Vec<Vec<char>>,
    columns: usize,
    from: f64,
    to: f64,
    least: f64,
    most: f64,
}

impl Canvas {
    fn of(chart: &Chart, columns: usize) -> Self {
        let expected = chart
            .forecast
            .as_ref()
            .map_or(&[][..], |future| &future.middle);
        let ends = expected.iter().map(|point| point.1);
        let least = ends
            .clone()
            .fold(chart.curve.least().min(chart.baseline), f64::min);
        let most = ends.fold(chart.curve.most().max(chart.baseline), f64::max);
        let mut canvas = Self {
            rows: vec![vec![' '; columns]; ROWS],
            columns,
            from: chart.curve.first().0,
            to: chart.end(),
            least,
            // A flat line is drawn at the bottom.
            most: if most > least { most } else { least + 1.0 },
        };
        if chart.has_baseline {
            let baseline = canvas.row_of(chart.baseline);
            canvas.rows[baseline].fill(BASELINE);
        }
        for two in expected.windows(2) {
            canvas.line(two[0], two[1], EXPECTED);
        }
        for two in chart.curve.points.windows(2) {
            canvas.line(two[0], two[1], SEEN);
        }
        canvas
    }

    /// The value in the middle of a row; the ends are exact.
    fn height_of(&self, row: usize) -> f64 {
        self.most - (self.most - self.least) * as_f64(row) / as_f64(ROWS - 1)
    }

    fn row_of(&self, value: f64) -> usize {
        let share = (self.most - value) / (self.most - self.least);
        cell(share, ROWS)
    }

    fn column_of(&self, at: f64) -> usize {
        cell(
            (at - self.from) / (self.to - self.from).max(1.0),
            self.columns,
        )
    }

    /// A mark in every column from one point to another, and in all rows in between.
    fn line(&mut self, from: Point, to: Point, mark: char) {
        let (first, last) = (self.column_of(from.0), self.column_of(to.0));
        let mut before = self.row_of(from.1);
        for column in first..=last {
            let share = if last == first {
                1.0
            } else {
                as_f64(column - first) / as_f64(last - first)
            };
            let row = self.row_of(from.1 + (to.1 - from.1) * share);
            // The row before has its mark in the column before.
            let rows = match before.cmp(&row) {
                Ordering::Less => before + 1..=row,
                Ordering::Equal => row..=row,
                Ordering::Greater => row..=before - 1,
            };
            for line in &mut self.rows[rows] {
                line[column] = mark;
            }
            before = row;
        }
    }
}

/// The cell of a share from 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of cells, and a float cast saturates"
)]
fn cell(share: f64, cells: usize) -> usize {
    let last = cells.saturating_sub(1);
    ((share.clamp(0.0, 1.0) * as_f64(last)).round() as usize).min(last)
}

#[expect(clippy::cast_precision_loss, reason = "cells of a page")]
fn as_f64(cells: usize) -> f64 {
    cells as f64
}

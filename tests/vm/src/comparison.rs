//! A comparison of arms: the same load, with and without what is tried.

use crate::table::{Table, middle, percent, summary};

/// One way to run the load, and how it is called in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arm {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
}

/// One number of one run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure {
    name: &'static str,
    /// `None` where an arm has no such number.
    number: Option<f64>,
    /// Whether the sum is set against that of the first arm.
    is_compared: bool,
}

impl Measure {
    /// A number that is compared with that of the first arm.
    pub(crate) fn compared(name: &'static str, number: f64) -> Self {
        Self {
            name,
            number: Some(number),
            is_compared: true,
        }
    }

    /// A number that speaks for itself.
    pub(crate) fn alone(name: &'static str, number: impl Into<Option<f64>>) -> Self {
        Self {
            name,
            number: number.into(),
            is_compared: false,
        }
    }
}

impl Measure {
    /// The number, if there is one, of the measure of this name among others.
    pub(crate) fn of(measures: &[Self], name: &str) -> Option<f64> {
        let measure = measures.iter().find(|measure| measure.name == name)?;
        measure.number
    }
}

/// All runs, each with its arm, as a table: one column per arm, one row per measure.
pub(crate) fn table(arms: &[Arm], runs: &[(Arm, Vec<Measure>)]) -> Table {
    let labels = arms.iter().map(|arm| arm.label);
    let heading: Vec<&str> = std::iter::once("").chain(labels).collect();
    let mut table = Table::new(&heading);
    let Some((_, measures)) = runs.first() else {
        return table;
    };
    for (row, measure) in measures.iter().enumerate() {
        let numbers: Vec<Vec<f64>> = arms.iter().map(|arm| numbers_of(*arm, runs, row)).collect();
        let cells = numbers.iter().enumerate().map(|(column, these)| {
            if !measure.is_compared {
                middle(these)
            } else if column == 0 || these.is_empty() {
                summary(these)
            } else {
                format!("{} = {}", summary(these), percent(these, &numbers[0]))
            }
        });
        table.row(std::iter::once(measure.name.to_owned()).chain(cells));
    }
    table
}

/// The numbers of one row in all runs of an arm.
fn numbers_of(arm: Arm, runs: &[(Arm, Vec<Measure>)], row: usize) -> Vec<f64> {
    runs.iter()
        .filter(|(of, _)| *of == arm)
        .filter_map(|(_, measures)| measures.get(row)?.number)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_is_set_against_the_first_arm() {
        let arms = ["without", "with"].map(|name| Arm { name, label: name });
        let run = |arm: Arm, stalls, scale| {
            let measures = vec![
                Measure::compared("stalls", stalls),
                Measure::alone("scale", scale),
            ];
            (arm, measures)
        };
        let runs = [
            run(arms[0], 30.0, None),
            run(arms[1], 1.0, Some(10.0)),
            run(arms[0], 10.0, None),
            run(arms[1], 1.0, Some(10.0)),
        ];
        let table = table(&arms, &runs).to_string();
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| stalls | 40 (median 20; 10 to 30) | 2 (median 1; 1 to 1) = 5.0 % |",
                "| scale | - | 10 (10 to 10) |",
            ]
        );
    }
}

//! A module's numbers as JSON.

use serde_json::{Map, Value};

use super::Number;

/// The numbers by their names.
pub(crate) fn numbers(numbers: &[Number]) -> Map<String, Value> {
    numbers
        .iter()
        .map(|number| (number.name.clone(), number_value(number.value)))
        .collect()
}

/// Whole numbers are printed as such.
#[expect(
    clippy::cast_possible_truncation,
    reason = "only whole numbers of at most 2^53 are cast"
)]
pub(crate) fn number_value(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        (value as i64).into()
    } else {
        value.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_printed_as_such() {
        let printed =
            [1.0, -2_279_235_584.0, 0.5, f64::NAN].map(|value| number_value(value).to_string());

        assert_eq!(printed, ["1", "-2279235584", "0.5", "null"]);
    }
}

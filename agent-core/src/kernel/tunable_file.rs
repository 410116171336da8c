//! The files of tunables below `/proc/sys`: one whole number each.

use super::error::ParseError;

/// The value in the text of a tunable's file.
///
/// # Errors
///
/// If it is not a whole number on a line of its own.
pub(super) fn value(text: &[u8]) -> Result<i64, ParseError> {
    let number = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.trim_end().parse().ok());
    number.ok_or_else(|| ParseError::new("a whole number", &String::from_utf8_lossy(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_whole_number() {
        assert_eq!(value(b"10\n"), Ok(10));
        assert_eq!(
            value(b"10 20\n").unwrap_err().to_string(),
            "expected a whole number, found \"10 20\""
        );
    }
}

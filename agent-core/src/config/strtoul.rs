//! Reads numbers as C does, which is how adaptivemm 2.1 read its file.

/// The result of C's `strtoul(text, &end, 0)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) value: u64,
    /// The number of bytes that it has read; 0 if there is no number.
    pub(crate) length: usize,
    pub(crate) range: Fits,
}

/// The relation of a number to the range of an unsigned word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fits {
    /// It is within the range.
    Yes,
    /// It is negative, or too large.
    No,
}

/// Reads a number as C's `strtoul(text, &end, 0)` does: decimal, `0x` or `0`
/// and octal, after blanks and a sign, up to the first byte that does not fit.
pub(crate) fn strtoul(text: &str) -> Number {
    let blanks = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];
    let unsigned = text.trim_start_matches(blanks);
    let is_negative = unsigned.starts_with('-');
    let unsigned = unsigned.strip_prefix(['-', '+']).unwrap_or(unsigned);
    let hexadecimal = unsigned
        .strip_prefix("0x")
        .or_else(|| unsigned.strip_prefix("0X"))
        .filter(|digits| digits.starts_with(|c: char| c.is_ascii_hexdigit()));
    let (digits, radix) = match hexadecimal {
        Some(digits) => (digits, 16),
        None if unsigned.starts_with('0') => (unsigned, 8),
        None => (unsigned, 10),
    };
    let count = digits.chars().take_while(|c| c.is_digit(radix)).count();
    if count == 0 {
        let (value, length, range) = (0, 0, Fits::Yes);
        return Number {
            value,
            length,
            range,
        };
    }
    let magnitude = u64::from_str_radix(&digits[..count], radix);
    Number {
        value: match magnitude {
            Ok(value) if is_negative => value.wrapping_neg(),
            Ok(value) => value,
            Err(_) => u64::MAX,
        },
        length: text.len() - digits.len() + count,
        range: match magnitude {
            Ok(value) if value == 0 || !is_negative => Fits::Yes,
            Ok(_) | Err(_) => Fits::No,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_c_makes_of_them() {
        for (text, value, rest, range) in [
            ("5", 5, "", Fits::Yes),
            ("  5", 5, "", Fits::Yes),
            ("\t\u{b}\u{c}\r5\r", 5, "\r", Fits::Yes),
            ("+5", 5, "", Fits::Yes),
            ("0", 0, "", Fits::Yes),
            ("0x10", 16, "", Fits::Yes),
            ("0X1f", 31, "", Fits::Yes),
            ("0x", 0, "x", Fits::Yes),
            ("0xg", 0, "xg", Fits::Yes),
            ("010", 8, "", Fits::Yes),
            ("08", 0, "8", Fits::Yes),
            ("0o10", 0, "o10", Fits::Yes),
            ("0b10", 0, "b10", Fits::Yes),
            ("1_000", 1, "_000", Fits::Yes),
            ("1.5", 1, ".5", Fits::Yes),
            ("5\u{0}6", 5, "\u{0}6", Fits::Yes),
            ("-0", 0, "", Fits::Yes),
            ("-1", u64::MAX, "", Fits::No),
            ("18446744073709551615", u64::MAX, "", Fits::Yes),
            ("18446744073709551616", u64::MAX, "", Fits::No),
            ("-18446744073709551616", u64::MAX, "", Fits::No),
        ] {
            let number = strtoul(text);

            let found = (number.value, &text[number.length..], number.range);
            assert_eq!(found, (value, rest, range), "{text:?}");
            assert_ne!(number.length, 0, "{text:?}");
        }
    }

    #[test]
    fn without_digits_there_is_no_number() {
        for text in [
            "", " ", "yes", "\"5\"", "+", "-", "- 5", "+-5", "$((1))", "\u{ff11}",
        ] {
            let (value, length, range) = (0, 0, Fits::Yes);
            assert_eq!(
                strtoul(text),
                Number {
                    value,
                    length,
                    range
                },
                "{text:?}"
            );
        }
    }
}

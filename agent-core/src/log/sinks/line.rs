//! One event on one line: nothing in a text can end the line or start another.

/// The length that every log daemon takes whole (rsyslog and journald take more). A longer text is cut and
/// not split, because its second half would look like an event of its own; what is really long
/// belongs into details. The smallest send buffer of Linux holds twice as much, so that `EMSGSIZE`
/// cannot occur.
const LIMIT: usize = 2048;

/// The room for the words that say how much was cut.
const NOTE: usize = 32;

/// `text` without anything that could break a line, and not longer than [`LIMIT`] bytes.
pub(super) fn one_line(text: &str) -> String {
    let kept = beginning(text);
    let line: String = kept
        .chars()
        .map(|char| if is_harmful(char) { ' ' } else { char })
        .collect();
    match text.len() - kept.len() {
        0 => line,
        cut => format!("{line}... [{cut} bytes cut]"),
    }
}

/// Returns as much of `text` as there is room for.
fn beginning(text: &str) -> &str {
    if text.len() <= LIMIT {
        return text;
    }
    let end = (0..=LIMIT - NOTE)
        .rev()
        .find(|&index| text.is_char_boundary(index));
    &text[..end.unwrap_or(0)]
}

/// Returns true if a terminal or a log viewer could take `char` for anything but a part of the text: an
/// escape sequence, a new line, a change of the writing direction that hides the rest.
fn is_harmful(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_text_stays_as_it_is() {
        assert_eq!(one_line("core: größer, 東京"), "core: größer, 東京");
    }

    #[test]
    fn a_text_cannot_start_a_line_or_move_the_cursor() {
        let text = "a\nb\r\n\0c\u{1b}[2Jd\u{7f}\u{9b}e\u{2028}f\u{202e}g";

        assert_eq!(one_line(text), "a b   c [2Jd  e f g");
    }

    #[test]
    fn a_long_text_says_how_much_of_it_was_cut() {
        let line = one_line(&"x".repeat(100_000));

        assert_eq!(line, format!("{}... [97984 bytes cut]", "x".repeat(2016)));
    }

    #[test]
    fn a_text_that_just_fits_is_not_cut() {
        let text = "x".repeat(LIMIT);

        assert_eq!(one_line(&text), text);
    }

    #[test]
    fn a_character_is_never_cut_in_two() {
        let line = one_line(&format!("x{}", "東".repeat(1000)));

        assert_eq!(line, format!("x{}... [987 bytes cut]", "東".repeat(671)));
    }

    proptest! {
        #[test]
        fn any_text_is_one_short_line(text in "(\\PC|[\n\r\0\u{1b}\u{2028}]|東){0,900}") {
            let line = one_line(&text);

            prop_assert!(line.len() <= LIMIT);
            prop_assert!(!line.contains(is_harmful));
        }
    }
}

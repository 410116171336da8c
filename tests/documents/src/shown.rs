//! Compares what a document shows of an output with what came.
//!
//! A line `...` stands for any lines, also none; `...` within a line for any text; and `#`s in a row for a number: what differs
//! from machine to machine is masked where the reader sees it.

/// Whether an output is what is shown of it.
pub(crate) fn is_shown<S: AsRef<str>>(shown: &[S], came: &[&str]) -> bool {
    match (shown.split_first(), came.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first.as_ref() == "..." => {
            is_shown(rest, came)
                || came
                    .split_first()
                    .is_some_and(|(_, came)| is_shown(shown, came))
        }
        (Some((first, shown)), Some((line, came))) => {
            is_line(first.as_ref(), line) && is_shown(shown, came)
        }
        _ => false,
    }
}

/// Whether a line is what is shown of it.
pub(crate) fn is_line(shown: &str, came: &str) -> bool {
    if let Some(rest) = shown.strip_prefix("...") {
        let mut starts = came
            .char_indices()
            .map(|(start, _)| start)
            .chain([came.len()]);
        return starts.any(|start| is_line(rest, &came[start..]));
    }
    let unmasked = shown.trim_start_matches('#');
    if unmasked.len() < shown.len() {
        let digits = came.len()
            - came
                .trim_start_matches(|digit: char| digit.is_ascii_digit())
                .len();
        return (1..=digits)
            .rev()
            .any(|digits| is_line(unmasked, &came[digits..]));
    }
    match (shown.chars().next(), came.chars().next()) {
        (None, None) => true,
        (Some(expected), Some(found)) if expected == found => {
            is_line(&shown[expected.len_utf8()..], &came[found.len_utf8()..])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_mask_every_byte_counts() {
        assert!(is_shown(&["a", "b"], &["a", "b"]));
        assert!(!is_shown(&["a", "b"], &["a", "b "]));
        assert!(!is_shown(&["a"], &["a", "b"]));
        assert!(!is_shown(&["a", "b"], &["a"]));
        assert!(!is_shown(&["a"], &[]));
    }

    #[test]
    fn dots_stand_for_lines_or_for_a_part_of_one() {
        assert!(is_shown(&["a", "...", "d"], &["a", "b", "c", "d"]));
        assert!(is_shown(&["a", "..."], &["a"]));
        assert!(!is_shown(&["...", "c"], &["a", "b"]));
        assert!(is_line("a ... of ... pages", "a node of 12 pages"));
        assert!(is_line("grew...", "grew"));
        assert!(!is_line("grew...now", "grew"));
    }

    #[test]
    fn a_mask_stands_for_a_number_and_nothing_else() {
        assert!(is_line("##:##:## info", "16:46:50 info"));
        assert!(is_line("#.# GiB", "123.5 GiB"));
        assert!(!is_line("# GiB", " GiB"));
        assert!(!is_line("# GiB", "x GiB"));
        assert!(!is_line("# GiB", "1 MiB"));
    }
}

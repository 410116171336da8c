//! Texts of kernel files, made odd.

/// Every second line, from the first or the second on.
pub(super) fn half(text: &str, from: usize) -> String {
    text.split_inclusive('\n').skip(from).step_by(2).collect()
}

/// All lines but one.
pub(super) fn without_line(text: &str, gone: usize) -> String {
    let lines = text.split_inclusive('\n').enumerate();
    lines
        .filter(|(index, _)| *index != gone)
        .map(|(_, line)| line)
        .collect()
}

/// The first half of the bytes.
pub(super) fn cut_off(text: &str) -> String {
    text.chars().take(text.chars().count() / 2).collect()
}

/// What no kernel prints: controls, formats, letters of other alphabets, no line feed at the end.
pub(super) fn garbage() -> String {
    "\u{1b}[2J\u{0}%s%n%n\u{202e}größer \u{fffd}: -1 kB\n\n:::\n=== NaN inf 1e999 0x10 kB\n, , ,\nNode".to_owned()
}

/// The same text with other numbers. Those that say which processor or node it is stay.
pub(super) fn with_numbers(text: &str, number: impl Fn(bool) -> String) -> String {
    text.split_inclusive('\n')
        .map(|line| line_with_numbers(line, &number))
        .collect()
}

/// `number` gives the number for a place: whether it is an amount in kB.
fn line_with_numbers(line: &str, number: impl Fn(bool) -> String) -> String {
    let output: Vec<&str> = line.split(' ').collect();
    let mut before = "";
    let mut new: Vec<String> = Vec::new();
    for (index, word) in output.iter().enumerate() {
        let is_kib = output
            .get(index + 1)
            .is_some_and(|next| next.trim_end() == "kB");
        new.push(match before {
            "Node" | "cpu:" => (*word).to_owned(),
            _ => word_with_number(word, || number(is_kib)),
        });
        if !word.is_empty() {
            before = word;
        }
    }
    new.join(" ")
}

/// `10`, `avg10=0.00` and `(0,` have a number; `nr_zone_1` and `2M` have none.
fn word_with_number(word: &str, number: impl FnOnce() -> String) -> String {
    let start = word.find('=').map_or(0, |equals| equals + 1);
    let (name, value) = word.split_at(start);
    let digits = value.trim_matches(['(', ')', ',', ':', '\n', '\t']);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    if is_number && !value.ends_with(':') {
        format!("{name}{}", value.replacen(digits, &number(), 1))
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_change_and_what_they_belong_to_stays() {
        let text = "Node 0, zone DMA 1 2\nMemTotal:   12 kB\nsome avg10=0.25 total=7\n  protection: (0, 3)\ncpu: 3\n";

        let new = with_numbers(text, |is_kib| if is_kib { "K" } else { "N" }.to_owned());

        assert_eq!(
            new,
            "Node 0, zone DMA N N\nMemTotal:   K kB\nsome avg10=N total=N\n  protection: (N, N)\ncpu: 3\n"
        );
    }

    #[test]
    fn lines_are_left_out() {
        let text = "a\nb\nc\n";

        assert_eq!(
            (half(text, 0).as_str(), half(text, 1).as_str()),
            ("a\nc\n", "b\n")
        );
        assert_eq!(without_line(text, 1), "a\nc\n");
    }
}

//! Removes secrets of command lines from texts for others, and the names of processes and services.

use std::fmt::Write;

/// The text that replaces a secret.
const MASK: &str = "***";
/// Parts of names whose value is a secret.
const SECRETS: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api-key",
    "api_key",
    "credential",
    "private",
    "auth",
    "cookie",
    "signature",
];
/// Whole names of options whose value is a secret.
const OPTIONS: [&str; 6] = ["key", "pass", "pin", "access-key", "encryption-key", "sas"];
/// Kinds of authorization, which are followed by the secret.
const SCHEMES: [&str; 3] = ["bearer", "basic", "digest"];
/// The ends of units of systemd.
const UNITS: [&str; 3] = [".service", ".scope", ".slice"];

/// A text, which may hold command lines or variables of an environment, with a mask in place of each secret.
#[must_use]
pub(crate) fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut is_next_secret = false;
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end_matches(char::is_whitespace);
        let space = &piece[word.len()..];
        if word.is_empty() {
            masked.push_str(piece);
            continue;
        }
        let is_scheme = SCHEMES.contains(&bare(word).to_lowercase().as_str());
        if is_next_secret && !is_scheme && !(word.starts_with("--") && word.len() > 2) {
            masked.push_str(MASK);
            is_next_secret = false;
        } else {
            let (shown, is_open) = masked_word(word);
            masked.push_str(&shown);
            is_next_secret = is_open
                || (is_next_secret && is_scheme)
                || is_scheme && masked_before(&masked, word);
        }
        masked.push_str(space);
    }
    masked
}

/// True if the word comes after a header: only there do `Bearer` and the like announce a secret.
fn masked_before(masked: &str, word: &str) -> bool {
    let before = masked.trim_end_matches(word).trim_end();
    before.ends_with(':')
}

/// A word as it may be shown, and true if the next one is a secret.
fn masked_word(word: &str) -> (String, bool) {
    let word = &without_user(word);
    if let Some(at) = word.find(['=', ':']) {
        let (name, value) = (&word[..at], &word[at + 1..]);
        if is_secret(name) && !value.starts_with("//") {
            return (
                format!(
                    "{name}{}{}",
                    &word[at..=at],
                    if value.is_empty() { "" } else { MASK }
                ),
                value.is_empty(),
            );
        }
        // One word may hold several values, as in a query or a connection string.
        if let Some(rest) = value.find(['&', ';', '?', ',']) {
            let (first, others) = value.split_at(rest + 1);
            let (others, is_open) = masked_word(others);
            return (format!("{name}{}{first}{others}", &word[at..=at]), is_open);
        }
        return (word.clone(), false);
    }
    (word.clone(), word.starts_with('-') && is_secret(word))
}

/// True if the value of this name is a secret.
fn is_secret(name: &str) -> bool {
    let name = bare(
        name.rsplit(['?', '&', ';', ',', '{'])
            .next()
            .unwrap_or(name),
    )
    .to_lowercase();
    let ends = ["_key", "-key", "_pass", "-pass"];
    SECRETS.iter().any(|secret| name.contains(secret))
        || OPTIONS.contains(&name.as_str())
        || ends.iter().any(|end| name.ends_with(end))
}

/// A word without dashes, quotes and brackets around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| "-\"'`()[]{},".contains(c))
}

/// A URL without its user and password: `postgres://***@host`.
fn without_user(word: &str) -> String {
    let Some(start) = word.find("://").map(|at| at + 3) else {
        return word.to_owned();
    };
    let end = word[start..]
        .find(['/', '?', '#'])
        .map_or(word.len(), |end| start + end);
    match word[start..end].rfind('@') {
        Some(at) => format!("{}{MASK}{}", &word[..start], &word[start + at..]),
        None => word.to_owned(),
    }
}

/// A text without secrets, and without the numbers and control groups of processes, for readers who need not know which
/// process or service it is about.
#[must_use]
pub(crate) fn discreet(text: &str) -> String {
    let mut discreet = String::new();
    let mut is_number = false;
    for piece in masked(text).split_inclusive([' ', '\n', '\t']) {
        let word = piece.trim_end();
        let core = word.trim_matches(|c: char| "(),;:\"'`".contains(c));
        let is_group = core.starts_with('/') && UNITS.iter().any(|end| core.contains(end));
        let is_unit = UNITS.iter().any(|end| core.ends_with(end)) && core.len() > 8;
        let shown =
            if is_number && core.bytes().all(|byte| byte.is_ascii_digit()) && !core.is_empty() {
                MASK
            } else if is_group || is_unit {
                "a service"
            } else {
                core
            };
        // Writing to a string cannot fail.
        let _ = write!(
            discreet,
            "{}",
            piece.replacen(core, shown, usize::from(!core.is_empty()))
        );
        is_number = core.eq_ignore_ascii_case("pid");
    }
    discreet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_command_lines_are_masked() {
        for (text, expected) in [
            ("mysqld --password=hunter2 -v", "mysqld --password=*** -v"),
            ("agent --token abc def", "agent --token *** def"),
            ("x --api-key 'a1'", "x --api-key ***"),
            ("x --key s3cret --verbose", "x --key *** --verbose"),
            ("x --password --verbose", "x --password --verbose"),
            (
                "AWS_SECRET_ACCESS_KEY=abc run",
                "AWS_SECRET_ACCESS_KEY=*** run",
            ),
            ("DB_PASS=abc PATH=/bin", "DB_PASS=*** PATH=/bin"),
            ("psql postgres://joe:pw@db/x", "psql postgres://***@db/x"),
            (
                "curl https://h/p?a=1&token=zz",
                "curl https://h/p?a=1&token=***",
            ),
            (
                "curl -H Authorization: Bearer abc",
                "curl -H Authorization: Bearer ***",
            ),
            (
                "{\"password\": \"x\", \"a\": 1}",
                "{\"password\": *** \"a\": 1}",
            ),
            ("a=1;Password=x", "a=1;Password=***"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn ordinary_sentences_stay_as_they_are() {
        for text in [
            "Possible memory leak (trend): 1.2 GiB in 15 min; see https://example.org/x",
            "pipes of nginx (12 pipes) at 10:15:03",
            "kmalloc-1k: 20 MiB\n  a key matter",
            "",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn numbers_of_processes_and_control_groups_are_not_for_everybody() {
        assert_eq!(
            discreet("pipes of x (7 pipes, PID 12) in /system.slice/x.service, PID: 9"),
            "pipes of x (7 pipes, PID ***) in a service, PID: ***"
        );
        assert_eq!(
            discreet("x.service leaks; /proc/slabinfo"),
            "a service leaks; /proc/slabinfo"
        );
        assert_eq!(discreet("12 GiB  free"), "12 GiB  free");
    }
}

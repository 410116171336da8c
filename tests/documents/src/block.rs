//! The fenced blocks of a document that are run, and what is marked in their first line.

use std::iter::Peekable;
use std::str::Lines;

/// A block that does something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// Commands, each with what it prints.
    Console(Console),
    /// A file that the reader is told to write, marked `file=NAME`.
    File { name: String, text: String },
}

/// A block of commands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Console {
    /// Of its first line, from 1.
    pub(crate) line: usize,
    pub(crate) marks: Marks,
    pub(crate) commands: Vec<Command>,
}

/// What is said of a block after ` ```console`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Where it runs.
    pub(crate) place: Place,
    /// The fixture that gives it a past.
    pub(crate) with: Option<String>,
    /// After so many seconds Ctrl-C is pressed.
    pub(crate) ctrl_c: Option<u32>,
    /// The answer of a command may be no, which is the exit status 1.
    pub(crate) may_be_no: bool,
    /// In a directory of its own.
    pub(crate) is_fresh: bool,
    /// A program that it needs, and the package that has it.
    pub(crate) needs: Vec<(String, String)>,
}

/// Where a block runs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a fresh clone, as whoever runs this.
    #[default]
    Here,
    /// `.ci/run` has the command itself.
    Ci,
    /// In a booted system that has the package.
    Booted,
    /// It changes the kernel of the machine that it runs on.
    Live,
}

/// A command, and what is shown of its output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// With the lines of its here-document, if it has one.
    pub(crate) text: String,
    pub(crate) is_root: bool,
    pub(crate) shown: Vec<String>,
}

/// The blocks of a document, in order.
///
/// # Errors
///
/// What is wrong with a block, and in which line.
pub(crate) fn blocks(document: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    let mut number = 0;
    while let Some(line) = lines.next() {
        number += 1;
        if ["```", "~~~"]
            .iter()
            .any(|fence| line.trim_start().starts_with(fence))
            && !is_fence(line)
        {
            return Err(format!(
                "line {number}: a block begins with three backticks, at the start of the line"
            ));
        }
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let first = number;
        let mut inside = Vec::new();
        loop {
            let line = lines
                .next()
                .ok_or(format!("line {first}: the block has no end"))?;
            number += 1;
            if line == "```" {
                break;
            }
            inside.push(line);
        }
        blocks.extend(
            block(info, first, &inside).map_err(|problem| format!("line {first}: {problem}"))?,
        );
    }
    Ok(blocks)
}

fn is_fence(line: &str) -> bool {
    line.strip_prefix("```")
        .is_some_and(|info| !info.starts_with('`'))
}

fn block(info: &str, line: usize, inside: &[&str]) -> Result<Option<Block>, String> {
    let mut words = info.split_whitespace();
    let kind = words.next();
    if kind == Some("console") {
        let marks = marks(words)?;
        let commands = commands(&inside.join("\n"))?;
        if marks.place == Place::Here && commands.iter().any(|command| command.is_root) {
            return Err("a command of root runs elsewhere: expected ci, booted or live".to_owned());
        }
        return Ok(Some(Block::Console(Console {
            line,
            marks,
            commands,
        })));
    }
    let known = ["rust", "c", "toml", "json", "make", "text"];
    if let Some(kind) = kind.filter(|kind| !known.contains(kind)) {
        return Err(format!(
            "unknown kind {kind:?}: expected console, {}, or none",
            known.join(", ")
        ));
    }
    match words.next() {
        None => Ok(None),
        Some(word) => match word.strip_prefix("file=") {
            Some(name) => Ok(Some(Block::File {
                name: name.to_owned(),
                text: inside.join("\n") + "\n",
            })),
            None => Err(format!("unknown mark {word:?}: expected file=NAME")),
        },
    }
}

fn marks<'a>(words: impl Iterator<Item = &'a str>) -> Result<Marks, String> {
    let mut marks = Marks::default();
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("ci" | "booted" | "live", "") if marks.place != Place::Here => {
                return Err(format!("{word}: a block runs in one place"));
            }
            ("ci", "") => marks.place = Place::Ci,
            ("booted", "") => marks.place = Place::Booted,
            ("live", "") => marks.place = Place::Live,
            ("may-be-no", "") => marks.may_be_no = true,
            ("fresh", "") => marks.is_fresh = true,
            ("with", fixture) if !fixture.is_empty() => marks.with = Some(fixture.to_owned()),
            ("ctrl-c", seconds) => {
                let seconds = seconds
                    .parse()
                    .map_err(|_| format!("{word}: expected ctrl-c=SECONDS"))?;
                marks.ctrl_c = Some(seconds);
            }
            ("needs", program) if !program.is_empty() => {
                let (program, package) = program.split_once(':').unwrap_or((program, program));
                marks.needs.push((program.to_owned(), package.to_owned()));
            }
            _ => {
                return Err(format!(
                    "unknown mark {word:?}: expected ci, booted, live, fresh, may-be-no, with=FIXTURE, ctrl-c=SECONDS or needs=PROGRAM:PACKAGE"
                ));
            }
        }
    }
    Ok(marks)
}

fn commands(inside: &str) -> Result<Vec<Command>, String> {
    let mut commands: Vec<Command> = Vec::new();
    let mut lines = inside.lines().peekable();
    while let Some(line) = lines.next() {
        let prompt = [("$ ", false), ("# ", true)]
            .into_iter()
            .find_map(|(prompt, is_root)| line.strip_prefix(prompt).map(|text| (text, is_root)));
        match (prompt, commands.last_mut()) {
            (Some((text, is_root)), _) => {
                let text = whole(text, &mut lines)?;
                commands.push(Command {
                    text,
                    is_root,
                    shown: Vec::new(),
                });
            }
            (None, Some(command)) => command.shown.push(line.to_owned()),
            (None, None) => {
                return Err(format!(
                    "{line:?} is before the first command, which begins with \"$ \" or \"# \""
                ));
            }
        }
    }
    Ok(commands)
}

/// A command with the lines that continue it, or with those of its here-document.
fn whole(first: &str, lines: &mut Peekable<Lines<'_>>) -> Result<String, String> {
    let mut text = first.to_owned();
    while text.ends_with('\\') {
        let line = lines
            .next()
            .ok_or(format!("{first:?} goes on, and nothing follows"))?;
        text = text + "\n" + line;
    }
    let Some(word) = here_document(first) else {
        return Ok(text);
    };
    loop {
        let line = lines.next().ok_or(format!(
            "the here-document of {first:?} does not end with {word}"
        ))?;
        text = text + "\n" + line;
        if line.trim_start_matches('\t') == word {
            return Ok(text);
        }
    }
}

/// The word that ends the here-document of a command, if it has one; `<<<` and `1<<4` are none.
fn here_document(command: &str) -> Option<&str> {
    let (before, after) = command.split_once("<<")?;
    let word = after
        .strip_prefix('-')
        .unwrap_or(after)
        .trim_start_matches(['\'', '"']);
    let end = word.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let word = &word[..end.unwrap_or(word.len())];
    let is_word = word.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    (is_word && !before.ends_with(|letter: char| letter.is_ascii_digit())).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(document: &str) -> Console {
        match blocks(document).expect("it is well formed").pop() {
            Some(Block::Console(console)) => console,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_block_has_commands_each_with_what_it_prints() {
        let console = only("text\n```console ci\n$ one\nfirst\nsecond\n# two   # why\n```\n");

        let command = |text: &str, is_root, shown: &[&str]| Command {
            text: text.to_owned(),
            is_root,
            shown: shown.iter().map(|line| (*line).to_owned()).collect(),
        };
        assert_eq!(console.line, 2);
        assert_eq!(
            console.commands,
            [
                command("one", false, &["first", "second"]),
                command("two   # why", true, &[])
            ]
        );
    }

    #[test]
    fn a_here_document_belongs_to_its_command() {
        let console =
            only("```console\n$ cat > x <<'END'\n# no prompt\n$ nor this\nEND\n$ cat x\n```\n");

        assert_eq!(
            console.commands[0].text,
            "cat > x <<'END'\n# no prompt\n$ nor this\nEND"
        );
        assert_eq!(console.commands[1].text, "cat x");
    }

    #[test]
    fn only_what_the_shell_takes_for_a_here_document_is_one() {
        for (command, word) in [
            ("cat <<END", Some("END")),
            ("cat <<-'END' > x", Some("END")),
            ("cat <<\"END_2\"", Some("END_2")),
            ("cat <<<hello", None),
            ("echo $((1<<4))", None),
            ("echo x", None),
        ] {
            assert_eq!(here_document(command), word, "{command}");
        }
    }

    #[test]
    fn a_command_may_go_on_in_the_next_line() {
        let console = only("```console\n$ one \\\n    two\nthree\n```\n");

        assert_eq!(console.commands[0].text, "one \\\n    two");
        assert_eq!(console.commands[0].shown, ["three"]);
    }

    #[test]
    fn marks_say_where_and_with_what() {
        let console = only("```console booted with=incident ctrl-c=3 needs=cc:gcc\n# x\n```\n");

        assert_eq!(
            console.marks,
            Marks {
                place: Place::Booted,
                with: Some("incident".to_owned()),
                ctrl_c: Some(3),
                may_be_no: false,
                is_fresh: false,
                needs: vec![("cc".to_owned(), "gcc".to_owned())],
            }
        );
    }

    #[test]
    fn what_is_not_understood_is_an_error_that_names_the_line() {
        for (document, problem) in [
            (
                "\n```console skip\n$ x\n```\n",
                "line 2: unknown mark \"skip\"",
            ),
            (
                "```console\noutput\n```\n",
                "line 1: \"output\" is before the first command",
            ),
            ("```console\n$ x\n", "line 1: the block has no end"),
            (
                "```console\n$ cat <<END\nx\n```\n",
                "line 1: the here-document",
            ),
        ] {
            let told = blocks(document).expect_err("it is wrong");

            assert!(told.starts_with(problem), "{told}");
        }
    }

    #[test]
    fn other_blocks_are_files_if_they_are_marked_so() {
        let found = blocks("```rust file=src/lib.rs\nfn main() {}\n```\n```toml\nx = 1\n```\n")
            .expect("it is well formed");

        assert_eq!(
            found,
            [Block::File {
                name: "src/lib.rs".to_owned(),
                text: "fn main() {}\n".to_owned()
            }]
        );
    }
}

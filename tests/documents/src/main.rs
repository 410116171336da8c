//! Runs the blocks of commands that documents show, in a fresh clone or in a booted system, and compares what comes with what is
//! shown: `documents PLACE CLONE HOME DOCUMENT...`, where PLACE is `here`, `booted` or `live`. See README.md.
#![allow(clippy::print_stdout, reason = "a line per block is the result")]
#![allow(clippy::print_stderr, reason = "usage is told there")]
#![allow(clippy::disallowed_methods, reason = "no kernel files in here")]

mod block;
mod session;
mod shown;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use block::{Block, Command, Console, Marks, Place};
use session::Session;

/// What runs, and where.
struct Run {
    place: Place,
    /// The fresh clone.
    clone: PathBuf,
    /// Of the reader, with nothing in it but a link to the clone.
    home: PathBuf,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    ran: u32,
    failed: u32,
    elsewhere: u32,
    skipped: u32,
}

/// What became of a block.
enum Outcome {
    Ran,
    Failed(String),
    /// It runs in another place.
    Elsewhere(&'static str),
    Skipped(String),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [place, clone, home, documents @ ..] = arguments.as_slice() else {
        eprintln!("usage: documents here|booted|live CLONE HOME DOCUMENT...");
        return ExitCode::from(2);
    };
    let place = match place.as_str() {
        "here" => Place::Here,
        "booted" => Place::Booted,
        "live" => Place::Live,
        other => {
            eprintln!("unknown place {other:?}: expected here, booted or live");
            return ExitCode::from(2);
        }
    };
    let mut run = Run {
        place,
        clone: clone.into(),
        home: home.into(),
        counts: Counts::default(),
    };
    for document in documents {
        if let Err(problem) = run.document(document) {
            println!("FAILED  {document}: {problem}");
            run.counts.failed += 1;
        }
    }
    let Counts {
        ran,
        failed,
        elsewhere,
        skipped,
    } = run.counts;
    println!("{ran} blocks ran, {failed} failed, {skipped} skipped, {elsewhere} run elsewhere");
    if failed > 0 || ran + elsewhere + skipped == 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

impl Run {
    fn document(&mut self, document: &str) -> Result<(), String> {
        let text =
            fs::read_to_string(self.clone.join(document)).map_err(|error| error.to_string())?;
        let mut session = None;
        for block in block::blocks(&text)? {
            match block {
                Block::Console(console) => {
                    let outcome = self
                        .console(document, &console, &mut session)
                        .map_err(|error| error.to_string())?;
                    self.tell(document, &console, outcome);
                }
                Block::File { name, text } => {
                    let Some(session) = &mut session else {
                        // In the other places no block of this document has run yet.
                        if self.place == Place::Here {
                            return Err(format!("{name}: no block of commands is before it"));
                        }
                        continue;
                    };
                    write(session, &name, &text).map_err(|error| format!("{name}: {error}"))?;
                }
            }
        }
        Ok(())
    }

    fn console(
        &self,
        document: &str,
        console: &Console,
        session: &mut Option<Session>,
    ) -> io::Result<Outcome> {
        let marks = &console.marks;
        match (marks.place, self.place) {
            (Place::Ci, Place::Here) => return self.ci(console),
            (Place::Ci, _) => return Ok(Outcome::Elsewhere("a step of .ci/run")),
            (Place::Here, Place::Here)
            | (Place::Booted, Place::Booted)
            | (Place::Live, Place::Live) => {}
            (Place::Here, _) => return Ok(Outcome::Elsewhere("`documents here`")),
            (Place::Booted, _) => return Ok(Outcome::Elsewhere("the booted system")),
            (Place::Live, _) => {
                return Ok(Outcome::Elsewhere(
                    "`documents live`, as it changes the kernel of this machine",
                ));
            }
        }
        if session.is_none() || marks.is_fresh {
            *session = Some(self.session(document, marks.is_fresh)?);
        }
        let Some(session) = session else {
            return Ok(Outcome::Ran);
        };
        for (program, package) in &marks.needs {
            if session.run(&format!("command -v {program}"))?.status != 0 {
                return Ok(Outcome::Skipped(format!(
                    "there is no {program} here: apt-get install {package}"
                )));
            }
        }
        if let Some(fixture) = &marks.with {
            let path = self.clone.join("tests/documents/fixtures").join(fixture);
            let made = session.run(&format!("source '{}'", path.display()))?;
            if made.status != 0 {
                return Ok(Outcome::Failed(format!(
                    "fixture {fixture} ended with {}:\n{}",
                    made.status, made.output
                )));
            }
        }
        for command in &console.commands {
            if let Some(problem) = self.command(session, command, marks)? {
                return Ok(Outcome::Failed(problem));
            }
        }
        Ok(Outcome::Ran)
    }

    /// What is wrong with what a command does, if anything is.
    fn command(
        &self,
        session: &mut Session,
        command: &Command,
        marks: &Marks,
    ) -> io::Result<Option<String>> {
        let mut text = command.text.clone();
        if let Some(seconds) = marks.ctrl_c {
            text =
                format!("timeout --preserve-status --signal=INT --kill-after=10 {seconds} {text}");
        }
        if self.place == Place::Booted && !command.is_root {
            // As somebody who has logged in.
            text = format!("su --login reader --command {}", quoted(&text));
        }
        if let Some(problem) = session::syntax_error(&text)? {
            return Ok(Some(format!("{}\n{problem}", command.text)));
        }
        let outcome = session.run(&text)?;
        // 130 is how Cargo ends when Ctrl-C is pressed.
        let is_ended = match outcome.status {
            0 => true,
            1 => marks.may_be_no,
            130 => marks.ctrl_c.is_some(),
            _ => false,
        };
        if !is_ended {
            return Ok(Some(format!(
                "{}\nexit status {}:\n{}",
                command.text, outcome.status, outcome.output
            )));
        }
        let came: Vec<&str> = outcome.output.lines().collect();
        if command.shown.is_empty() || shown::is_shown(&command.shown, &came) {
            return Ok(None);
        }
        Ok(Some(format!(
            "{}\nshown:\n{}\ncame:\n{}",
            command.text,
            command.shown.join("\n"),
            outcome.output
        )))
    }

    /// Whether `.ci/run`, or what it reads for `full`, has these commands.
    fn ci(&self, console: &Console) -> io::Result<Outcome> {
        let steps = [".ci/run", ".ci/full"].map(|path| fs::read_to_string(self.clone.join(path)));
        let ci = steps.into_iter().collect::<io::Result<String>>()?;
        for command in &console.commands {
            let text = command
                .text
                .split(" #")
                .next()
                .unwrap_or_default()
                .trim_end();
            let is_there = ci.lines().any(|line| is_step(line, text));
            if !is_there {
                return Ok(Outcome::Failed(format!(
                    "{text}\nis marked ci, and is in no step of .ci"
                )));
            }
        }
        Ok(Outcome::Elsewhere("a step of .ci/run"))
    }

    /// A document at the top is read in the clone, a guide anywhere.
    fn session(&self, document: &str, is_fresh: bool) -> io::Result<Session> {
        let directory = if is_fresh {
            let directory = self.home.join("fresh");
            let _was_not_there = fs::remove_dir_all(&directory);
            fs::create_dir(&directory)?;
            directory
        } else if document.starts_with("module-api/") {
            self.home.clone()
        } else {
            self.clone.clone()
        };
        let program = self.home.join("bin");
        let path = std::env::var("PATH").unwrap_or_default();
        let variables = [
            ("HOME", self.home.display().to_string()),
            ("PATH", format!("{}:{path}", program.display())),
            ("CARGO_HOME", of_rust("CARGO_HOME", ".cargo")),
            ("RUSTUP_HOME", of_rust("RUSTUP_HOME", ".rustup")),
            ("CARGO_TERM_QUIET", "true".to_owned()),
            ("NO_COLOR", "1".to_owned()),
        ];
        Session::start(&directory, &variables)
    }

    fn tell(&mut self, document: &str, console: &Console, outcome: Outcome) {
        let first = console.commands.first().map_or("", |command| {
            command.text.lines().next().unwrap_or_default()
        });
        let place = format!("{document}:{}: {first}", console.line);
        match outcome {
            Outcome::Ran => {
                println!("ok      {place}");
                self.counts.ran += 1;
            }
            Outcome::Failed(problem) => {
                println!("FAILED  {place}\n{problem}");
                self.counts.failed += 1;
            }
            Outcome::Elsewhere(where_) => {
                println!("        {place}: runs in {where_}");
                self.counts.elsewhere += 1;
            }
            Outcome::Skipped(why) => {
                println!("SKIPPED: {place}: {why}");
                self.counts.skipped += 1;
            }
        }
    }
}

/// Where Rust has its files: not in the home of the reader, which is empty.
fn of_rust(variable: &str, name: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        let home = std::env::var("HOME").unwrap_or_default();
        format!("{home}/{name}")
    })
}

/// Whether a line of a script is this command: perhaps with more arguments, and counted.
fn is_step(line: &str, command: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("counted ").unwrap_or(line);
    let rest = line.strip_prefix(command);
    rest.is_some_and(|rest| (rest.is_empty() || rest.starts_with(' ')) && !rest.contains('#'))
}

/// Writes a file that the reader is told to write, where the shell is.
fn write(session: &mut Session, name: &str, text: &str) -> io::Result<()> {
    let directory = session.run("pwd")?;
    let path = Path::new(directory.output.trim_end()).join(name);
    fs::write(path, text)
}

/// A text as one word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_whole_command() {
        for (line, is_there) in [
            ("cargo test --workspace", true),
            ("    counted cargo test --workspace --locked", true),
            ("cargo test --workspaces", false),
            ("echo cargo test --workspace", false),
            ("# cargo test --workspace", false),
            ("make # cargo test --workspace", false),
        ] {
            assert_eq!(is_step(line, "cargo test --workspace"), is_there, "{line}");
        }
    }
}

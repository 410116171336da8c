//! A shell that goes on from block to block, as that of a reader does.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Ends what a command printed; no program prints it.
const END: &str = "\u{1e}documents\u{1e}";

/// What a command printed, and its exit status.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) output: String,
    pub(crate) status: i32,
}

/// What the shell finds wrong with a command before it runs it: it would wait for the rest of one that is not whole.
///
/// # Errors
///
/// If there is no `bash`.
pub(crate) fn syntax_error(command: &str) -> io::Result<Option<String>> {
    let checked = Command::new("bash").args(["-n", "-c", command]).output()?;
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    Ok((!checked.status.success() || !said.is_empty()).then_some(said))
}

/// A running shell.
pub(crate) struct Session {
    shell: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    /// Starts a shell in this directory, with these variables besides the usual ones.
    ///
    /// # Errors
    ///
    /// If there is no `bash`.
    pub(crate) fn start(directory: &Path, variables: &[(&str, String)]) -> io::Result<Self> {
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc"])
            .current_dir(directory)
            .envs(variables.iter().cloned());
        let mut shell = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (shell.stdin.take(), shell.stdout.take());
        let (input, output) = input.zip(output).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            shell,
            input,
            output: BufReader::new(output),
        })
    }

    /// Runs a command to its end. What it says on standard error counts as printed.
    ///
    /// # Errors
    ///
    /// If the shell has ended.
    pub(crate) fn run(&mut self, command: &str) -> io::Result<Outcome> {
        // In braces and not in parentheses: a directory that it changes to stays.
        write!(
            self.input,
            "{{ {command}\n}} </dev/null 2>&1\nprintf '\\n%s%s\\n' '{END}' $?\n"
        )?;
        self.input.flush()?;
        let mut output = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.output.read_until(b'\n', &mut line)? == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the shell has ended",
                ));
            }
            let text = String::from_utf8_lossy(&line);
            if let Some(status) = text.strip_prefix(END) {
                let status = status.trim_end().parse().unwrap_or(-1);
                // The line feed before the mark is ours.
                output.pop();
                let output = String::from_utf8_lossy(&output).into_owned();
                return Ok(Outcome { output, status });
            }
            output.extend(line);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _gone = self.shell.kill();
        let _gone = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_not_whole_is_told_and_not_waited_for() {
        let errors = ["echo \"a", "echo a", "cat <<END\nx\nEND"]
            .map(|command| syntax_error(command).expect("there is bash"));

        assert!(errors[0].is_some());
        assert_eq!(errors[1..], [None, None]);
    }

    #[test]
    fn a_shell_remembers_and_tells_what_came_and_how_it_ended() {
        let mut session = Session::start(Path::new("/"), &[("GREETING", "hello".to_owned())])
            .expect("there is bash");

        let outcomes = [
            "cd /proc && x=7",
            "pwd; echo $x $GREETING >&2",
            "cat <<END\nno line feed\nEND\nprintf end",
            "false",
            "exit 3",
        ]
        .map(|command| {
            session
                .run(command)
                .map(|outcome| (outcome.output, outcome.status))
                .ok()
        });

        let some = |output: &str, status| Some((output.to_owned(), status));
        assert_eq!(
            outcomes,
            [
                some("", 0),
                some("/proc\n7 hello\n", 0),
                some("no line feed\nend", 0),
                some("", 1),
                None
            ]
        );
    }
}

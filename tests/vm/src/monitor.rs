//! What a job asks of the machine itself, as to take memory away: a line `vm: monitor COMMAND` on its console becomes a
//! command of QEMU's monitor.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use crate::files;
use crate::problem::{Problem, Result};

const ASKS: &str = "vm: monitor ";

/// The monitor of one machine that runs.
#[derive(Debug)]
pub(crate) struct Monitor {
    pub(crate) console: PathBuf,
    pub(crate) socket: PathBuf,
    /// How many commands were passed on.
    pub(crate) passed_on: usize,
}

impl Monitor {
    /// Passes on what was asked for since the last time.
    pub(crate) fn pass_on(&mut self) -> Result<()> {
        // Before the machine has started there is no console.
        let text = files::read(&self.console).unwrap_or_default();
        let asked: Vec<&str> = commands(&text).skip(self.passed_on).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let lines = asked.join("\n") + "\n";
        UnixStream::connect(&self.socket)
            .and_then(|mut socket| socket.write_all(lines.as_bytes()))
            .map_err(|error| Problem::with(&self.socket, "write", error))?;
        self.passed_on += asked.len();
        Ok(())
    }
}

/// The commands in whole lines of a console.
fn commands(console: &str) -> impl Iterator<Item = &str> {
    console
        .split_inclusive('\n')
        .filter_map(|line| Some(line.strip_suffix('\n')?.trim_end().split_once(ASKS)?.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_that_ask_are_commands() {
        let console =
            "[ 1.2] booted\r\nvm: monitor qom-set a b 0\r\n[ 2.0] vm: monitor info\nvm: monitor ha";
        let found: Vec<&str> = commands(console).collect();
        assert_eq!(found, ["qom-set a b 0", "info"]);
    }
}

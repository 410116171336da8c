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
    console: PathBuf,
    socket: PathBuf,
    /// Kept open: QEMU forgets what somebody asked who has gone.
    connection: Option<UnixStream>,
    /// How many commands were passed on.
    passed_on: usize,
}

impl Monitor {
    /// For the console in a file, and the monitor at a socket.
    pub(crate) fn new(console: PathBuf, socket: PathBuf) -> Self {
        Self {
            console,
            socket,
            connection: None,
            passed_on: 0,
        }
    }

    /// Passes on what was asked for since the last time.
    pub(crate) fn pass_on(&mut self) -> Result<()> {
        // Before the machine has started there is no console.
        let text = files::read(&self.console).unwrap_or_default();
        let asked: Vec<&str> = commands(&text).skip(self.passed_on).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let lines = asked.join("\n") + "\n";
        let wrong = |error| Problem::with(&self.socket, "ask the monitor", error);
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => UnixStream::connect(&self.socket).map_err(wrong)?,
        };
        connection.write_all(lines.as_bytes()).map_err(wrong)?;
        self.connection = Some(connection);
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

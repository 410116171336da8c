//! What came back from a machine.

use std::path::PathBuf;
use std::time::Duration;

use crate::files;
use crate::problem::{Problem, Result};

/// How a machine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The job ended with this exit code.
    Code(u8),
    /// The job did not end by itself: the kernel panicked, or QEMU failed.
    Died,
    /// It took too long and was killed.
    TimedOut,
}

/// How a run ended, and what its job left in `/out`.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) end: End,
    pub(crate) files: PathBuf,
    pub(crate) wall: Duration,
}

impl End {
    /// `isa-debug-exit` ends QEMU with `2 * code + 1`.
    pub(crate) fn of_qemu(status: Option<i32>) -> Self {
        match status.map(u8::try_from) {
            Some(Ok(status)) if status % 2 == 1 => Self::Code(status / 2),
            _ => Self::Died,
        }
    }
}

impl Outcome {
    /// Whether it was killed before it said anything: that is the emulator, and no finding.
    pub(crate) fn has_hung(&self) -> bool {
        let console = files::read(&self.files.join("console.log")).unwrap_or_default();
        self.end == End::TimedOut && console.trim().is_empty()
    }

    /// The outcome of a job that went to its end, or what became of it.
    pub(crate) fn whole(self) -> Result<Self> {
        // QEMU itself fails with 1, which looks like code 0: then there are no results.
        if self.end == End::Code(0) && self.files.join("exit-code").exists() {
            return Ok(self);
        }
        let said = ["stderr.txt", "qemu.log", "console.log"]
            .iter()
            .filter_map(|name| files::read(&self.files.join(name)).ok())
            .map(|text| tail(&text, 8))
            .collect::<Vec<String>>()
            .join("\n");
        Err(Problem::new(format!(
            "{}: the machine ended with {:?} after {:.0?}:\n{said}",
            self.files.display(),
            self.end,
            self.wall
        )))
    }

    /// The text of a file that the job left.
    pub(crate) fn read(&self, name: &str) -> Result<String> {
        files::read(&self.files.join(name))
    }

    /// The same, empty if the job left no such file.
    pub(crate) fn read_or_nothing(&self, name: &str) -> String {
        self.read(name).unwrap_or_default()
    }
}

/// The last lines of a text.
fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_of_the_job_is_in_that_of_qemu() {
        let ends = [Some(1), Some(5), Some(255), Some(0), Some(-9), None].map(End::of_qemu);
        assert_eq!(
            ends,
            [
                End::Code(0),
                End::Code(2),
                End::Code(127),
                End::Died,
                End::Died,
                End::Died
            ]
        );
    }

    #[test]
    fn the_tail_of_a_short_text_is_all_of_it() {
        assert_eq!(tail("a\nb\nc", 2), "b\nc");
        assert_eq!(tail("a", 2), "a");
    }
}

//! Standard error, for someone who watches.

use std::io::{self, Write};

use adaptivemm_module_api::Severity;
use jiff::Zoned;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Lost;

/// Writes one line with the local time of day.
///
/// # Errors
///
/// If the terminal is closed or stopped. That must not end the daemon, or keep it waiting.
pub(super) fn send(severity: Severity, line: &str) -> Result<(), Lost> {
    let mut stderr = io::stderr().lock();
    if !has_room(&stderr) {
        return Err(Lost);
    }
    let time = Zoned::now().strftime("%H:%M:%S").to_string();
    // One write for the whole line, so that lines of other processes cannot get in between.
    let line = format!("{time} {:<7} {line}\n", severity.name());
    stderr.write_all(line.as_bytes()).map_err(|_| Lost)
}

/// Returns true if a line can be written without waiting: a terminal stopped with Ctrl-S, or a pipe that
/// nobody reads, has none.
fn has_room(stderr: &io::StderrLock<'_>) -> bool {
    let mut waiting = [PollFd::new(stderr, PollFlags::OUT)];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut waiting, Some(&at_once)).is_ok() && waiting[0].revents().contains(PollFlags::OUT)
}

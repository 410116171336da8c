//! A service manager: what the daemon tells it.

use std::ffi::OsString;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::daemon::process::{Home, PATIENCE};

/// Long enough for a daemon to be alive, however busy the machine: forty times the time between two beats.
const SILENCE: Duration = Duration::from_secs(4);

pub(crate) struct Manager {
    socket: UnixDatagram,
    path: OsString,
}

impl Manager {
    pub(crate) fn new(home: &Home) -> Self {
        let path = home.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        Self {
            socket,
            path: path.into(),
        }
    }

    /// Starts what it watches over, and wants a beat every 100 ms.
    pub(crate) fn watch<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("NOTIFY_SOCKET", &self.path)
            .env("WATCHDOG_USEC", "200000")
            .env_remove("WATCHDOG_PID")
    }

    fn next(&self, within: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(within)).unwrap();
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
    }

    /// What it is told until something that contains `text`.
    pub(crate) fn until(&self, text: &str) -> Vec<String> {
        let start = Instant::now();
        let mut told = Vec::new();
        while let Some(left) = PATIENCE.checked_sub(start.elapsed()) {
            let Some(message) = self.next(left) else {
                break;
            };
            let is_it = message.contains(text);
            told.push(message);
            if is_it {
                return told;
            }
        }
        panic!("{text:?} was not told, but {told:?}");
    }

    /// Returns once nothing at all has been heard for a long time.
    pub(crate) fn await_silence(&self) {
        let start = Instant::now();
        while self.next(SILENCE).is_some() {
            assert!(start.elapsed() < PATIENCE, "it is fed on and on");
        }
    }
}

/// What was told, without the beats.
pub(crate) fn said(told: &[String]) -> Vec<&str> {
    let told = told.iter().map(String::as_str);
    told.filter(|message| *message != "WATCHDOG=1").collect()
}

//! What the program says: on standard error, and to a log daemon.

use std::os::unix::net::UnixDatagram;
use std::process::Output;

use crate::daemon::process::{Home, PATIENCE};

/// What was said, without the time of day.
pub(crate) fn untimed(lines: &[String]) -> Vec<&str> {
    let untimed = |line: &String| {
        let (time, _) = line.split_at_checked(9)?;
        time.ends_with(' ').then_some(())?;
        Some(line.len() - time.len())
    };
    let texts = lines.iter().map(|line| match untimed(line) {
        Some(rest) => &line[line.len() - rest..],
        None => line.as_str(),
    });
    texts.collect()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A log daemon that keeps what it is told.
pub(crate) struct LogDaemon(pub(crate) UnixDatagram);

impl LogDaemon {
    pub(crate) fn listen(home: &Home) -> Self {
        let socket = UnixDatagram::bind(home.path("log")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// The next message, without its prefix.
    pub(crate) fn next(&self) -> String {
        let mut buffer = [0; 4096];
        let length = self.0.recv(&mut buffer).unwrap();
        let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
        message.split_once("]: ").unwrap().1.to_owned()
    }

    pub(crate) fn until(&self, text: &str) -> Vec<String> {
        let mut told = vec![self.next()];
        while !told.last().unwrap().contains(text) {
            told.push(self.next());
        }
        told
    }
}

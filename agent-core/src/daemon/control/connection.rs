//! One client: what came from it so far, and what it has not taken yet.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::net::sockopt::socket_peercred;
use serde_json::Value;

use super::groups;

/// The longest message that anybody needs.
const LONGEST: usize = 64 << 10;
/// The time that a client may take to send a message, or to take its answer.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    /// The user who connected.
    pub(super) uid: u32,
    /// True if the client may change something.
    pub(super) may_change: bool,
    /// True if the client may know whose memory it is.
    pub(super) may_see_owners: bool,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    /// An order of it is being carried out: nothing more is read before it is answered.
    pub(super) is_waiting: bool,
    /// The time before which it has to do something.
    pub(super) deadline: Instant,
}

impl Connection {
    /// # Errors
    ///
    /// If the client is gone already.
    pub(super) fn new(stream: UnixStream, group: Option<u32>, now: Instant) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let peer = socket_peercred(&stream)?;
        let uid = peer.uid;
        let may_change = uid.is_root() || uid == rustix::process::geteuid();
        let is_in = |group: u32| {
            peer.gid.as_raw() == group
                || groups::read(&stream).is_ok_and(|groups| groups.contains(&group))
        };
        Ok(Self {
            may_see_owners: may_change || group.is_some_and(is_in),
            stream,
            uid: uid.as_raw(),
            may_change,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            is_waiting: false,
            deadline: now + PATIENCE,
        })
    }

    pub(super) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    pub(super) fn wants_to_write(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Returns true if there is room for more: whoever does not take its answers gets no more of them.
    pub(super) fn wants_to_read(&self) -> bool {
        !self.is_waiting && self.outgoing.is_empty()
    }

    /// Reads what has come.
    ///
    /// # Errors
    ///
    /// If the client is gone, or says more than anybody needs to.
    pub(super) fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) if self.incoming.len() + read > LONGEST => {
                Err(io::ErrorKind::InvalidData.into())
            }
            Ok(read) => {
                self.incoming.extend_from_slice(&buffer[..read]);
                Ok(())
            }
            Err(error) => harmless(error),
        }
    }

    /// The next message that is complete, without the zero at its end.
    pub(super) fn message(&mut self, now: Instant) -> Option<Vec<u8>> {
        if !self.wants_to_read() {
            return None;
        }
        let end = self.incoming.iter().position(|&byte| byte == 0)?;
        self.deadline = now + PATIENCE;
        let mut message: Vec<u8> = self.incoming.drain(..=end).collect();
        message.pop();
        Some(message)
    }

    /// Answers the client, as far as it takes the answer now.
    ///
    /// # Errors
    ///
    /// If the client is gone.
    pub(super) fn answer(&mut self, reply: &Value, now: Instant) -> io::Result<()> {
        self.is_waiting = false;
        self.deadline = now + PATIENCE;
        self.outgoing.extend_from_slice(&serde_json::to_vec(reply)?);
        self.outgoing.push(0);
        self.write()
    }

    /// Writes what has not been taken yet.
    ///
    /// # Errors
    ///
    /// If the client is gone.
    pub(super) fn write(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            match self.stream.write(&self.outgoing) {
                Ok(written) => drop(self.outgoing.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => harmless(error)?,
            }
        }
        Ok(())
    }
}

fn harmless(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(()),
        _ => Err(error),
    }
}

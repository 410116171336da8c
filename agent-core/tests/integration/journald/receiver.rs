//! Plays journald: takes datagrams, and files instead of those that would be too large.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{IoSliceMut, Read, Seek};
use std::mem::MaybeUninit;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{SealFlags, fcntl_get_seals};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use crate::daemon::process::PATIENCE;

/// Whatever a machine allows for one datagram, and less than that of some.
const BUFFER: usize = 1 << 20;

/// A message by its fields; each has its last value.
pub(crate) type Message = BTreeMap<String, String>;

pub(crate) struct Receiver(UnixDatagram);

impl Receiver {
    pub(crate) fn bind(path: &Path) -> Self {
        Self(UnixDatagram::bind(path).unwrap())
    }

    /// The next message, which must be there already.
    pub(crate) fn take(&self) -> Option<Message> {
        self.within(Duration::from_millis(1))
    }

    /// The next message.
    pub(crate) fn next(&self) -> Message {
        self.within(PATIENCE).unwrap()
    }

    fn within(&self, patience: Duration) -> Option<Message> {
        self.0.set_read_timeout(Some(patience)).unwrap();
        let mut buffer = vec![0; BUFFER];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut slices = [IoSliceMut::new(&mut buffer)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let length = recvmsg(&self.0, &mut slices, &mut control, flags)
            .ok()?
            .bytes;
        let file = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut files) => files.next(),
            _ => None,
        });
        let Some(file) = file else {
            return Some(parse(&buffer[..length]));
        };
        assert_eq!(length, 0, "the file is all there is");
        let mut file = File::from(file);
        let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        assert_eq!(fcntl_get_seals(&file).unwrap(), seals);
        let mut content = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut content).unwrap();
        Some(parse(&content))
    }
}

/// As `JOURNAL_NATIVE_PROTOCOL` of systemd has it.
fn parse(mut bytes: &[u8]) -> Message {
    let mut message = Message::new();
    while !bytes.is_empty() {
        let end = bytes.iter().position(|&byte| byte == b'\n').unwrap();
        let line = std::str::from_utf8(&bytes[..end]).unwrap();
        bytes = &bytes[end + 1..];
        if let Some((name, value)) = line.split_once('=') {
            message.insert(name.to_owned(), value.to_owned());
            continue;
        }
        let (length, rest) = bytes.split_first_chunk().unwrap();
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap();
        let value = std::str::from_utf8(&rest[..length]).unwrap();
        message.insert(line.to_owned(), value.to_owned());
        bytes = rest[length..].strip_prefix(b"\n").unwrap();
    }
    for name in message.keys() {
        let is_fine = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        assert!(
            name.chars().all(is_fine) && !name.starts_with('_'),
            "{name}"
        );
    }
    message
}

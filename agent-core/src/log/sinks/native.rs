//! The native protocol of the systemd journal: a datagram with a field per line, and what is too large for one in a
//! sealed file whose descriptor is sent instead.

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use adaptivemm_module_api::Severity;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fstat, memfd_create};
use rustix::io::Errno;
use rustix::net::{
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketType, send, sendmsg,
};

use super::Entry;
use super::connection::{Failure, open_socket, wait_for_room};
use super::line::one_line;
use super::log_daemon::Connection;
use crate::modules::output::Number;
use crate::modules::output::numbers::number_value;

/// `LOG_DAEMON` of syslog.
const FACILITY: &str = "3";
/// The longest name that the journal takes.
const LONGEST_NAME: usize = 64;
/// So that a module cannot name a number like one of our fields.
const NUMBER: &str = "NUMBER_";
const QUIET: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

pub(super) struct Native(OwnedFd);

impl Connection for Native {
    type Message<'a> = &'a [u8];

    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(open_socket(path, SocketType::DGRAM)?))
    }

    fn send(&mut self, message: &Self::Message<'_>) -> Result<(), Failure> {
        match send(&self.0, message, QUIET) {
            Ok(_) => Ok(()),
            Err(Errno::MSGSIZE | Errno::NOBUFS) => self.send_file(message),
            Err(errno) => Err(Failure::from_io(&errno.into())),
        }
    }

    fn wait(&mut self, at_most: Duration) -> bool {
        wait_for_room(self.0.as_fd(), at_most)
    }
}

impl Native {
    /// Sends what no datagram can hold.
    fn send_file(&self, message: &[u8]) -> Result<(), Failure> {
        // Without a file there is no other way; the next message may be shorter.
        let file = sealed(message).map_err(|_| Failure::Busy)?;
        let files = [file.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(Failure::Busy);
        }
        let sent = sendmsg(&self.0, &[], &mut control, QUIET);
        sent.map(drop)
            .map_err(|errno| Failure::from_io(&errno.into()))
    }
}

/// A file in memory that nobody can change any more, as the journal demands.
fn sealed(content: &[u8]) -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("adaptivemmd", flags)?);
    file.write_all(content)?;
    let all = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    fcntl_add_seals(&file, all)?;
    Ok(file)
}

/// Returns true if standard error goes to the journal, as systemd arranges it for services.
#[must_use]
pub fn has_stderr() -> bool {
    let stream = env::var("JOURNAL_STREAM");
    stream.is_ok_and(|stream| is_stream(&stream, &io::stderr()))
}

/// `DEVICE:INODE`
fn is_stream(stream: &str, file: &impl AsFd) -> bool {
    let Ok(stat) = fstat(file) else {
        return false;
    };
    let numbers = stream.split_once(':');
    let numbers =
        numbers.and_then(|(device, inode)| Some((device.parse().ok()?, inode.parse().ok()?)));
    numbers == Some((stat.st_dev, stat.st_ino))
}

/// An event in the form of the journal.
pub(super) fn message(entry: &Entry<'_>) -> Vec<u8> {
    let mut text = one_line(&format!("{}: {}", entry.module, entry.text));
    for detail in entry.details.lines().filter(|line| !line.is_empty()) {
        text.push_str("\n  ");
        text.push_str(&one_line(detail));
    }
    let mut message = Vec::with_capacity(512 + text.len());
    add(&mut message, "MESSAGE", &text);
    add(&mut message, "PRIORITY", priority(entry.severity));
    add(&mut message, "SYSLOG_IDENTIFIER", "adaptivemmd");
    add(&mut message, "SYSLOG_FACILITY", FACILITY);
    if let Some(event) = entry.event {
        add(&mut message, "MESSAGE_ID", event.id());
    }
    add(&mut message, "MODULE", &one_line(entry.module));
    for (name, value) in entry.fields.iter().filter(|(_, value)| !value.is_empty()) {
        add(&mut message, name, &one_line(value));
    }
    for Number { name, value } in entry.numbers.iter().filter(|n| n.value.is_finite()) {
        add(
            &mut message,
            &number_name(name),
            &number_value(*value).to_string(),
        );
    }
    message
}

/// Adds a field. A value of several lines is preceded by its length.
fn add(message: &mut Vec<u8>, name: &str, value: &str) {
    message.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        let length = u64::try_from(value.len()).unwrap_or_default();
        message.push(b'\n');
        message.extend_from_slice(&length.to_le_bytes());
    } else {
        message.push(b'=');
    }
    message.extend_from_slice(value.as_bytes());
    message.push(b'\n');
}

fn number_name(name: &str) -> String {
    let upper = name.chars().map(|c| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => c.to_ascii_uppercase(),
        _ => '_',
    });
    NUMBER.chars().chain(upper).take(LONGEST_NAME).collect()
}

fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "3",
        Severity::Warning => "4",
        Severity::Notice => "5",
        Severity::Info => "6",
        _ => "7",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::sinks::Event;

    fn text(entry: &Entry<'_>) -> String {
        String::from_utf8_lossy(&message(entry)).into_owned()
    }

    #[test]
    fn an_event_has_its_fields_and_its_numbers() {
        let numbers = [
            Number {
                name: "free-pages".to_owned(),
                value: 18.0,
            },
            Number {
                name: "rate\nPRIORITY=0".to_owned(),
                value: 0.5,
            },
            Number {
                name: "nothing".to_owned(),
                value: f64::NAN,
            },
        ];

        let text = text(
            &Entry::new(Severity::Notice, "free-pages", "vm.x = 11: done, was 10")
                .event(Event::Changed)
                .fields(&[("OLD", "10"), ("REASON", "two\nlines")])
                .numbers(&numbers),
        );

        assert_eq!(
            text,
            "MESSAGE=free-pages: vm.x = 11: done, was 10\nPRIORITY=5\nSYSLOG_IDENTIFIER=adaptivemmd\n\
             SYSLOG_FACILITY=3\nMESSAGE_ID=4ed5ffa804e7485fbe884563d9319c3a\nMODULE=free-pages\nOLD=10\n\
             REASON=two lines\nNUMBER_FREE_PAGES=18\nNUMBER_RATE_PRIORITY_0=0.5\n"
        );
    }

    #[test]
    fn details_are_further_lines_of_the_message_with_its_length_before_it() {
        let entry = Entry::new(Severity::Warning, "memleak", "grows");

        let text = text(&entry.details("slab\n\nvmalloc\rx\n"));

        let message = "memleak: grows\n  slab\n  vmalloc x";
        let length = "\u{21}\0\0\0\0\0\0\0";
        assert!(
            text.starts_with(&format!("MESSAGE\n{length}{message}\nPRIORITY=4\n")),
            "{text:?}"
        );
        assert_eq!(message.len(), 0x21);
    }

    #[test]
    fn standard_error_is_the_journal_only_if_device_and_inode_are_its() {
        let file = tempfile::tempfile().unwrap();
        let stat = fstat(&file).unwrap();
        let (device, inode) = (stat.st_dev, stat.st_ino);

        let streams = [
            format!("{device}:{inode}"),
            format!("{device}:{}", inode + 1),
            format!("{}:{inode}", device + 1),
            format!("{device}"),
            "journal".to_owned(),
        ];

        assert_eq!(
            streams.map(|stream| is_stream(&stream, &file)),
            [true, false, false, false, false]
        );
    }
}

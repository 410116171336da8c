//! The journal against real log daemons: sockets that listen, stall, restart or come late.

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use adaptivemm_module_api::Severity;
use agent_core::log::sinks::{Entry, Logger};
use jiff::Zoned;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept, bind, listen, socket_with,
};
use tempfile::TempDir;

const NONBLOCK: SocketFlags = SocketFlags::NONBLOCK;

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("log");
    (directory, socket)
}

/// A journal that does not wait before it looks for a log daemon again.
fn impatient(socket: &Path) -> Logger {
    Logger::to_syslog_retrying(socket, 0, Duration::ZERO)
}

fn write(journal: &mut Logger, text: &str) {
    journal.write(&Entry::new(Severity::Info, "core", text));
}

/// Whatever has arrived on a datagram socket, without the prefix.
fn received(listener: &UnixDatagram) -> Vec<String> {
    listener.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    let datagrams = std::iter::from_fn(|| match listener.recv(&mut buffer) {
        Ok(length) => Some(String::from_utf8(buffer[..length].to_vec()).unwrap()),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            None
        }
    });
    datagrams.map(|datagram| message(&datagram)).collect()
}

/// The connection that must be there already.
fn accepted(listener: &UnixListener) -> UnixStream {
    listener.set_nonblocking(true).unwrap();
    listener.accept().unwrap().0
}

/// Whatever has arrived on a stream, raw.
fn arrived(stream: &mut UnixStream) -> String {
    stream.set_nonblocking(true).unwrap();
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
    String::from_utf8(bytes).unwrap()
}

/// The messages on a stream, each ended by a zero byte, without the prefix.
fn messages(stream: &str) -> Vec<String> {
    stream
        .strip_suffix('\0')
        .map(|whole| whole.split('\0').map(message).collect())
        .unwrap_or_default()
}

fn message(line: &str) -> String {
    let tag = format!(" adaptivemmd[{}]: ", process::id());
    let (prefix, message) = line.split_once(&tag).unwrap();
    assert!(prefix.starts_with('<'), "{line}");
    assert!(!message.contains(&tag), "{line}");
    message.to_owned()
}

#[test]
fn a_message_has_priority_local_time_tag_and_pid() {
    let (_directory, socket) = directory();
    let listener = UnixDatagram::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut journal = Logger::to_syslog(&socket, 0);
    let severities = [
        (Severity::Error, 27),
        (Severity::Warning, 28),
        (Severity::Notice, 29),
        (Severity::Info, 30),
        (Severity::Debug, 31),
    ];

    for (severity, priority) in severities {
        let before = Zoned::now();
        journal.write(&Entry::new(severity, "memleak", "größer"));
        let after = Zoned::now();

        let mut buffer = [0; 4096];
        let length = listener.recv(&mut buffer).unwrap();
        let expected = [before, after].map(|time| {
            let day = format!("{:>2}", time.day());
            let time = format!("{} {day} {}", time.strftime("%b"), time.strftime("%T"));
            let pid = process::id();
            format!("<{priority}>{time} adaptivemmd[{pid}]: memleak: größer")
        });
        let found = std::str::from_utf8(&buffer[..length]).unwrap();
        assert!(expected.iter().any(|line| line == found), "{found}");
    }
}

#[test]
fn details_are_messages_of_their_own() {
    let (_directory, socket) = directory();
    let listener = UnixDatagram::bind(&socket).unwrap();

    let entry = Entry::new(Severity::Warning, "memleak", "grows");
    Logger::to_syslog(&socket, 0).write(&entry.details("slab\nvmalloc"));

    let expected = ["memleak: grows", "memleak:   slab", "memleak:   vmalloc"];
    assert_eq!(received(&listener), expected);
}

#[test]
fn a_hostile_message_is_one_short_datagram() {
    let (_directory, socket) = directory();
    let listener = UnixDatagram::bind(&socket).unwrap();
    let mut journal = Logger::to_syslog(&socket, 0);

    write(
        &mut journal,
        "a\n<0>Jan  1 00:00:00 sshd: forged\0\u{1b}[2J",
    );
    write(&mut journal, &"東".repeat(33_334));

    let cut = format!("core: {}... [97992 bytes cut]", "東".repeat(670));
    let expected = ["core: a <0>Jan  1 00:00:00 sshd: forged  [2J", &cut];
    assert_eq!(received(&listener), expected);
    assert_eq!(journal.dropped(), 0);
}

#[test]
fn a_stalled_daemon_does_not_block_and_is_told_what_it_missed() {
    let (_directory, socket) = directory();
    let listener = UnixDatagram::bind(&socket).unwrap();
    let mut journal = Logger::to_syslog(&socket, 0);

    for number in 0..10_000 {
        write(&mut journal, &format!("message {number}"));
    }

    let queued = received(&listener);
    let expected: Vec<_> = (0..queued.len())
        .map(|n| format!("core: message {n}"))
        .collect();
    assert_eq!(queued, expected);
    let lost = 10_000 - queued.len() as u64;
    assert_eq!(journal.dropped(), lost);

    write(&mut journal, "again");
    write(&mut journal, "and again");

    let told = format!("core: {lost} messages were lost while the log daemon did not answer");
    assert_eq!(
        received(&listener),
        [&told, "core: again", "core: and again"]
    );
    assert_eq!(journal.dropped(), lost);
}

#[test]
fn a_restart_loses_nothing() {
    let (_directory, socket) = directory();
    let mut journal = Logger::to_syslog(&socket, 0);

    for restart in 0..5 {
        let listener = UnixDatagram::bind(&socket).unwrap();
        write(&mut journal, &format!("first {restart}"));
        write(&mut journal, &format!("second {restart}"));

        let expected = [
            format!("core: first {restart}"),
            format!("core: second {restart}"),
        ];
        assert_eq!(received(&listener), expected);
        fs::remove_file(&socket).unwrap();
    }

    assert_eq!(journal.dropped(), 0);
}

#[test]
fn a_daemon_that_starts_late_is_told_what_it_missed() {
    let (_directory, socket) = directory();
    let mut journal = impatient(&socket);
    write(&mut journal, "early");

    let listener = UnixDatagram::bind(&socket).unwrap();
    write(&mut journal, "late");

    let told = "core: 1 message was lost while the log daemon did not answer";
    assert_eq!(received(&listener), [told, "core: late"]);
    assert_eq!(journal.dropped(), 1);
}

#[test]
fn an_absent_daemon_is_left_alone_for_a_while() {
    let (_directory, socket) = directory();
    let mut journal = Logger::to_syslog_retrying(&socket, 0, Duration::from_secs(3600));
    write(&mut journal, "early");

    let listener = UnixDatagram::bind(&socket).unwrap();
    write(&mut journal, "still early");

    assert_eq!(received(&listener), [""; 0]);
    assert_eq!(journal.dropped(), 2);
}

#[test]
fn a_stream_gets_whole_messages_and_is_told_what_it_missed() {
    let (_directory, socket) = directory();
    let listener = UnixListener::bind(&socket).unwrap();
    let mut journal = Logger::to_syslog(&socket, 0);

    for number in 0..10_000 {
        write(
            &mut journal,
            &format!("{number} {}", "x".repeat(number % 2000)),
        );
    }

    let lost = journal.dropped();
    assert!(lost > 0);
    let mut stream = accepted(&listener);
    let mut text = arrived(&mut stream);
    write(&mut journal, "again");
    text += &arrived(&mut stream);
    let mut expected: Vec<_> = (0..10_000 - usize::try_from(lost).unwrap())
        .map(|number| format!("core: {number} {}", "x".repeat(number % 2000)))
        .collect();
    expected.push(format!(
        "core: {lost} messages were lost while the log daemon did not answer"
    ));
    expected.push("core: again".to_owned());
    assert_eq!(messages(&text), expected);
}

#[test]
fn a_stream_that_restarts_after_a_stall_gets_whole_messages_and_the_count() {
    let (_directory, socket) = directory();
    let first = UnixListener::bind(&socket).unwrap();
    let mut journal = Logger::to_syslog(&socket, 0);
    for _ in 0..10_000 {
        write(&mut journal, &"x".repeat(1000));
    }
    let lost_in_the_stall = journal.dropped();

    drop(first);
    fs::remove_file(&socket).unwrap();
    let second = UnixListener::bind(&socket).unwrap();
    write(&mut journal, "again");
    write(&mut journal, "and again");

    let mut stream = accepted(&second);
    let lost = journal.dropped();
    let told = format!("core: {lost} messages were lost while the log daemon did not answer");
    let expected = [&told, "core: again", "core: and again"];
    assert_eq!(messages(&arrived(&mut stream)), expected);
    assert_eq!(
        lost,
        lost_in_the_stall + 1,
        "the message that was half sent"
    );
}

#[test]
fn a_stream_with_a_full_backlog_does_not_block() {
    let (_directory, socket) = directory();
    let listener = socket_with(AddressFamily::UNIX, SocketType::STREAM, NONBLOCK, None).unwrap();
    bind(&listener, &SocketAddrUnix::new(&socket).unwrap()).unwrap();
    listen(&listener, 0).unwrap();
    let waiting = UnixStream::connect(&socket).unwrap();
    let mut journal = impatient(&socket);

    write(&mut journal, "nobody accepts");

    assert_eq!(journal.dropped(), 1);

    let _first = accept(&listener).unwrap();
    write(&mut journal, "now");

    let mut stream = UnixStream::from(accept(&listener).unwrap());
    let told = "core: 1 message was lost while the log daemon did not answer";
    assert_eq!(messages(&arrived(&mut stream)), [told, "core: now"]);
    drop(waiting);
}

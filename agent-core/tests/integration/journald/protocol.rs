//! What is sent, and what becomes of it if nobody listens.

use std::fs;
use std::path::PathBuf;

use adaptivemm_module_api::Severity;
use agent_core::log::sinks::{Entry, Event, Logger};
use agent_core::modules::output::Number;
use tempfile::TempDir;

use crate::journald::receiver::Receiver;

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("journal");
    (directory, socket)
}

fn write(journal: &mut Logger, text: &str) {
    journal.write(&Entry::new(Severity::Info, "core", text));
}

fn texts(receiver: &Receiver) -> Vec<String> {
    std::iter::from_fn(|| receiver.take().map(|message| message["MESSAGE"].clone())).collect()
}

#[test]
fn an_event_is_one_message_with_all_its_fields() {
    let (_directory, socket) = directory();
    let receiver = Receiver::bind(&socket);
    let numbers = [Number {
        name: "growth_bytes".to_owned(),
        value: 4096.0,
    }];

    Logger::to_native(&socket, 0).write(
        &Entry::new(Severity::Warning, "memleak", "grows")
            .details("slab\nvmalloc")
            .event(Event::Leak)
            .fields(&[("CODE", "slow-leak"), ("REASON", "")])
            .numbers(&numbers),
    );

    let message = receiver.take().unwrap();
    let fields: Vec<(&str, &str)> = message
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        fields,
        [
            ("CODE", "slow-leak"),
            ("MESSAGE", "memleak: grows\n  slab\n  vmalloc"),
            ("MESSAGE_ID", Event::Leak.id()),
            ("MODULE", "memleak"),
            ("NUMBER_GROWTH_BYTES", "4096"),
            ("PRIORITY", "4"),
            ("SYSLOG_FACILITY", "3"),
            ("SYSLOG_IDENTIFIER", "adaptivemmd"),
        ]
    );
    assert_eq!(texts(&receiver), [""; 0]);
}

#[test]
fn what_is_too_large_for_a_datagram_comes_as_a_sealed_file() {
    let (_directory, socket) = directory();
    let receiver = Receiver::bind(&socket);
    let mut journal = Logger::to_native(&socket, 0);
    // 4 MB, which is more than any kernel lets into one by default.
    let details = format!("{}\n", "x".repeat(2000)).repeat(2000);

    journal.write(&Entry::new(Severity::Info, "core", "large").details(&details));
    write(&mut journal, "small");

    let large = &receiver.take().unwrap()["MESSAGE"];
    assert_eq!(large.lines().count(), 2001);
    assert_eq!(large.len(), "core: large".len() + 2000 * (3 + 2000));
    assert_eq!(texts(&receiver), ["core: small"]);
    assert_eq!(journal.dropped(), 0);
}

#[test]
fn a_stalled_journal_does_not_block_and_is_told_what_it_missed() {
    let (_directory, socket) = directory();
    let receiver = Receiver::bind(&socket);
    let mut journal = Logger::to_native(&socket, 0);

    for number in 0..10_000 {
        write(&mut journal, &format!("message {number}"));
    }

    let queued = texts(&receiver);
    let expected: Vec<_> = (0..queued.len())
        .map(|n| format!("core: message {n}"))
        .collect();
    assert_eq!(queued, expected);
    let lost = 10_000 - queued.len() as u64;
    assert!(lost > 0);
    assert_eq!(journal.dropped(), lost);

    write(&mut journal, "again");

    let told = receiver.take().unwrap();
    assert_eq!(
        (told["MESSAGE"].as_str(), told["MESSAGE_ID"].as_str()),
        (
            format!("core: {lost} messages were lost while the journal did not answer").as_str(),
            Event::MessagesLost.id()
        )
    );
    assert_eq!(texts(&receiver), ["core: again"]);
}

#[test]
fn a_restart_loses_nothing() {
    let (_directory, socket) = directory();
    let mut journal = Logger::to_native(&socket, 0);

    for restart in 0..5 {
        let receiver = Receiver::bind(&socket);
        write(&mut journal, &format!("first {restart}"));
        write(&mut journal, &format!("second {restart}"));

        let expected = [
            format!("core: first {restart}"),
            format!("core: second {restart}"),
        ];
        assert_eq!(texts(&receiver), expected);
        fs::remove_file(&socket).unwrap();
    }

    assert_eq!(journal.dropped(), 0);
}

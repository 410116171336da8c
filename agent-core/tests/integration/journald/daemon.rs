//! The daemon as systemd starts it: its standard error goes to the journal.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

use agent_core::log::sinks::Event;
use rustix::process::{Pid, Signal, kill_process};

use crate::daemon::process::Home;
use crate::journald::receiver::{Message, Receiver};

fn started(target: &str, is_journal: bool) -> (Option<Message>, String) {
    let home = Home::with_modules(&[]);
    let receiver = Receiver::bind(&home.path("journal"));
    let socket = home.path("journal");
    home.configure(
        &format!("{target}\njournal-socket = \"{}\"", socket.display()),
        "",
    );
    let stderr = File::create(home.path("stderr")).unwrap();
    let metadata = stderr.metadata().unwrap();
    let inode = metadata.ino() + u64::from(!is_journal);
    let mut child = home
        .command(&["--foreground"])
        .env("JOURNAL_STREAM", format!("{}:{inode}", metadata.dev()))
        .stderr(Stdio::from(stderr))
        .spawn()
        .unwrap();
    let message = is_journal.then(|| receiver.next());
    if !is_journal {
        crate::daemon::process::eventually("it says that it has started", || {
            let said = std::fs::read_to_string(home.path("stderr")).ok()?;
            said.contains("started").then_some(())
        });
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    let said = std::fs::read_to_string(home.path("stderr")).unwrap();
    (message.or_else(|| receiver.take()), said)
}

#[test]
fn it_logs_to_the_journal_if_that_is_where_its_standard_error_goes() {
    let (message, said) = started("", true);

    let message = message.unwrap();
    assert_eq!(message["MESSAGE_ID"], Event::Started.id());
    assert!(message["MESSAGE"].starts_with("core: adaptivemmd "));
    assert_eq!(said, "");
}

#[test]
fn elsewhere_it_does_not_unless_told_to() {
    let (message, said) = started("", false);
    let (chosen, _) = started("log-target = \"journal\"", true);

    assert_eq!(message, None);
    assert!(said.contains("core: adaptivemmd "), "{said}");
    assert_eq!(chosen.unwrap()["MESSAGE_ID"], Event::Started.id());
}

//! The status on one line, for `systemctl status`.

use std::fmt::Write;

use crate::log::sinks::Recent;
use crate::scan::Agent;
use crate::status::modules_file;

/// Returns how many modules run, what is changed, and the last warning or error.
pub(crate) fn line(agent: &Agent, recent: &Recent) -> String {
    let stands = agent.handles().iter().map(modules_file::stand);
    let (running, others): (Vec<_>, Vec<_>) = agent
        .handles()
        .iter()
        .zip(stands)
        .partition(|(_, stand)| stand.state == "running");
    let mut text = match (running.len(), others.len()) {
        (0, 0) => "no module is enabled".to_owned(),
        (1, 0) => "1 module running".to_owned(),
        (all, 0) => format!("{all} modules running"),
        (some, rest) => format!("{some} of {} modules running", some + rest),
    };
    // Writing to a string cannot fail.
    for (handle, stand) in others {
        let _ = write!(text, "; {} is {}", handle.name(), stand.state);
    }
    for (tunable, entry) in agent.ledger().entries() {
        let _ = write!(
            text,
            "; {tunable} {} -> {}",
            entry.original,
            entry.written()
        );
    }
    match recent.said().next_back() {
        None => text.push_str("; no warnings so far"),
        Some(said) => {
            let (severity, module) = (said.severity.name(), &said.module);
            let _ = write!(text, "; last {severity}: {module}: {}", said.text);
        }
    }
    text
}

//! How a module broke down, and for how long it is not asked.

use std::time::Duration;

use crate::modules::pool::Reason;

/// Returns what happened to a module that is not asked any more.
pub(crate) fn breakdown(reason: Reason, problem: &str) -> String {
    match reason {
        Reason::Panicked => format!("broke down: {problem}"),
        Reason::Hung(scans) => format!("did not answer for {scans} scans"),
        Reason::Late(scans) => format!("did not answer in time in {scans} consecutive scans"),
        Reason::Files(scans) => format!("{problem}, in {scans} scans"),
        Reason::Died | Reason::NotCreated => problem.to_owned(),
        Reason::Gone => "its thread has ended".to_owned(),
        Reason::AtWork(deaths) => format!("was running when the daemon died, {deaths} times"),
        Reason::Restarting => "is started again".to_owned(),
        Reason::Idle => format!("is idle: {problem}"),
    }
}

/// Returns for how long a module is quarantined, and why.
pub(crate) fn quarantine(reason: Reason, pause: Option<Duration>, problem: &str) -> String {
    let until = match (reason, pause) {
        (Reason::Hung(_), _) => "until it answers, or a reload (SIGHUP)".to_owned(),
        (_, None) => "until a reload (SIGHUP)".to_owned(),
        (_, Some(pause)) => format!("for {} s, or until a reload (SIGHUP)", pause.as_secs()),
    };
    format!("{until}: {}", breakdown(reason, problem))
}

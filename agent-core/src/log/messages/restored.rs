//! The line of a tunable that was restored, or could not be.

use adaptivemm_module_api::Severity;

use crate::actions::{ActionFailed, Restored};
use crate::log::sinks::{Entry, Event, Logger};

/// Tells if the original value of a tunable was restored.
pub fn report_restored(restored: &Restored, journal: &mut Logger) {
    let (severity, event) = restored_level(restored);
    let fields = [
        ("TUNABLE", restored.tunable.as_str()),
        ("NEW", &restored.original),
    ];
    let text = restored.to_string();
    let entry = Entry::new(severity, "core", &text).event(event);
    journal.write(&entry.fields(&fields));
}

pub(super) fn restored_level(restored: &Restored) -> (Severity, Event) {
    match restored.result {
        Ok(_) => (Severity::Notice, Event::Restored),
        Err(ActionFailed::NotForgotten { .. }) => (Severity::Warning, Event::Restored),
        Err(_) => (Severity::Error, Event::NotRestored),
    }
}

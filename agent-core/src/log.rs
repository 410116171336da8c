//! The log for people: every line is made in messages, and goes to the sinks: the journal, syslog, a terminal.

pub mod messages;
pub mod sinks;

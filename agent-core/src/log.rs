//! What people read: every line of the log is made in messages, and goes to the sinks: the journal, syslog, a terminal.

pub mod messages;
pub mod sinks;

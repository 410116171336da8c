//! The messages of background writers: that one can no longer write, or that it can again.

/// A message about something that is written in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// True if it cannot be written.
    pub is_bad: bool,
    /// The message for the log.
    pub text: String,
}

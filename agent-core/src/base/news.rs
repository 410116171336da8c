//! What a background writer has to tell: that it cannot write any more, or that it can again.

/// News of something that is written in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// True if it cannot be written.
    pub is_bad: bool,
    /// In words.
    pub text: String,
}

//! What everything else stands on, and what knows nothing of memory: clocks, files of our own, texts of others.

pub(crate) mod bounded;
pub(crate) mod clean_text;
pub mod clock;
pub(crate) mod files;
pub mod linked;
pub(crate) mod news;
pub(crate) mod secrets;
pub(crate) mod version;

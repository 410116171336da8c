//! Clocks, files of our own and texts of others: all other folders use them, and none of them knows anything of memory.

pub(crate) mod bounded;
pub(crate) mod clean_text;
pub mod clock;
pub(crate) mod files;
pub mod linked;
pub(crate) mod news;
pub(crate) mod secrets;
pub(crate) mod version;

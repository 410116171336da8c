//! The status of the daemon: on a screen, as JSON, as metrics, and in the file of modules.

pub mod json;
mod line;
mod metrics;
pub mod modules_file;
mod recent;
mod summary;

pub(crate) use line::line;
pub use metrics::exposition;
pub(crate) use metrics::{Clash, clashes, exposition_without_daemon};
pub use recent::{ForOthers, Recent, RecentDecision, RecentIncident, Reload};
pub use summary::{Files, Log, Machine, Message, Module, Requests, Summary};

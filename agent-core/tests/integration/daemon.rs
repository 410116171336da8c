//! The daemon as a process: signals, the lock, the background, its clock and what it leaves behind.
#![allow(
    clippy::disallowed_methods,
    reason = "looks at real processes, their files and their time"
)]

mod background;
mod ledger;
mod life;
mod lock;
pub(crate) mod machine;
pub(crate) mod manager;
mod many_scans;
mod notify;
mod once;
pub(crate) mod process;
mod refusals;
mod restart;
mod signals;
mod simulation;
mod words;

const QUICK: &str = "period-secs = 0.1";
const QUICK_AND_OPEN: &str = "period-secs = 0.1\nlog-target = \"stderr\"";

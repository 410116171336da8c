//! The daemon as a process: signals, the lock, the background, its clock and what it leaves behind.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![allow(
    clippy::disallowed_methods,
    reason = "looks at real processes, their files and their time"
)]

#[path = "daemon/background.rs"]
mod background;
#[path = "../../tests/common/hang.rs"]
mod hang;
#[path = "daemon/ledger.rs"]
mod ledger;
#[path = "daemon/life.rs"]
mod life;
mod linked_in;
#[path = "daemon/lock.rs"]
mod lock;
#[path = "daemon/machine.rs"]
mod machine;
#[path = "daemon/manager.rs"]
mod manager;
#[path = "daemon/many_scans.rs"]
mod many_scans;
#[path = "daemon/notify.rs"]
mod notify;
#[path = "daemon/once.rs"]
mod once;
#[path = "daemon/process.rs"]
mod process;
#[path = "daemon/refusals.rs"]
mod refusals;
#[path = "daemon/restart.rs"]
mod restart;
#[path = "daemon/signals.rs"]
mod signals;
#[path = "daemon/simulation.rs"]
mod simulation;
#[path = "../../tests/common/skip.rs"]
mod skip;
#[path = "daemon/words.rs"]
mod words;

const QUICK: &str = "period-secs = 0.1";
const QUICK_AND_OPEN: &str = "period-secs = 0.1\nlog-target = \"stderr\"";

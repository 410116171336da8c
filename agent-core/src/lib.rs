//! The core of adaptivemmd: reads the machine once per scan, lets every module look at it, and does
//! what they ask for as far as it is allowed.
//!
//! ```text
//!             period (daemon)
//!                  |
//!    kernel files -> sampler -> snapshot -> pool -> one thread per module
//!                                                      |  findings and requests
//!    log daemon, terminal <- log <- policy <-----------+
//!                                      |
//!                   /proc/sys, /sys <- actuator (the only writer)
//! ```
//!
//! The folders are floors: each uses those above it in this list, and none below it. A test (`tests/integration/floors.rs`)
//! reads the list, and compares.
//!
//! | folder | what it holds |
//! |---|---|
//! | `base` | what everything stands on: clocks, files of our own, texts of others, bounded lists |
//! | `kernel` | what the kernel says: its files, a parser for each, the snapshot, traces, tunables |
//! | `config` | what an administrator can set, from all files and the command line |
//! | `modules` | what modules declare and say, where they come from, how they are called |
//! | `actions` | what becomes of requests: policy, actuator, ledger |
//! | `incidents` | what is kept of a finding: evidence of who holds memory, and how it went |
//! | `report` | an incident as text, as a page, as an archive |
//! | `decisions` | every change explained: why, and what came of it |
//! | `scan` | one scan, from snapshot to outcome |
//! | `log` | messages for people, and where they go |
//! | `status` | how the daemon does: summary, metrics, the file of modules |
//! | `daemon` | the process that stays: main loop, control socket, service manager, lock |
//! | `commands` | what is called: the daemon and its commands |
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests make the trees that the code reads"
    )
)]

pub mod actions;
pub mod base;
pub mod commands;
pub mod config;
pub mod daemon;
pub mod decisions;
pub mod incidents;
pub mod kernel;
pub mod log;
pub mod modules;
pub mod report;
pub mod scan;
#[cfg(test)]
#[path = "../../tests/common/skip.rs"]
mod skip;
pub mod status;

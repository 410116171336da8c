//! The core of adaptivemmd: reads the machine once per scan, lets every module look at it, and does
//! what they ask for as far as it is allowed.
//!
//! ```text
//!             period (scheduler)
//!                  |
//!    kernel files -> sampler -> snapshot -> bus -> one thread per module
//!                                                      |  findings and requests
//!    log daemon, terminal <- journal <- arbiter <------+
//!                                          |
//!                       /proc/sys, /sys <- actuator (the only writer)
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests make the trees that the code reads"
    )
)]

pub mod actions;
pub mod base;
pub mod cli;
pub mod command;
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

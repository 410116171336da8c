//! The one binary: the daemon and its commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    agent_core::commands::run()
}

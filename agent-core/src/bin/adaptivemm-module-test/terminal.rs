//! What is said on the terminal, and how the program ends.

use std::error::Error as _;
use std::fmt::Display;

use agent_core::commands::{self, Exit};
use agent_core::kernel::trace::TraceError;

const PROGRAM: &str = "adaptivemm-module-test";

/// Says what is wrong, on standard error.
pub(crate) fn complain(problem: &dyn Display) {
    commands::complain_as(PROGRAM, problem);
}

/// Prints the result. A reader that has seen enough is no error.
pub(crate) fn print(text: &str) -> Exit {
    commands::print_as(PROGRAM, text)
}

/// Says why a trace cannot be used.
pub(crate) fn refuse(name: &dyn Display, error: &TraceError) -> Exit {
    let source = error
        .source()
        .map_or_else(String::new, |source| format!(": {source}"));
    complain(&format_args!("{name}: {error}{source}"));
    Exit::Failed
}

//! Calls the C and the C++ compiler, for tests of the C interface.

use std::path::Path;
use std::process::Command;

#[path = "../common/workshop.rs"]
pub(crate) mod places;

pub(crate) use places::workshop;

/// What a module's author is told to build with.
const STRICT: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"];

/// Runs a compiler; a warning counts as an error.
///
/// # Errors
///
/// What it prints, if it finds anything wrong.
pub(crate) fn run<'a>(
    compiler: &str,
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<(), String> {
    let mut command = Command::new(compiler);
    command.args(STRICT).args(arguments);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}\n{text}"))
    }
}

/// A path for a command line.
pub(crate) fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

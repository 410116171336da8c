//! What cannot run on this machine says so in one line, which `.ci/run` counts.
#![allow(dead_code, reason = "each crate of tests uses a part of it")]
#![allow(clippy::disallowed_methods, reason = "no kernel files in here")]

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

/// Says that a test, or the rest of one, does not run here. Not as `eprintln` would, which is shown of failed tests only.
pub(crate) fn skip(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _nobody_reads = writeln!(io::stderr(), "\nSKIPPED: {test}: {why}");
}

/// Whether there is such a program; if not, the test is skipped. `package` is Debian's.
pub(crate) fn has(program: &str, package: &str) -> bool {
    let mut command = Command::new(program);
    let silent = command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let is_there = silent.status().is_ok_and(|status| status.success());
    if !is_there {
        skip(&format!(
            "there is no {program} here: apt-get install {package}"
        ));
    }
    is_there
}

/// Whether there is `strace`, and may do its work, which a container can forbid; if not, the test is skipped.
pub(crate) fn can_trace() -> bool {
    if !has("strace", "strace") {
        return false;
    }
    let tried = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .output();
    let why = match tried {
        Ok(tried) if tried.status.success() => return true,
        Ok(tried) => String::from_utf8_lossy(&tried.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    skip(&format!(
        "strace may not trace here: {}",
        why.lines().next().unwrap_or_default()
    ));
    false
}

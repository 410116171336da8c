//! `adaptivemmd metrics`: the numbers of the daemon that runs, for Prometheus.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde_json::json;

use super::control::ask;
use super::{Exit, complain, print};
use crate::cli::Cli;

pub(super) fn run(cli: &Cli, textfile: Option<&Path>) -> Exit {
    let reply = match ask(cli, "Metrics", &json!({})) {
        Ok(reply) => reply,
        Err(exit) => return exit,
    };
    let text = reply["text"].as_str().unwrap_or_default();
    let Some(path) = textfile else {
        return print(text);
    };
    match replace(path, text) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&format_args!("cannot write {}: {error}", path.display()));
            Exit::Failed
        }
    }
}

/// A reader sees the old numbers or the new ones, and nothing between. The file that is not complete yet has a name that
/// the collector does not look at.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(&new)?;
    file.write_all(text.as_bytes())?;
    // Whatever the umask is: the collector is another user.
    file.set_permissions(fs::Permissions::from_mode(0o644))?;
    fs::rename(&new, path)
}

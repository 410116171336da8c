//! `adaptivemmd metrics`: the numbers of the daemon that runs, for Prometheus.

use std::path::Path;

use serde_json::json;

use super::control::ask;
use super::{Exit, complain, print};
use crate::base::files;
use crate::commands::cli::Cli;
use crate::status::exposition_without_daemon;

/// The collector is another user.
const MODE: u32 = 0o644;

pub(super) fn run(cli: &Cli, textfile: Option<&Path>) -> Exit {
    let (text, exit) = match ask(cli, "Metrics", &json!({})) {
        Ok(reply) => (
            reply["text"].as_str().unwrap_or_default().to_owned(),
            Exit::Done,
        ),
        // The numbers of before would look as if all were well, for as long as one likes.
        Err(exit) => (exposition_without_daemon(), exit),
    };
    let Some(path) = textfile else {
        let printed = print(&text);
        return if exit == Exit::Done { printed } else { exit };
    };
    // The file that is not complete yet has a name that the collector does not look at. The directory may be another
    // user's, who is not to lead us anywhere else.
    files::remove_abandoned(path);
    match files::replace(path, MODE, &[text.as_bytes()]) {
        Ok(()) => exit,
        Err(error) => {
            complain(&format_args!("cannot write {}: {error}", path.display()));
            if exit == Exit::Done {
                Exit::Failed
            } else {
                exit
            }
        }
    }
}

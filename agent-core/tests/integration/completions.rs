//! The completions in `conf/completions` are those of the command line as it is. After a change of it,
//! `UPDATE_COMPLETIONS=1 cargo test -p adaptivemmd --test integration completions::` writes them anew.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use std::env;
use std::fs;

use agent_core::commands::cli::Cli;
use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate};

const COMPLETIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conf/completions");
const NAME: &str = "adaptivemmd";

/// Each shell with the name under which it looks for the file.
const FILES: [(Shell, &str); 3] = [
    (Shell::Bash, "adaptivemmd"),
    (Shell::Zsh, "_adaptivemmd"),
    (Shell::Fish, "adaptivemmd.fish"),
];

/// The command line without what is hidden from administrators, which `clap_complete` would complete all the same.
fn command_line() -> Command {
    let whole = Cli::command();
    let shown = whole
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true)
        .args(whole.get_arguments())
        .subcommands(shown)
}

fn completions(shell: Shell) -> String {
    let mut text = Vec::new();
    generate(shell, &mut command_line(), NAME, &mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn the_committed_completions_are_those_of_this_command_line() {
    for (shell, file) in FILES {
        let path = format!("{COMPLETIONS}/{file}");
        let completions = completions(shell);
        if env::var_os("UPDATE_COMPLETIONS").is_some() {
            fs::write(&path, completions).unwrap();
            continue;
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == completions,
            "conf/completions/{file} is out of date: \
             UPDATE_COMPLETIONS=1 cargo test -p adaptivemmd --test integration completions::"
        );
    }
}

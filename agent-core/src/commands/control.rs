//! Orders to a running daemon: `adaptivemmd reload`, `adaptivemmd resume`, and `adaptivemmd restore` if one runs.

use serde_json::{Value, json};

use super::{Exit, complain, load, modules, print, settings};
use crate::commands::cli::Cli;
use crate::daemon::control::{CallError, call};
use crate::kernel::tunables;

pub(super) fn reload(cli: &Cli) -> Exit {
    // Errors that the daemon would find are printed here at once, and in full.
    let modules = modules(&cli.sources());
    if let Err(exit) = settings(cli, &modules) {
        complain(&"the configuration was not reloaded");
        return exit;
    }
    let asked = ask(cli, "Reload", &json!({}));
    asked.map_or_else(|exit| exit, |_| print("configuration reloaded\n"))
}

pub(super) fn resume(cli: &Cli, tunable: Option<&str>) -> Exit {
    if let Some(unknown) = tunable.filter(|tunable| tunables::find(tunable).is_none()) {
        let names: Vec<&str> = tunables::KNOBS.iter().map(|knob| knob.name).collect();
        complain(&format_args!(
            "{unknown} is not a tunable that the daemon changes; it changes {}",
            names.join(", ")
        ));
        return Exit::Failed;
    }
    let parameters = tunable.map_or_else(|| json!({}), |tunable| json!({ "tunable": tunable }));
    let resumed = match ask(cli, "Resume", &parameters) {
        Ok(reply) => reply["resumed"].as_u64().unwrap_or_default(),
        Err(exit) => return exit,
    };
    match (resumed, tunable) {
        (0, None) => print("no tunable is paused\n"),
        (0, Some(tunable)) => print(&format!("{tunable} is not paused\n")),
        (1, _) => print("1 tunable resumed\n"),
        (count, _) => print(&format!("{count} tunables resumed\n")),
    }
}

/// Has the running daemon restore what it has changed.
pub(super) fn restore(cli: &Cli) -> Exit {
    let reply = match ask(cli, "Restore", &json!({})) {
        Ok(reply) => reply,
        Err(exit) => return exit,
    };
    let restored = reply["restored"].as_array().map_or(&[][..], Vec::as_slice);
    let text: String = restored.iter().map(restored_line).collect();
    let printed = print(if text.is_empty() {
        "nothing to restore\n"
    } else {
        &text
    });
    if restored
        .iter()
        .all(|restored| restored["problem"].is_null())
    {
        printed
    } else {
        Exit::Failed
    }
}

/// Returns the line on a tunable that the daemon was to restore.
fn restored_line(restored: &Value) -> String {
    let tunable = restored["tunable"].as_str().unwrap_or_default();
    let original = restored["original"].as_str().unwrap_or_default();
    match (restored["problem"].as_str(), &restored["done"]) {
        (Some(problem), Value::Bool(true)) => format!(
            "{tunable} restored to {original} and paused until `adaptivemmd resume`, but {problem}\n"
        ),
        (Some(problem), _) => format!("cannot restore {tunable} to {original}: {problem}\n"),
        (None, Value::Bool(true)) => {
            format!("{tunable} restored to {original} and paused until `adaptivemmd resume`\n")
        }
        (None, _) => format!("{tunable} left as it is: it was changed externally\n"),
    }
}

/// Asks the daemon that runs; what is wrong is said on standard error.
pub(super) fn ask(cli: &Cli, method: &str, parameters: &Value) -> Result<Value, Exit> {
    // The daemon may run with the configuration before one that is wrong.
    let runtime_dir = load(&cli.sources(), &[]).settings.core.runtime_dir;
    call(&runtime_dir, method, parameters).map_err(|error| {
        complain(&error);
        match error {
            CallError::NotRunning { .. } => Exit::NotRunning,
            CallError::NoAnswer(_) | CallError::Refused { .. } => Exit::Failed,
        }
    })
}

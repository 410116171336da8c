//! `adaptivemmd restore`: gives back what a daemon changed that died before it could do so, or has one do it that runs.

use std::fmt::Write;

use super::{Exit, complain, complain_with_source, control, ledger, load, print};
use crate::actions::{Actuator, Mode};
use crate::commands::cli::Cli;
use crate::daemon::lock::{Lock, NotAlone};

pub(super) fn run(cli: &Cli) -> Exit {
    // A configuration that is wrong is no reason to keep what was changed: the daemon that died ran with another.
    let loaded = load(&cli.sources(), &[]);
    let runtime_dir = &loaded.settings.core.runtime_dir;
    if !loaded.is_valid() {
        let directory = runtime_dir.display();
        complain(&format_args!(
            "the configuration has errors (see `adaptivemmd check-config`); looking for changed tunables in {directory}"
        ));
    }
    // A daemon that runs knows better what it has changed.
    let _lock = match Lock::take(runtime_dir) {
        Ok(lock) => lock,
        Err(NotAlone::Running { .. }) => return control::restore(cli),
        Err(error) => {
            complain_with_source(&error);
            return Exit::Failed;
        }
    };
    let (ledger, error) = ledger(cli, runtime_dir);
    if let Some(error) = &error {
        complain(error);
    }
    let restored = Actuator::new(cli.root(), Mode::Live, ledger).restore();
    let mut text = String::new();
    for restored in &restored {
        let _never_fails = writeln!(text, "{restored}");
    }
    if restored.is_empty() && error.is_none() {
        text.push_str("nothing to restore");
        if !loaded.is_valid() {
            // It may not be the directory that the daemon had.
            let _never_fails = write!(text, " in {}", runtime_dir.display());
        }
        text.push('\n');
    }
    let all_well = error.is_none() && restored.iter().all(|restored| restored.result.is_ok());
    let printed = print(&text);
    if all_well { printed } else { Exit::Failed }
}

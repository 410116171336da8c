//! `adaptivemmd restore`: gives back what a daemon changed that died before it could do so, or has one do it that runs.

use std::fmt::Write;

use super::{Exit, complain, control, ledger, load, print};
use crate::actuator::{Actuator, Mode};
use crate::cli::Cli;
use crate::lock::{Lock, NotAlone};

pub(super) fn run(cli: &Cli) -> Exit {
    // A configuration that is wrong is no reason to keep what was changed: the daemon that died ran with another.
    let runtime_dir = load(&cli.sources(), &[]).settings.core.runtime_dir;
    // A daemon that runs knows better what it has changed.
    let _lock = match Lock::take(&runtime_dir) {
        Ok(lock) => lock,
        Err(NotAlone::Running { .. }) => return control::restore(cli),
        Err(error) => {
            complain(&error);
            return Exit::Failed;
        }
    };
    let (ledger, error) = ledger(cli, &runtime_dir);
    if let Some(error) = &error {
        complain(error);
    }
    let restored = Actuator::new(cli.root(), Mode::Live, ledger).restore();
    let mut text = String::new();
    for restored in &restored {
        let _never_fails = writeln!(text, "{restored}");
    }
    let all_well = error.is_none() && restored.iter().all(|restored| restored.result.is_ok());
    let printed = print(if restored.is_empty() {
        "there is nothing to give back\n"
    } else {
        &text
    });
    if all_well { printed } else { Exit::Failed }
}

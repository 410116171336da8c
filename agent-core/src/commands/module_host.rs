//! `adaptivemmd module-host`: the process of a module. The daemon starts it; nobody types it.

use super::{Exit, complain};
use crate::commands::cli::ModuleHost;
use crate::modules::isolation::{Subject, serve};

pub(super) fn run(options: &ModuleHost) -> Exit {
    let subject = match (options.file.clone(), options.trusted) {
        (None, _) => Subject::LinkedIn,
        (Some(file), false) => Subject::File(file),
        (Some(file), true) => Subject::Trusted(file),
    };
    match serve(&subject, options.parent) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&format_args!("the module process cannot continue: {error}"));
            Exit::Failed
        }
    }
}

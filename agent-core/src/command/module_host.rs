//! `adaptivemmd module-host`: the process of a module. The daemon starts it; nobody types it.

use super::{Exit, complain};
use crate::cli::ModuleHost;
use crate::isolation::{Subject, serve};

pub(super) fn run(options: &ModuleHost) -> Exit {
    let file = options.file.clone();
    let subject = file.map_or(Subject::LinkedIn, Subject::File);
    match serve(&subject, options.parent) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&format_args!(
                "the process of a module cannot go on: {error}"
            ));
            Exit::Failed
        }
    }
}

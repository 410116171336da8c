//! A look into a file: a process of its own loads it and tells what it holds, so that a file that crashes when
//! it is loaded, or that is not to run here, never gets into the daemon.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::modules::abi::{Description, Identity, check_libraries, check_trust, opened};
use crate::modules::isolation::{Confinement, Process, Program, Subject};

/// The content of a file, now or earlier.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) modules: Vec<Description>,
    /// The identity of that file.
    pub(super) file: Option<Identity>,
    /// The shared objects that it brought in.
    pub(super) objects: Vec<PathBuf>,
    /// The confinement of the process that inspected it; `None` if none did.
    pub(super) confinement: Option<Confinement>,
}

/// The facts about a file after it was inspected.
pub(super) struct Seen {
    /// The content when this process loaded it, if it did: what is loaded stays what it was.
    pub(super) loaded: Option<Found>,
    /// The content now, or why the file is refused.
    pub(super) now: Result<Found, String>,
}

impl Seen {
    /// Returns true if the file is not the one that was loaded.
    pub(super) fn is_replaced(&self) -> bool {
        let now = self.now.as_ref().ok().map(|now| now.file);
        self.loaded
            .as_ref()
            .is_some_and(|loaded| Some(loaded.file) != now)
    }
}

/// A look that has begun.
pub(super) struct Look {
    path: PathBuf,
    loaded: Option<Found>,
    file: Option<Identity>,
    /// `None` if the file is the one that this process has loaded.
    process: Option<Result<Process, String>>,
}

impl Look {
    /// Checks a file, and lets a process load it. `runs_here` is said of one whose modules are to run in the daemon.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not to be trusted.
    pub(super) fn begin(path: &Path, program: &Program, runs_here: bool) -> Result<Self, String> {
        let path = check_trust(path).map_err(|distrust| distrust.to_string())?;
        check_libraries(&path, &[]).map_err(|distrust| distrust.to_string())?;
        let file = Identity::of(&path);
        let loaded = opened(&path).map(|(modules, file)| Found {
            modules,
            file,
            ..Found::default()
        });
        let is_known = loaded.as_ref().is_some_and(|loaded| loaded.file == file);
        let subject = if runs_here {
            Subject::Trusted(path.clone())
        } else {
            Subject::File(path.clone())
        };
        Ok(Self {
            process: (!is_known).then(|| {
                Process::start(program, &subject, Arc::default())
                    .map_err(|error| format!("cannot start a process to inspect it: {error}"))
            }),
            path,
            loaded,
            file,
        })
    }

    /// Waits for what the process tells.
    pub(super) fn end(self) -> Seen {
        let now = match self.process {
            Some(process) => process.and_then(|process| told(process, &self.path, self.file)),
            None => Ok(self.loaded.clone().unwrap_or_default()),
        };
        Seen {
            loaded: self.loaded,
            now,
        }
    }
}

/// Returns what the process tells about the file that it has loaded.
fn told(mut process: Process, path: &Path, file: Option<Identity>) -> Result<Found, String> {
    let offer = process.greeting()?;
    process.end()?;
    check_libraries(path, &offer.objects).map_err(|distrust| distrust.to_string())?;
    Ok(Found {
        modules: offer.modules,
        file,
        objects: offer.objects,
        confinement: Some(offer.confinement),
    })
}

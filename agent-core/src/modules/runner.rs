//! A module that can be asked, wherever it runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Isolation, Value};
use crate::kernel::{Snapshot, Wanted};
use crate::modules::abi::{self, CallResult, Exported, Instance};
use crate::modules::catalogue::{Origin, Registration};
use crate::modules::isolation::{KillSwitch, Process, Subject};
use crate::modules::output::ModuleOutput;
use crate::modules::permit::Permit;

pub use crate::modules::abi::CreateError;

/// The reason why a module cannot be made whose file was replaced.
const CHANGED: &str = "its file has changed since it was inspected; reload to use it";

/// The recipe by which a module is made, as often as it takes.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The module that is made.
    pub module: Registration,
    /// The values of all its options.
    pub values: Vec<(String, Value)>,
    /// The requests that it may make.
    pub permit: Permit,
    /// The place where it runs.
    pub isolation: Isolation,
    /// The state that an instance before it kept; empty if none did.
    pub state: Arc<[u8]>,
}

/// A module that can look at snapshots.
#[derive(Debug)]
pub enum Runner {
    /// The module runs in this process.
    Here(Box<Instance>),
    /// The module runs in a process of its own.
    Apart {
        /// The process of the module.
        process: Box<Process>,
        /// The files that it is sent.
        wanted: Wanted,
        /// The requests that it may make.
        permit: Permit,
    },
}

impl Recipe {
    /// Returns true if it runs in this process, and can take it with it.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.isolation == Isolation::None
    }

    /// Makes the module. One in a process of its own can be ended by `leash`, and ends with the thread that
    /// made it.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be made.
    pub fn make(&self, leash: &Arc<KillSwitch>) -> Result<Runner, CreateError> {
        match self.isolation {
            Isolation::None => self.here().map(|instance| Runner::Here(Box::new(instance))),
            Isolation::Process => self.apart(leash),
        }
    }

    fn here(&self) -> Result<Instance, CreateError> {
        let description = &self.module.description;
        let module = match (&self.module.origin, self.module.calls) {
            (Origin::LinkedIn, Some(calls)) => Exported {
                description: description.clone(),
                calls,
            },
            (Origin::LinkedIn, None) => return Err(broken("it has no functions")),
            (Origin::File(path), _) => {
                let path = self.checked(path)?;
                let modules = abi::open(&path).map_err(broken)?;
                modules
                    .into_iter()
                    .find(|module| module.description == *description)
                    .ok_or_else(|| broken(CHANGED))?
            }
        };
        Instance::create(&module, &self.values, self.permit.clone(), &self.state)
    }

    /// The path by which the file is to be loaded, if it and all that it brings in are still to be trusted.
    fn checked(&self, path: &Path) -> Result<PathBuf, CreateError> {
        let path = abi::check_trust(path).map_err(broken)?;
        abi::check_libraries(&path, &self.module.objects).map_err(broken)?;
        Ok(path)
    }

    fn apart(&self, leash: &Arc<KillSwitch>) -> Result<Runner, CreateError> {
        let subject = match &self.module.origin {
            Origin::LinkedIn => Subject::LinkedIn,
            Origin::File(path) => Subject::File(self.checked(path)?),
        };
        let mut process =
            Process::start(&self.module.program, &subject, Arc::clone(leash)).map_err(broken)?;
        let offer = process.greeting().map_err(broken)?;
        if let Some(path) = subject.file() {
            abi::check_libraries(path, &offer.objects).map_err(broken)?;
        }
        // The settings were checked for the module that was found before.
        if !offer.modules.contains(&self.module.description) {
            return Err(broken(CHANGED));
        }
        process.create(self.module.name(), &self.values, &self.permit, &self.state)?;
        Ok(Runner::Apart {
            process: Box::new(process),
            wanted: self.module.description.wanted(),
            permit: self.permit.clone(),
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "handed to `map_err`")]
fn broken(why: impl ToString) -> CreateError {
    CreateError::Broken(why.to_string())
}

impl Runner {
    /// Lets the module look at a snapshot; its output are added to `output`.
    pub fn scan(&mut self, snapshot: &Snapshot, output: &mut ModuleOutput) -> CallResult {
        match self {
            Self::Here(instance) => instance.scan(snapshot, output),
            Self::Apart {
                process,
                wanted,
                permit,
            } => process.scan(snapshot, wanted, permit, output),
        }
    }
}

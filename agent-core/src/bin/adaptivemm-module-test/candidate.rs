//! The modules of the file, with their options.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::arguments::Arguments;
use crate::terminal::complain;
use agent_core::commands::Exit;
use agent_core::config::{self, ModuleSchema, Value};
use agent_core::kernel::{FileBudget, Wanted};
use agent_core::modules::abi::{CreateError, Description};
use agent_core::modules::catalogue::registrations;
use agent_core::modules::isolation::{Offer, Process, Program, Subject};
use agent_core::modules::permit::Permit;

/// Values of all options of a module.
pub(super) type Values = Vec<(String, Value)>;

/// A module that is tested.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Where it is.
    pub(super) file: PathBuf,
    /// What it says of itself.
    pub(super) module: Description,
    /// Its options: the defaults, or what the administrator wants.
    pub(super) values: Values,
}

impl Candidate {
    pub(super) fn name(&self) -> &str {
        &self.module.schema.name
    }

    /// All that it declares is allowed.
    pub(super) fn permit(&self) -> Permit {
        Permit::new(&self.module.writes, None)
    }

    /// A process in which the module was created with these options.
    pub(super) fn start(&self, values: &Values) -> Result<Process, CreateError> {
        let mut process = started(&self.file).map_err(CreateError::Broken)?;
        process.greeting().map_err(CreateError::Broken)?;
        process.create(self.name(), values, &self.permit(), &[])?;
        Ok(process)
    }
}

fn started(file: &Path) -> Result<Process, String> {
    let subject = Subject::File(file.to_owned());
    Process::start(&Program::this(), &subject, Arc::default())
        .map_err(|error| format!("no process can be started: {error}"))
}

/// What the file holds.
pub(super) fn look_into(file: &Path) -> Result<Offer, String> {
    let mut process = started(file)?;
    let offer = process.greeting()?;
    process.end()?;
    Ok(offer)
}

/// Everything that one of the modules wants to see.
pub(super) fn wanted(modules: &[Description]) -> Wanted {
    let mut wanted = Wanted::default();
    for module in modules {
        wanted.add_module(
            &module.schema.name,
            &module.needs,
            &module.writes,
            FileBudget::default(),
        );
    }
    wanted
}

/// The modules with their options. Without `-c` these are the defaults: what is installed here is not asked.
pub(super) fn configured(
    arguments: &Arguments,
    file: &Path,
    modules: Vec<Description>,
) -> Result<Vec<Candidate>, Exit> {
    let mut schemas: Vec<ModuleSchema> =
        modules.iter().map(|module| module.schema.clone()).collect();
    let is_other = |schema: &ModuleSchema| {
        modules
            .iter()
            .all(|module| module.schema.name != schema.name)
    };
    // The file may also speak of those.
    let linked_in = registrations()
        .0
        .into_iter()
        .map(|module| module.description.schema);
    schemas.extend(linked_in.filter(is_other));
    let all_values = match &arguments.place.config {
        None => schemas.iter().map(defaults).collect(),
        Some(_) => chosen(arguments, &schemas)?,
    };
    let candidates = modules.into_iter().zip(all_values);
    Ok(candidates
        .map(|(module, values)| Candidate {
            file: file.to_owned(),
            module,
            values,
        })
        .collect())
}

fn defaults(schema: &ModuleSchema) -> Values {
    let default = |option: &config::OptionSchema| (option.name.clone(), option.default.clone());
    schema.options.iter().map(default).collect()
}

fn chosen(arguments: &Arguments, schemas: &[ModuleSchema]) -> Result<Vec<Values>, Exit> {
    let loaded = config::load(&arguments.place.sources(), schemas);
    let bad = loaded
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error());
    bad.for_each(|diagnostic| complain(&diagnostic));
    if !loaded.is_valid() {
        return Err(Exit::Configuration);
    }
    Ok(loaded
        .settings
        .modules
        .into_iter()
        .map(|module| module.values)
        .collect())
}

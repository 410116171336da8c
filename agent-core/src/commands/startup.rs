//! The result of a start with this configuration and these modules. The daemon starts and reloads by it,
//! `check-config` and `doctor` rehearse it: so they cannot disagree.

use super::{catalogue, complain, load};
use crate::config::{Isolation, Loaded, Sources};
use crate::kernel::Root;
use crate::modules::catalogue::{Catalogue, Origin};
use crate::scan::{Agent, BuildErrors, Idle, Site, Threads};

/// The modules that were found, and the settings.
pub(super) struct Startup {
    pub(super) catalogue: Catalogue,
    pub(super) loaded: Loaded,
}

/// The result of a start.
#[derive(Debug, Default)]
pub(super) struct StartupOutcome {
    /// Returns why the daemon would not start; nothing if it would. What is wrong with the files is among the diagnostics.
    pub(super) errors: Vec<String>,
    /// The modules that would not be run.
    pub(super) idle: Vec<Idle>,
    /// The modules that would break down: their names, and why.
    pub(super) broken: Vec<(String, String)>,
    is_valid: bool,
}

impl Startup {
    /// Looks at the files, and at the modules.
    pub(super) fn read(sources: &Sources) -> Self {
        let catalogue = catalogue(sources);
        let loaded = load(sources, &catalogue.modules);
        Self { catalogue, loaded }
    }

    /// Starts the modules.
    ///
    /// # Errors
    ///
    /// If the daemon must not start.
    pub(super) fn build(&self, site: Site) -> Result<Agent, BuildErrors> {
        Agent::build(site, &self.loaded.settings, &self.catalogue.modules)
    }

    /// Starts the modules and ends them again, without a scan: they have the last word on their own options. Those
    /// in files say it in processes of their own, so that this one comes to its end.
    pub(super) fn rehearse(mut self) -> (Self, StartupOutcome) {
        if !self.loaded.is_valid() {
            return (self, StartupOutcome::default());
        }
        let set = self.loaded.settings.clone();
        let modules = self.catalogue.modules.iter();
        for (module, settings) in modules.zip(&mut self.loaded.settings.modules) {
            if module.origin != Origin::LinkedIn {
                settings.isolation = Some(Isolation::Process);
            }
        }
        // In a thread each: several that hang are waited for at the same time.
        let site = Site {
            threads: Threads::OnePerModule,
            ..Site::looked_at(Root::live())
        };
        let outcome = match self.build(site) {
            Ok(agent) => StartupOutcome {
                errors: Vec::new(),
                idle: agent.idle().to_vec(),
                broken: agent
                    .broken()
                    .map(|(module, why)| (module.to_owned(), why.to_owned()))
                    .collect(),
                is_valid: true,
            },
            Err(BuildErrors(errors)) => StartupOutcome {
                errors: errors.iter().map(ToString::to_string).collect(),
                ..StartupOutcome::default()
            },
        };
        self.loaded.settings = set;
        (self, outcome)
    }
}

impl StartupOutcome {
    /// Returns true if the daemon would start.
    pub(super) fn is_start(&self) -> bool {
        self.is_valid
    }

    pub(super) fn is_idle(&self, module: &str) -> bool {
        self.idle.iter().any(|idle| idle.module == module)
    }
}

/// Says which modules are not run although they are enabled, on standard error.
pub(super) fn complain_of_idle(idle: &[Idle]) {
    for idle in idle {
        complain(&format_args!("module {} is idle: {idle}", idle.module));
    }
}

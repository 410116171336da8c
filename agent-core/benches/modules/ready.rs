//! Modules on a bus, and a snapshot of this machine for them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use adaptivemm_module_api::units::Uptime;
use agent_core::config::{Isolation, Placements};
use agent_core::kernel::{Root, Sampler, Snapshot, Wanted};
use agent_core::modules::catalogue::{Catalogue, Registration};
use agent_core::modules::isolation::Program;
use agent_core::modules::permit::Permit;
use agent_core::modules::pool::{ModuleHandle, ModulePool, Patience, await_start};
use agent_core::modules::runner::Recipe;
use agent_core::scan::Threads;

/// Long enough that nobody is late.
const PATIENCE: Patience = Patience {
    deadline: Duration::from_secs(60),
    max_late: 3,
};

pub(crate) fn program() -> Program {
    Program::at(Path::new(env!("CARGO_BIN_EXE_adaptivemmd")))
}

/// The modules of the files in a directory.
pub(crate) fn loaded(directory: &Path) -> Vec<Registration> {
    let placements = Placements {
        module_dir: directory.to_owned(),
        modules: Vec::new(),
    };
    let catalogue = Catalogue::default().with_files(&placements, &program());
    assert!(catalogue.refused.is_empty(), "{:#?}", catalogue.refused);
    catalogue.modules
}

/// Starts modules with their defaults.
pub(crate) fn bus(modules: &[Registration], threads: Threads, isolation: Isolation) -> ModulePool {
    let handle = |module: &Registration| {
        let options = module.description.schema.options.iter();
        let recipe = Recipe {
            module: module.clone(),
            values: options
                .map(|option| (option.name.clone(), option.default.clone()))
                .collect(),
            permit: Permit::default(),
            isolation,
            state: Arc::default(),
        };
        match threads {
            Threads::None => ModuleHandle::inline(recipe),
            Threads::OnePerModule => ModuleHandle::on_thread(recipe, None, None).unwrap(),
        }
    };
    let mut handles: Vec<ModuleHandle> = modules.iter().map(handle).collect();
    assert_eq!(await_start(&mut handles, PATIENCE.deadline), []);
    assert!(handles.iter().all(ModuleHandle::is_idle));
    ModulePool::new(handles)
}

pub(crate) fn scan(bus: &mut ModulePool, snapshot: &Arc<Snapshot>) {
    bus.scan(snapshot, PATIENCE, &mut || None);
}

/// Reads of this machine what these modules need.
pub(crate) fn sampler(modules: &[Registration]) -> Sampler {
    let mut wanted = Wanted::default();
    for path in modules.iter().flat_map(|module| &module.description.needs) {
        wanted.add_file(path);
    }
    Sampler::new(Root::live(), wanted, None)
}

/// This machine now, at a time that stands still.
pub(crate) fn take(sampler: &mut Sampler) -> Arc<Snapshot> {
    let now = Uptime(Duration::from_secs(3600));
    sampler.take(now, Duration::from_secs(30))
}

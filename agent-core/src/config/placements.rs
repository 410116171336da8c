//! The places that modules come from. They are read before the modules are there, and so before anyone
//! knows what else can be set.

use std::collections::HashMap;
use std::path::PathBuf;

use super::document::Place;
use super::merge::{self, Assignment};
use super::schema::placing_keys;
use super::settings::{Isolation, Settings};
use super::{Loader, Sources};

/// The places that modules come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placements {
    /// `module-dir` of `[core]`; absolute.
    pub module_dir: PathBuf,
    /// The modules whose table has a `path` or an `isolation`, by name.
    pub modules: Vec<Placement>,
}

impl Placements {
    /// The placement of the module of this name, if one is set.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Placement> {
        self.modules.iter().find(|placement| placement.name == name)
    }
}

/// The place that a module comes from, and that where it runs, as far as they are set. There need not be
/// such a module, nor need a module be able to have that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The name, as in `[modules.NAME]`.
    pub name: String,
    /// The shared object that holds it; absolute.
    pub path: Option<PathBuf>,
    /// The isolation, which says where it runs.
    pub isolation: Option<Isolation>,
    /// The line that sets the path, or else the isolation.
    pub place: Place,
}

/// Reads the places that modules come from, to load those that are not linked in.
///
/// Wrong settings are left out without a word: [`load`](super::load) reports them
/// once the modules are there.
#[must_use]
pub fn placements(sources: &Sources) -> Placements {
    // Where no module is installed, every module with a table is absent.
    let loader = Loader::gather(sources, &[], &[]);
    let values = merge::merge(&loader.keys, &loader.assignments);
    let in_force = merge::in_force(&loader.assignments);
    let absent = loader.absent.iter();
    Placements {
        module_dir: Settings::from_values(&values, &[]).core.module_dir,
        modules: absent
            .filter_map(|name| Placement::from_assignments(name, &in_force))
            .collect(),
    }
}

impl Placement {
    /// Returns `None` if nothing is set.
    fn from_assignments(name: &str, in_force: &HashMap<&str, &Assignment>) -> Option<Self> {
        let [path, isolation] =
            placing_keys(name).map(|key| in_force.get(key.path().as_str()).copied());
        let place = path.or(isolation)?.place.clone();
        Some(Self {
            name: name.into(),
            path: path.and_then(Assignment::text).map(PathBuf::from),
            isolation: isolation
                .and_then(Assignment::text)
                .and_then(Isolation::from_name),
            place,
        })
    }
}

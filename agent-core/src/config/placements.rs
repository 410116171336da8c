//! Where modules come from: asked before they are there, and so before anyone
//! knows what else can be set.

use std::collections::HashMap;
use std::path::PathBuf;

use super::document::Place;
use super::merge::{self, Assignment};
use super::schema::placing_keys;
use super::settings::{Isolation, Settings};
use super::{Loader, Sources};

/// Where modules come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placements {
    /// `module-dir` of `[core]`; absolute.
    pub module_dir: PathBuf,
    /// The modules whose table has a `path` or an `isolation`, by name.
    pub modules: Vec<Placement>,
}

impl Placements {
    /// What is set for the module of this name.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&Placement> {
        self.modules.iter().find(|placement| placement.name == name)
    }
}

/// Where a module comes from and runs, as far as that is set. There need not be
/// such a module, nor need a module be able to have that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// As in `[modules.NAME]`.
    pub name: String,
    /// The shared object that holds it; absolute.
    pub path: Option<PathBuf>,
    /// Where it runs.
    pub isolation: Option<Isolation>,
    /// Where the path was set, or else the isolation.
    pub place: Place,
}

/// Reads where modules come from, to load those that are not linked in.
///
/// What is wrong is left out without a word: [`load`](super::load) tells it
/// once the modules are there.
#[must_use]
pub fn placements(sources: &Sources) -> Placements {
    // Where no module is installed, every module with a table is absent.
    let loader = Loader::gather(sources, &[], &[]);
    let values = merge::merge(&loader.keys, &loader.assignments);
    let in_force = merge::in_force(&loader.assignments);
    let absent = loader.absent.iter();
    Placements {
        module_dir: Settings::of(&values, &[]).core.module_dir,
        modules: absent
            .filter_map(|name| Placement::of(name, &in_force))
            .collect(),
    }
}

impl Placement {
    /// `None` if nothing is set.
    fn of<'a>(name: &str, in_force: &HashMap<&str, &'a Assignment>) -> Option<Self> {
        let [path, isolation] =
            placing_keys(name).map(|key| in_force.get(key.path().as_str()).copied());
        let place = path.or(isolation)?.place.clone();
        let text = |set: Option<&'a Assignment>| set.and_then(|set| set.content.text());
        Some(Self {
            name: name.into(),
            path: text(path).map(PathBuf::from),
            isolation: text(isolation).and_then(Isolation::from_name),
            place,
        })
    }
}

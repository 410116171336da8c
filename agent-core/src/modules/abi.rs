//! How modules are called: the core's side of the C interface.

mod description;
mod identity;
mod instance;
mod library;
mod linking;
mod mapped;
mod needs;
mod sink;
mod trust;
mod view;

use adaptivemm_module_api::{abi, linked};

pub use description::Description;
pub(crate) use identity::Identity;
pub use instance::{CallResult, CreateError, Instance};
pub(crate) use library::{Exported, MAX_MODULES, open, opened};
pub use linking::{family, is_path};
pub(crate) use mapped::mapped;
pub use trust::check_libraries;
pub use trust::{Distrust, check as check_trust};

/// The functions of a module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calls {
    pub(crate) create: abi::Create,
    pub(crate) scan: abi::Scan,
    pub(crate) destroy: abi::Destroy,
}

/// The modules that are linked into this program, as far as they are well described.
pub(crate) fn linked_in() -> Vec<Exported> {
    linked()
        .filter_map(|declaration| Exported::of(declaration).ok())
        .collect()
}

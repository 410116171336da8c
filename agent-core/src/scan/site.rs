//! The place where a daemon works, and its mode.

use adaptivemm_module_api::units::PageSize;

use crate::actions::{Ledger, Mode};
use crate::decisions::Decisions;
use crate::incidents::Incidents;
use crate::kernel::Root;
use crate::modules::crash_marker::CrashMarker;
use crate::modules::saved_state::SavedStates;

/// The threads that modules run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// Each in a thread of its own, with a deadline.
    OnePerModule,
    /// All in the caller's thread: in a replay nothing can be late.
    None,
}

/// The place where a daemon works, and its mode.
#[derive(Debug)]
pub struct Site {
    /// The machine.
    pub root: Root,
    /// The page size of the machine; without it, it is worked out or asked of the kernel.
    pub page_size: Option<PageSize>,
    /// The mode, which says if the machine is changed.
    pub mode: Mode,
    /// The ledger of original values.
    pub ledger: Ledger,
    /// The threads that modules run in.
    pub threads: Threads,
    /// The crash marker, which names the module that is running.
    pub marker: Option<CrashMarker>,
    /// The log of decisions.
    pub decisions: Decisions,
    /// The saved states of modules.
    pub states: SavedStates,
    /// The incidents, with their evidence.
    pub incidents: Incidents,
}

impl Site {
    /// A machine that is looked at and not changed, in one thread.
    #[must_use]
    pub fn looked_at(root: Root) -> Self {
        Self {
            root,
            page_size: None,
            mode: Mode::Simulate,
            ledger: Ledger::in_memory(),
            threads: Threads::None,
            marker: None,
            decisions: Decisions::unkept(),
            states: SavedStates::in_memory(),
            incidents: Incidents::unkept(),
        }
    }
}

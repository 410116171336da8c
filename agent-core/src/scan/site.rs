//! Where a daemon works, and how.

use adaptivemm_module_api::units::PageSize;

use crate::actions::{Ledger, Mode};
use crate::decisions::Decisions;
use crate::incidents::Incidents;
use crate::kernel::Root;
use crate::modules::crash_marker::CrashMarker;
use crate::modules::saved_state::SavedStates;

/// Where modules run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// Each in a thread of its own, with a deadline.
    OnePerModule,
    /// All in the caller's thread: in a replay nothing can be late.
    None,
}

/// Where a daemon works, and how.
#[derive(Debug)]
pub struct Site {
    /// The machine.
    pub root: Root,
    /// Of the machine; without it, it is worked out or asked of the kernel.
    pub page_size: Option<PageSize>,
    /// Whether the machine is changed.
    pub mode: Mode,
    /// Where original values are noted.
    pub ledger: Ledger,
    /// Where modules run.
    pub threads: Threads,
    /// Where it is noted who is at work.
    pub marker: Option<CrashMarker>,
    /// Where decisions are explained.
    pub decisions: Decisions,
    /// Where modules keep what they have learned.
    pub states: SavedStates,
    /// Where evidence is kept of what modules report.
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

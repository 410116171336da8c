//! Who explains a growth: somebody of the kernel, a process, or a service.

use crate::evidence::{Explanation, Kind};

/// An owner of memory, as its source names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner<'a> {
    /// A place in the kernel's code where memory is allocated: a line, a function, a stack of calls.
    Code(&'a str),
    /// A slab cache.
    Cache(&'a str),
    /// Something else that has its name from the kernel, such as a protocol or a driver.
    Kernel(&'a str),
    /// Processes of a name: `pipes` of `cron`, and what more is known, such as ` (12 pipes, PID 812)`.
    Process {
        what: &'a str,
        name: &'a str,
        note: &'a str,
    },
    /// A control group.
    Service(&'a str),
    /// Nobody knows who that is.
    Unknown(&'a str),
}

impl<'a> Owner<'a> {
    pub(super) fn of(explanation: &'a Explanation) -> Self {
        let owner = explanation.owner.as_str();
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.file() == explanation.source);
        match kind {
            Some(Kind::AllocInfo | Kind::PageOwner | Kind::Vmalloc) => Self::Code(owner),
            Some(Kind::Slab) => Self::Cache(owner),
            Some(Kind::DmaBuffers | Kind::Cma | Kind::Zram | Kind::Sockets | Kind::Census) => {
                Self::Kernel(owner)
            }
            Some(Kind::Services) => Self::Service(owner),
            Some(
                Kind::Sizes
                | Kind::PacketRings
                | Kind::Processes
                | Kind::Descriptors
                | Kind::Queues,
            ) => {
                let (what, rest) = owner.split_once(" of ").unwrap_or(("", owner));
                let end = if rest.ends_with(')') {
                    rest.rfind(" (")
                } else {
                    None
                };
                let (name, note) = rest.split_at(end.unwrap_or(rest.len()));
                Self::Process { what, name, note }
            }
            None => Self::Unknown(owner),
        }
    }
}

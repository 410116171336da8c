//! The owners that explain a growth: somebody of the kernel, a process, or a service.

use crate::config::TellOwners;
use crate::incidents::evidence::{Explanation, SourceKind};

/// An owner of memory, as its source names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner<'a> {
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
    pub(crate) fn from_explanation(explanation: &'a Explanation) -> Self {
        let owner = explanation.owner.as_str();
        let kind = SourceKind::ALL
            .into_iter()
            .find(|kind| kind.file() == explanation.source);
        match kind {
            Some(SourceKind::AllocInfo | SourceKind::PageOwner | SourceKind::Vmalloc) => {
                Self::Code(owner)
            }
            Some(SourceKind::Slab) => Self::Cache(owner),
            Some(
                SourceKind::DmaBuffers
                | SourceKind::Cma
                | SourceKind::Zram
                | SourceKind::Sockets
                | SourceKind::Census,
            ) => Self::Kernel(owner),
            Some(SourceKind::Services) => Self::Service(owner),
            Some(
                SourceKind::Sizes
                | SourceKind::PacketRings
                | SourceKind::Processes
                | SourceKind::Descriptors
                | SourceKind::Queues,
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

/// The owner, with as much as somebody may know of it. What has its name from the kernel is nobody's secret.
pub(crate) fn owner_for(explanation: &Explanation, tell: TellOwners) -> String {
    match (Owner::from_explanation(explanation), tell) {
        (_, TellOwners::All) | (Owner::Code(_) | Owner::Cache(_) | Owner::Kernel(_), _) => {
            explanation.owner.clone()
        }
        (Owner::Process { what: "", .. } | Owner::Unknown(_), _) => "somebody".to_owned(),
        (Owner::Process { what, name, .. }, TellOwners::Program) => format!("{what} of {name}"),
        (Owner::Process { what, .. }, TellOwners::None) => format!("{what} of a program"),
        (Owner::Service(_), _) => "a service".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::evidence::{Certainty, Class};

    #[test]
    fn others_are_told_the_program_or_not_even_that() {
        let told = |owner: &str, kind: SourceKind| {
            let explanation = Explanation {
                class: Class::Unaccounted,
                owner: owner.to_owned(),
                source: kind.file().to_owned(),
                before_bytes: 0,
                after_bytes: 1,
                explained_bytes: 1,
                share_percent: 1.0,
                certainty: Certainty::Exact,
                partial: false,
            };
            [TellOwners::All, TellOwners::Program, TellOwners::None]
                .map(|tell| owner_for(&explanation, tell))
        };

        let pipes = "pipes of x (a) (7 pipes, PID 12)";
        assert_eq!(
            told(pipes, SourceKind::Descriptors),
            [pipes, "pipes of x (a)", "pipes of a program"]
        );
        let service = "/system.slice/x.service";
        assert_eq!(
            told(service, SourceKind::Services),
            [service, "a service", "a service"]
        );
        assert_eq!(told("kmalloc-1k", SourceKind::Slab), ["kmalloc-1k"; 3]);
    }
}

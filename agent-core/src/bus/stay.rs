//! Keeps the core on its processor for some scans.
//!
//! The threads of the modules run where the core is. Without this, a thread that answers wakes the core on an
//! idle processor, and the threads follow it there, scan for scan: in a virtual machine that is most of what a
//! thread costs (`cargo bench --bench modules` shows it). Asking the kernel for it in every scan costs as much as
//! it saves, and for ever would be too long: the processor may become a busy one.

use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

/// So many scans in a row are made on the same processor.
pub(super) const SCANS: u64 = 16;

/// While this lives, the thread that made it stays where it is.
#[derive(Debug)]
pub(super) struct Stay {
    /// Where it may run otherwise; `None` if it could not be held.
    anywhere: Option<CpuSet>,
}

impl Stay {
    pub(super) fn here() -> Self {
        let cpu = sched_getcpu();
        let anywhere = sched_getaffinity(None)
            .ok()
            .filter(|_| cpu < CpuSet::MAX_CPU);
        let held = anywhere.filter(|_| {
            let mut only_here = CpuSet::new();
            only_here.set(cpu);
            sched_setaffinity(None, &only_here).is_ok()
        });
        Self { anywhere: held }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        if let Some(anywhere) = &self.anywhere {
            // A processor that has gone since is no reason to stay: the kernel lets us run elsewhere then.
            let _stays = sched_setaffinity(None, anywhere);
        }
    }
}

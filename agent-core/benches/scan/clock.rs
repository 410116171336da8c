//! How long something took.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// User and system time of all threads of this process.
pub(crate) fn cpu() -> Duration {
    time(ClockId::ProcessCPUTime)
}

/// Time on the wall, since some moment in the past.
pub(crate) fn wall() -> Duration {
    time(ClockId::Monotonic)
}

/// The CPU time of `work`.
pub(crate) fn cpu_of(work: impl FnOnce()) -> Duration {
    let start = cpu();
    work();
    cpu().saturating_sub(start)
}

fn time(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap()
}

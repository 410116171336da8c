//! How long something took.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// User and system time of all threads of this process.
pub(crate) fn cpu() -> Duration {
    time(ClockId::ProcessCPUTime)
}

/// User and system time of this thread.
pub(crate) fn cpu_here() -> Duration {
    time(ClockId::ThreadCPUTime)
}

/// CPU time of some other threads of this process.
#[derive(Debug)]
pub(crate) struct Threads(Vec<fs::File>);

impl Threads {
    /// Those that there are now, but for this one, whose names are as wanted. `None` where the kernel does not say
    /// how long a thread has run.
    pub(crate) fn named(is_wanted: impl Fn(&str) -> bool) -> Option<Self> {
        let here = rustix::thread::gettid().as_raw_nonzero().to_string();
        let tasks = fs::read_dir("/proc/self/task").ok()?;
        let tasks: Vec<PathBuf> = tasks.map(|task| task.unwrap().path()).collect();
        let others = tasks.iter().filter(|task| !task.ends_with(&here));
        let wanted = others.filter(|task| {
            is_wanted(String::from_utf8_lossy(&fs::read(task.join("comm")).unwrap()).trim_end())
        });
        let files: Result<_, _> = wanted
            .map(|task| fs::File::open(task.join("schedstat")))
            .collect();
        files.ok().map(Self)
    }

    /// Of all of them; exact while they wait.
    pub(crate) fn cpu(&self) -> Duration {
        self.0.iter().map(cpu_of_thread).sum()
    }

    /// Waits until none of them has anything to do.
    #[expect(clippy::disallowed_methods, reason = "nobody tells when that is")]
    pub(crate) fn await_idle(&self) {
        let mut before = None;
        while before != Some(self.cpu()) {
            before = Some(self.cpu());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The first number of `schedstat`, in nanoseconds.
fn cpu_of_thread(schedstat: &fs::File) -> Duration {
    let mut buffer = [0; 64];
    let len = schedstat.read_at(&mut buffer, 0).unwrap();
    let text = std::str::from_utf8(&buffer[..len]).unwrap();
    let nanoseconds = text.split(' ').next().unwrap().parse().unwrap();
    Duration::from_nanos(nanoseconds)
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

//! Which processors the daemon, its threads and the processes of its modules may run on: those that it was started with.

use std::fs;
use std::thread;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::containment::bench::{SHORT, all_children, modules};
use crate::containment::daemons::Den;
use crate::daemon::process::Running;
use crate::skip::skip;

/// The processors that each thread of a process may run on.
fn masks(pid: u32) -> Vec<(String, String)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let mask = |path: std::path::PathBuf| {
        let status = fs::read_to_string(path.join("status")).ok()?;
        let line = |key: &str| status.lines().find_map(|line| line.strip_prefix(key));
        let allowed = line("Cpus_allowed_list:")?.trim().to_owned();
        Some((line("Name:")?.trim().to_owned(), allowed))
    };
    tasks
        .filter_map(|task| mask(task.unwrap().path()))
        .collect()
}

fn started_on(cpus: CpuSet, den: &Den) -> Running {
    // A child has the mask of the thread that starts it, as under taskset.
    thread::scope(|scope| {
        let start = || {
            sched_setaffinity(None, &cpus).unwrap();
            den.start()
        };
        scope.spawn(start).join().unwrap()
    })
}

#[test]
fn all_threads_keep_the_processors_that_the_daemon_was_started_with() {
    let all = sched_getaffinity(None).unwrap();
    let allowed: Vec<usize> = (0..CpuSet::MAX_CPU)
        .filter(|cpu| all.is_set(*cpu))
        .collect();
    if allowed.len() < 2 {
        skip("there is one processor only");
        return;
    }
    let mut last = CpuSet::new();
    last.set(allowed[allowed.len() - 1]);
    for cpus in [all, last] {
        for (isolation, mode) in [("none", "hang"), ("process", "none")] {
            let options = format!("mode = \"{mode}\"\nfrom-scan = 2");
            let den = Den::new("period-secs = 0.1", &modules(isolation, SHORT, &options));
            let mut daemon = started_on(cpus, &den);
            daemon.until("calm: scan 20");

            let children = all_children(daemon.pid());
            let processes = children.iter().copied().chain([daemon.pid()]);
            let seen: Vec<_> = processes.flat_map(masks).collect();

            let expected = if cpus == last {
                allowed[allowed.len() - 1].to_string()
            } else {
                masks(std::process::id())[0].1.clone()
            };
            assert!(seen.len() > 3, "{seen:?}");
            let others: Vec<_> = seen.iter().filter(|(_, mask)| *mask != expected).collect();
            assert!(others.is_empty(), "not {expected}: {others:?}");
        }
    }
}

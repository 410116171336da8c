//! A simulation: it scans and says what it sees, and leaves no trace.

use std::fs;
use std::process::Command;

use crate::daemon::QUICK;
use crate::daemon::machine::Machine;
use crate::daemon::process::Home;
use crate::daemon::words::{stderr, untimed};
use crate::skip::can_trace;

#[test]
fn a_simulation_runs_beside_the_daemon_and_says_every_scan_how_things_stand() {
    let home = Home::new(QUICK, "");
    let machine = Machine::new(&home, 100);
    let mut daemon = home.start(&["-d"]);
    daemon.until("started");

    let mut simulation = home.start(&["-s", "--root", machine.root()]);
    for _ in 0..5 {
        simulation.until("memleak: ");
    }
    let (status, said) = simulation.terminate();

    let said = untimed(&said);
    assert_eq!(status.code(), Some(0));
    assert!(
        said[0].ends_with("started: a scan every 0.1 s, modules: memleak"),
        "{said:?}"
    );
    assert_eq!(
        said[1..6],
        ["info    memleak: 7.9 GiB of 8.0 GiB accounted for (free 5.9 GiB, page cache 1.0 GiB, programs 1.0 GiB, \
          slab 0 B, other kernel 4.0 KiB); 100.0 MiB unaccounted (classic formula 100.0 MiB, baseline 100.0 MiB)";
            5]
    );
}

#[cfg(all(
    feature = "cache-pressure",
    feature = "compaction",
    feature = "free-pages",
    feature = "negative-dentry"
))]
#[test]
fn by_default_all_modules_run_but_for_cache_pressure() {
    let home = Home::with_modules(agent_core::base::linked::CHOSEN);

    let mut simulation = home.start(&["-s"]);

    let started = simulation.until("started");
    assert!(
        started.ends_with("modules: compaction, free-pages, memleak, negative-dentry"),
        "{started}"
    );
}

#[test]
fn a_simulation_takes_no_lock_and_writes_nothing() {
    let home = Home::new(QUICK, "");
    let is_traced = can_trace();
    let program = home.command(&["-s", "--once"]);
    let trace = home.path("trace");
    let mut command = if is_traced {
        let mut strace = Command::new("strace");
        strace
            .args(["-f", "-y", "-e", "trace=%file,%desc,%network", "-o"])
            .arg(&trace)
            .arg(program.get_program())
            .args(program.get_args());
        strace
    } else {
        program
    };

    let output = command.output().unwrap();

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!home.path("run").exists());
    if is_traced {
        let calls = fs::read_to_string(&trace).unwrap();
        assert!(calls.contains("/proc/meminfo"), "{calls}");
        let to_stderr = "write(2<";
        let writing = calls.lines().filter(|call| {
            let opens = [
                "O_WRONLY", "O_RDWR", "O_CREAT", "mkdir", "unlink", "rename", "flock(",
            ];
            let sends = ["write(", "pwrite", "writev(", "sendto(", "connect("];
            opens.iter().any(|word| call.contains(word))
                || sends.iter().any(|word| call.contains(word)) && !call.contains(to_stderr)
        });
        assert_eq!(writing.collect::<Vec<_>>(), [""; 0]);
    }
}

//! What the process of a module can do, and what is left of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Signal, geteuid};

use crate::containment::bench::{AMPLE, SHORT, all_children, children, modules};
use crate::containment::daemons::Den;
use crate::daemon::process::{Running, eventually, proc_file, started_by, without_capabilities};
use crate::skip::skip;

/// A process that does not answer is left alone until the test is done with it.
const QUICK: &str = "period-secs = 0.1\nmax-late = 1000";

fn only_child(daemon: &Running) -> u32 {
    let children = all_children(daemon.pid());
    assert_eq!(children.len(), 1, "{children:?}");
    children[0]
}

fn den(mode: &str) -> Den {
    // The calm one would bring the library into the daemon.
    let deadline = if ["hang", "spin"].contains(&mode) {
        SHORT
    } else {
        AMPLE
    };
    let config = modules("process", deadline, &format!("mode = \"{mode}\""));
    let den = Den::new("", "");
    den.configure(
        QUICK,
        &config.replacen(
            "[modules.calm]\nenabled = true",
            "[modules.calm]\nenabled = false",
            1,
        ),
    );
    den
}

/// The process of the module, once it can open nothing any more.
fn shut_child(daemon: &Running) -> Option<u32> {
    let child = *all_children(daemon.pid()).first()?;
    let limits = proc_file(child, "limits")?;
    let open_files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))?;
    open_files.contains(" 0 ").then_some(child)
}

/// The lines of a file of a process, by their first word.
fn figures(pid: u32, file: &str) -> BTreeMap<String, Vec<String>> {
    let text = proc_file(pid, file).unwrap();
    let figure = |line: &str| {
        let (name, values) = line.split_once([':', '\t']).unwrap();
        let values = values.split_whitespace().map(str::to_owned).collect();
        (name.to_owned(), values)
    };
    text.lines().map(figure).collect()
}

/// A descriptor that the daemon, and so its children, would inherit.
fn left_open(descriptor: &impl AsFd) {
    fcntl_setfd(descriptor, FdFlags::empty()).unwrap();
}

#[test]
fn the_process_of_a_module_has_no_rights_and_no_files() {
    let den = den("none");
    let (file, (one_end, other_end)) = (
        File::open("/etc/hostname")
            .or_else(|_| File::open("/dev/null"))
            .unwrap(),
        UnixStream::pair().unwrap(),
    );
    left_open(&file);
    left_open(&one_end);
    left_open(&other_end);
    let mut daemon = den.start();
    drop((file, one_end, other_end));
    daemon.until("started");
    let child = eventually("the process is there, and shut", || shut_child(&daemon));

    let status = figures(child, "status");
    let nothing = "0000000000000000";
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(status[set], [nothing], "{set}");
    }
    assert_eq!(status["NoNewPrivs"], ["1"]);
    assert_eq!(status["Threads"], ["1"]);
    let limits = proc_file(child, "limits").unwrap();
    let limit = |name: &str| {
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        line.split_whitespace()
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let all = [
        "Max core file size",
        "Max file size",
        "Max locked memory",
        "Max open files",
        "Max processes",
    ];
    assert_eq!(all.map(limit), ["0 0"; 5]);
    assert_eq!(limit("Max address space"), "536870912 536870912");
    if is_root_or_skips("who is not root can neither become nobody nor look at what is open there")
    {
        is_nobody_without_files(child, &status);
    }
}

#[test]
fn the_process_of_a_module_is_the_first_to_be_ended_when_memory_is_short() {
    let den = den("none");
    let plain = den.command(&["--foreground"]);
    // A service is promised less, for which a right is needed that not every root has.
    let score = "300";
    let script = "echo $0 >/proc/self/oom_score_adj; shift; exec \"$@\"";
    let mut daemon = Running::start(&mut started_by("sh", &["-c", script, score], &plain));
    daemon.until("started");
    let child = eventually("the process is there, and shut", || shut_child(&daemon));

    let scores = [daemon.pid(), child].map(|pid| proc_file(pid, "oom_score_adj").unwrap());

    assert_eq!(scores.map(|score| score.trim().to_owned()), [score, "1000"]);
}

#[test]
fn a_limit_of_the_daemon_that_is_lower_than_that_of_a_module_stays() {
    let den = den("none");
    let plain = den.command(&["--foreground"]);
    // Who has the right may raise a limit again, and would not notice.
    let plain = if geteuid().is_root() {
        without_capabilities(&plain)
    } else {
        plain
    };
    let limits = ["--nofile=50:50", "--as=400000000:400000000"];
    let mut daemon = Running::start(&mut started_by("prlimit", &limits, &plain));
    daemon.until("started");
    let said = daemon.take_said();
    assert!(
        !said.iter().any(|line| line.contains("refused")),
        "{said:#?}"
    );
    let child = eventually("the process is there, and shut", || shut_child(&daemon));

    let limits = proc_file(child, "limits").unwrap();

    let room = limits
        .lines()
        .find(|line| line.starts_with("Max address space"));
    assert!(room.unwrap().contains(" 400000000 "), "{limits}");
}

/// The rest of a test needs root.
fn is_root_or_skips(why: &str) -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        skip(why);
    }
    is_root
}

fn is_nobody_without_files(child: u32, status: &BTreeMap<String, Vec<String>>) {
    let nobody = vec!["65534".to_owned(); 4];
    assert_eq!((&status["Uid"], &status["Gid"]), (&nobody, &nobody));
    assert_eq!(status["Groups"], [""; 0]);
    let descriptors = descriptors(child);
    assert_eq!(descriptors.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
    assert!(descriptors[&0].starts_with("socket:"), "{descriptors:?}");
    assert_eq!(descriptors[&1], "/dev/null");
    assert!(descriptors[&2].starts_with("pipe:"), "{descriptors:?}");
    assert_eq!(proc_file(child, "environ").unwrap(), "");
    assert_eq!(
        fs::read_link(format!("/proc/{child}/cwd")).unwrap(),
        Path::new("/")
    );
}

fn descriptors(pid: u32) -> BTreeMap<u32, String> {
    let descriptor = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let number = entry.file_name().to_str().unwrap().parse().unwrap();
        let target = fs::read_link(entry.path()).unwrap();
        (number, target.display().to_string())
    };
    fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .map(descriptor)
        .collect()
}

#[test]
fn a_module_cannot_open_connect_or_start_anything() {
    let den = den("escape");
    let mut daemon = den.start();

    daemon.until("kill the daemon: ");

    has_tried_all_in_vain(&daemon.take_said());
}

#[test]
fn a_module_of_a_daemon_without_capabilities_cannot_either() {
    if !is_root_or_skips("who is not root has no capabilities to lose") {
        return;
    }
    let den = den("escape");
    let mut daemon = den.start_without_capabilities();
    daemon.until("kill the daemon: ");
    let child = eventually("the process is there, and shut", || shut_child(&daemon));

    let status = figures(child, "status");

    has_tried_all_in_vain(&daemon.take_said());
    // It cannot become anybody else.
    assert_eq!(status["Uid"], ["0"; 4]);
    assert_eq!(status["CapEff"], ["0000000000000000"]);
    assert_eq!(status["Seccomp"], ["2"]);
}

fn has_tried_all_in_vain(said: &[String]) {
    let attempts = [
        "open",
        "write",
        "socket",
        "pair",
        "fork",
        "run",
        "thread",
        "setuid",
        "kill the daemon",
    ];
    for attempt in attempts {
        let line = format!("chaos: {attempt}: no");
        assert!(
            said.iter().any(|said| said.ends_with(&line)),
            "{attempt}: {said:#?}"
        );
    }
}

#[test]
fn the_daemon_does_not_map_the_library_of_a_module_that_runs_elsewhere() {
    let den = den("none");
    let mut daemon = den.start();
    daemon.until("started");
    let child = eventually("the process is there, and shut", || shut_child(&daemon));

    let daemons = proc_file(daemon.pid(), "maps").unwrap();
    assert!(!daemons.contains("chaos.so"), "{daemons}");
    if is_root_or_skips("who is not root cannot look at the memory of the process") {
        assert!(proc_file(child, "maps").unwrap().contains("chaos.so"));
    }
}

#[test]
fn a_daemon_that_is_killed_leaves_no_process_behind() {
    for mode in ["none", "spin", "hang"] {
        let den = den(mode);
        let mut daemon = den.start();
        daemon.until("started");
        let child = eventually("the process is there", || {
            all_children(daemon.pid()).first().copied()
        });
        if mode == "spin" {
            eventually("it spins", || spent(child).filter(|ticks| *ticks > 10));
        }

        daemon.send(Signal::KILL);
        daemon.end();

        eventually("the process is gone", || {
            (!Path::new(&format!("/proc/{child}")).exists()).then_some(())
        });
    }
}

/// User time, in ticks.
fn spent(pid: u32) -> Option<u64> {
    let stat = proc_file(pid, "stat")?;
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(11)?.parse().ok()
}

#[test]
fn a_daemon_that_ends_leaves_no_process_behind() {
    for mode in ["none", "hang", "destroy-hang"] {
        let den = den(mode);
        let mut daemon = den.start();
        daemon.until("started");
        let child = eventually("the process is there", || {
            all_children(daemon.pid()).first().copied()
        });

        let (status, _) = daemon.terminate();

        assert!(status.success());
        eventually("the process is gone", || {
            (!Path::new(&format!("/proc/{child}")).exists()).then_some(())
        });
    }
}

#[test]
fn a_process_is_started_again_and_none_stays_undead() {
    let den = den("exit");
    let mut daemon = den.start();

    daemon.until("; it is started again");
    // After one and four seconds.
    daemon.until("chaos: quarantined for 60 s");

    eventually("all are buried", || {
        all_children(daemon.pid()).is_empty().then_some(())
    });
    assert_eq!(children(daemon.pid(), den.library.path()), [0; 0]);
}

#[test]
fn a_module_that_is_switched_off_leaves_no_process_behind() {
    for mode in ["none", "hang"] {
        let den = den(mode);
        let mut daemon = den.start();
        daemon.until("started");
        eventually("the process is there", || {
            all_children(daemon.pid()).first().copied()
        });
        let child = only_child(&daemon);

        den.configure(QUICK, "");
        daemon.send(Signal::HUP);
        daemon.until("configuration reloaded");

        eventually("it is gone", || {
            (!Path::new(&format!("/proc/{child}")).exists()).then_some(())
        });
        eventually("no other is left", || {
            all_children(daemon.pid()).is_empty().then_some(())
        });
    }
}

//! Clients that are slow, greedy or broken: neither a scan nor another client waits for them.

use std::collections::VecDeque;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Uid, getrlimit, prlimit};
use rustix::thread::set_thread_res_uid;
use serde_json::Value;

use crate::daemon::process::{Running, eventually, proc_file};
use crate::faults::bench::Bench;

const INFO: &[u8] = b"{\"method\": \"org.varlink.service.GetInfo\"}\0";

fn connect(bench: &Bench) -> UnixStream {
    let stream = UnixStream::connect(bench.home.path("run/control")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream
}

fn reply(stream: &mut UnixStream) -> Value {
    let mut text = Vec::new();
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte).unwrap();
        match byte {
            [0] => return serde_json::from_slice(&text).unwrap(),
            [byte] => text.push(byte),
        }
    }
}

fn assert_is_answered(bench: &Bench) {
    // A thousand others stand in line, and each has to go before the next one is heard.
    let mut stream = eventually("the socket has room", || {
        UnixStream::connect(bench.home.path("run/control")).ok()
    });
    stream.write_all(INFO).unwrap();
    assert_eq!(reply(&mut stream)["parameters"]["product"], "adaptivemmd");
}

fn assert_scans_go_on(daemon: &mut Running) {
    daemon.take_said();
    for _ in 0..3 {
        daemon.until("vm.watermark_scale_factor = 20: done");
    }
}

/// In KiB.
fn resident(daemon: &Running) -> u64 {
    let status = proc_file(daemon.pid(), "status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn it_describes_itself() {
    let bench = Bench::new("describes");
    let mut daemon = bench.daemon();
    daemon.until("done, was");
    let mut stream = connect(&bench);

    // Two at once, in pieces.
    stream.write_all(&INFO[..10]).unwrap();
    stream.write_all(&INFO[10..]).unwrap();
    stream
        .write_all(
            b"{\"method\": \"org.varlink.service.GetInterfaceDescription\", \
               \"parameters\": {\"interface\": \"io.adaptivemmd.Control\"}}\0",
        )
        .unwrap();

    let (info, description) = (reply(&mut stream), reply(&mut stream));
    assert_eq!(
        info["parameters"]["interfaces"],
        serde_json::json!(["org.varlink.service", "io.adaptivemmd.Control"])
    );
    let description = description["parameters"]["description"].as_str().unwrap();
    assert!(
        description.contains("\ninterface io.adaptivemmd.Control\n"),
        "{description}"
    );
}

#[test]
fn who_floods_it_gets_nothing_and_costs_nothing() {
    let bench = Bench::new("floods");
    let mut daemon = bench.daemon();
    daemon.until("done, was");
    let before = resident(&daemon);

    // A message without an end: it is cut off long before a gigabyte.
    let mut endless = connect(&bench);
    let lump = vec![b'x'; 1 << 20];
    let sent = (0..1024)
        .take_while(|_| endless.write_all(&lump).is_ok())
        .count();
    // Questions without end, and nobody who takes the answers.
    let mut deaf = connect(&bench);
    deaf.set_nonblocking(true).unwrap();
    let mut asked = 0;
    while deaf.write_all(INFO).is_ok() {
        asked += 1;
        assert!(asked < 1_000_000, "it reads on and on");
    }
    // Half a message, a thousand times; and what is no message.
    let halves: Vec<UnixStream> = (0..1000)
        .map(|_| {
            let mut half = connect(&bench);
            let _dropped = half.write_all(&INFO[..20]);
            half
        })
        .collect();
    let mut garbage = connect(&bench);
    garbage.write_all(b"hello\0").unwrap();
    let mut rest = Vec::new();
    garbage.read_to_end(&mut rest).unwrap();

    assert!(sent < 8, "{sent} MiB");
    assert_eq!(rest, b"");
    assert_is_answered(&bench);
    assert_scans_go_on(&mut daemon);
    let grown = resident(&daemon).saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB more");
    drop(halves);
}

#[test]
fn who_asks_and_never_listens_costs_nothing_and_keeps_nobody_waiting() {
    let bench = Bench::new("askers");
    let mut daemon = bench.daemon();
    daemon.until("done, was");
    let status = b"{\"method\": \"io.adaptivemmd.Control.Status\"}\0";
    // The first answer is the one that is remembered.
    let mut first = connect(&bench);
    first.write_all(status).unwrap();
    assert_eq!(reply(&mut first)["parameters"]["pid"], daemon.pid());
    let before = resident(&daemon);

    // A thousand that ask a thousand times each, and do not listen.
    let mut deaf = Vec::new();
    for _ in 0..1000 {
        let stream = connect(&bench);
        stream.set_nonblocking(true).unwrap();
        let asked = (0..1000).take_while(|_| (&stream).write_all(status).is_ok());
        assert!(asked.count() <= 1000);
        deaf.push(stream);
    }

    assert_is_answered(&bench);
    assert_scans_go_on(&mut daemon);
    let grown = resident(&daemon).saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB more");
    drop(deaf);
}

#[test]
fn the_socket_goes_with_the_daemon_and_one_that_was_left_over_is_replaced() {
    let bench = Bench::new("socket");
    std::fs::create_dir_all(bench.home.path("run")).unwrap();
    std::fs::write(bench.home.path("run/control"), "left over").unwrap();

    let mut daemon = bench.daemon();
    daemon.until("done, was");
    assert_is_answered(&bench);
    daemon.terminate();

    assert!(!bench.home.path("run/control").exists());
}

/// Connects and hangs up without end, from as many threads.
struct Flood {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<u64>>,
}

impl Flood {
    fn start(bench: &Bench, threads: usize, keep: usize) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let path = bench.home.path("run/control");
        let thread = |_| {
            let (is_over, path) = (Arc::clone(&is_over), path.clone());
            thread::spawn(move || {
                become_nobody();
                let mut count = 0;
                let mut kept = VecDeque::new();
                while !is_over.load(Ordering::Relaxed) {
                    if let Ok(stream) = UnixStream::connect(&path) {
                        count += 1;
                        kept.push_back(stream);
                        if kept.len() > keep {
                            kept.pop_front();
                        }
                    }
                }
                count
            })
        };
        let threads = (0..threads).map(thread).collect();
        Self { is_over, threads }
    }

    /// How often they connected.
    fn end(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    }
}

/// Only this thread is another user from now on.
fn become_nobody() {
    if rustix::process::geteuid().is_root() {
        let nobody = Uid::from_raw(65534);
        set_thread_res_uid(nobody, nobody, nobody).unwrap();
    }
}

#[test]
fn root_is_answered_while_others_connect_without_end() {
    let bench = Bench::new("connects");
    for directory in [bench.home.path(""), bench.home.path("machine")] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut daemon = bench.daemon();
    daemon.until("done, was");

    for keep in [0, 100] {
        let flood = Flood::start(&bench, 4, keep);
        for arguments in [["status"], ["reload"], ["status"], ["restore"], ["resume"]] {
            // It waits for 60 s, and says so if that was too short.
            let output = bench.command(&arguments).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        }
        assert!(flood.end() > 1000, "it was a flood");
    }
    assert_scans_go_on(&mut daemon);
}

#[test]
fn a_place_is_kept_for_root() {
    let bench = Bench::new("places");
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can be two users");
        return;
    }
    for directory in [bench.home.path(""), bench.home.path("machine")] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut daemon = bench.daemon();
    daemon.until("done, was");
    let mut root = connect(&bench);
    root.write_all(INFO).unwrap();
    assert_eq!(reply(&mut root)["parameters"]["product"], "adaptivemmd");
    let path = bench.home.path("run/control");

    let others = thread::spawn(move || {
        become_nobody();
        (0..200)
            .map(|_| UnixStream::connect(&path).unwrap())
            .collect::<Vec<_>>()
    });
    let others = others.join().unwrap();
    let mut second = connect(&bench);

    for stream in [&mut second, &mut root] {
        stream.write_all(INFO).unwrap();
        assert_eq!(reply(stream)["parameters"]["product"], "adaptivemmd");
    }
    drop(others);
}

/// How long a process has worked, in ticks of 10 ms.
fn ticks(daemon: &Running) -> u64 {
    let stat = proc_file(daemon.pid(), "stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let times = fields.split(' ').skip(11).take(2);
    times.map(|time| time.parse::<u64>().unwrap()).sum()
}

#[test]
fn without_a_descriptor_for_another_client_it_waits_instead_of_trying_without_end() {
    let bench = Bench::new("descriptors");
    let mut daemon = bench.daemon();
    daemon.until("done, was");
    let open = || {
        let directory = format!("/proc/{}/fd", daemon.pid());
        fs::read_dir(directory).unwrap().count() as u64
    };
    let limit = |current| {
        let pid = Pid::from_raw(i32::try_from(daemon.pid()).unwrap());
        let maximum = getrlimit(Resource::Nofile).maximum;
        prlimit(pid, Resource::Nofile, Rlimit { current, maximum }).unwrap()
    };
    let before = limit(Some(open()));
    let waiting: Vec<UnixStream> = (0..3).map(|_| connect(&bench)).collect();

    let worked = ticks(&daemon);
    thread::sleep(Duration::from_secs(3));
    let worked = ticks(&daemon) - worked;
    limit(before.current);
    drop(waiting);

    // It is one thread that would work for all of these 300.
    assert!(worked < 100, "{worked} ticks");
    assert_is_answered(&bench);
    assert_eq!(daemon.terminate().0.code(), Some(0));
}

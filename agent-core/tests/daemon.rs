//! The daemon as a process: signals, the lock, the background, its clock and what it leaves behind.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![allow(
    clippy::disallowed_methods,
    reason = "looks at real processes, their files and their time"
)]

#[path = "daemon/machine.rs"]
mod machine;
#[path = "daemon/process.rs"]
mod process;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use machine::Machine;
use process::{Home, PATIENCE, Running, eventually, proc_file};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, Signal, getsid, kill_process};
use serde_json::Value;

const QUICK: &str = "period-secs = 0.1";
const QUICK_AND_OPEN: &str = "period-secs = 0.1\nlog-target = \"stderr\"";

/// What was said, without the time of day.
fn untimed(lines: &[String]) -> Vec<&str> {
    let untimed = |line: &String| {
        let (time, _) = line.split_at_checked(9)?;
        time.ends_with(' ').then_some(())?;
        Some(line.len() - time.len())
    };
    let texts = lines.iter().map(|line| match untimed(line) {
        Some(rest) => &line[line.len() - rest..],
        None => line.as_str(),
    });
    texts.collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn holder(home: &Home) -> u32 {
    let number = fs::read_to_string(home.path("run/lock")).unwrap();
    number.trim().parse().unwrap()
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(number.try_into().unwrap()).unwrap()
}

/// How often a process has waited; a daemon that scans waits every period.
fn waits(number: u32) -> u64 {
    let status = proc_file(number, "status").unwrap();
    let mut counts = status
        .lines()
        .filter_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    counts.next().unwrap().trim().parse().unwrap()
}

fn scans_go_on(number: u32) {
    let before = waits(number);
    eventually("it goes on scanning", || {
        (waits(number) > before + 3).then_some(())
    });
}

/// A log daemon that keeps what it is told.
struct LogDaemon(UnixDatagram);

impl LogDaemon {
    fn listen(home: &Home) -> Self {
        let socket = UnixDatagram::bind(home.path("log")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// The next message, without its prefix.
    fn next(&self) -> String {
        let mut buffer = [0; 4096];
        let length = self.0.recv(&mut buffer).unwrap();
        let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
        message.split_once("]: ").unwrap().1.to_owned()
    }

    fn until(&self, text: &str) -> Vec<String> {
        let mut told = vec![self.next()];
        while !told.last().unwrap().contains(text) {
            told.push(self.next());
        }
        told
    }
}

/// A daemon in the background, which nobody else would end.
struct InBackground(u32);

impl InBackground {
    fn of(home: &Home) -> Self {
        Self(holder(home))
    }

    fn send(&self, signal: Signal) {
        kill_process(pid(self.0), signal).unwrap();
    }

    /// Whether it runs. A process that nobody waits for is a zombie first.
    fn is_alive(&self) -> bool {
        let state = proc_file(self.0, "stat")
            .and_then(|stat| stat.rsplit_once(") ").map(|(_, rest)| rest[..1].to_owned()));
        state.is_some_and(|state| state != "Z")
    }

    fn is_gone(&self) {
        eventually("it ends", || (!self.is_alive()).then_some(()));
    }
}

impl Drop for InBackground {
    fn drop(&mut self) {
        if self.is_alive() {
            let _gone = kill_process(pid(self.0), Signal::KILL);
        }
    }
}

#[test]
fn sigterm_and_sigint_end_it_cleanly_with_a_last_word() {
    for signal in [Signal::TERM, Signal::INT] {
        let home = Home::new(QUICK_AND_OPEN, "");
        let mut daemon = home.start(&["--foreground"]);
        daemon.until("started");

        daemon.send(signal);
        let (status, said) = daemon.end();

        assert_eq!(
            (
                status.code(),
                untimed(&said).as_slice(),
                File::open(home.path("run/lock")).is_ok()
            ),
            (
                Some(0),
                [
                    format!(
                        "info    core: adaptivemmd {} started: a scan every 0.1 s, modules: memleak",
                        env!("CARGO_PKG_VERSION")
                    )
                    .as_str(),
                    "info    core: ended"
                ]
                .as_slice(),
                true
            ),
        );
    }
}

#[test]
fn a_reload_takes_over_period_and_verbosity_and_a_module_that_stays_the_same_keeps_its_baseline() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let machine = Machine::new(&home, 100);
    let mut daemon = home.start(&["--foreground", "-vv", "--root", machine.root()]);
    daemon.until("classic formula 100.0 MiB, baseline 100.0 MiB");
    machine.lose(300);
    daemon.until("classic formula 300.0 MiB, baseline 100.0 MiB");

    home.configure(
        "period-secs = 0.2\nlog-target = \"stderr\"\nmax-late = 7",
        "",
    );
    daemon.send(Signal::HUP);
    daemon.until("core: configuration reloaded: a scan every 0.2 s, modules: memleak");
    daemon.until("classic formula 300.0 MiB, baseline 100.0 MiB");

    let changed = "[modules.memleak.config]\nmin-growth-percent = 2.0";
    home.configure(QUICK_AND_OPEN, changed);
    daemon.send(Signal::HUP);
    daemon.until("core: configuration reloaded: a scan every 0.1 s, modules: memleak");
    daemon.until("classic formula 300.0 MiB, baseline 300.0 MiB");

    assert_eq!(daemon.terminate().0.code(), Some(0));
}

#[test]
fn a_reload_changes_the_verbosity() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let mut daemon = home.start(&["--foreground"]);
    daemon.until("started");

    home.configure(&format!("{QUICK_AND_OPEN}\nverbosity = 4"), "");
    daemon.send(Signal::HUP);
    daemon.until("configuration reloaded");
    daemon.until("core: scan ");
    home.configure(QUICK_AND_OPEN, "");
    daemon.send(Signal::HUP);
    daemon.until("configuration reloaded");
    scans_go_on(daemon.pid());
    let (_, said) = daemon.terminate();

    let last = untimed(&said[said.len() - 2..]);
    assert_eq!(
        last,
        [
            "info    core: configuration reloaded: a scan every 0.1 s, modules: memleak",
            "info    core: ended"
        ]
    );
}

#[test]
fn a_bad_configuration_is_not_reloaded_and_it_says_so() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let mut daemon = home.start(&["--foreground"]);
    daemon.until("started");

    home.configure("period-sec = 3\nlog-target = \"stderr\"\nverbosity = 9", "");
    daemon.send(Signal::HUP);
    daemon.until("stays in force");
    scans_go_on(daemon.pid());
    let (status, said) = daemon.terminate();

    let file = home.path("adaptivemmd.toml");
    let file = file.display();
    assert_eq!(
        (status.code(), &untimed(&said)[1..]),
        (
            Some(0),
            [
                format!("error   core: {file}:5:1: error: unknown setting `period-sec` in `[core]`").as_str(),
                format!(
                    "error   core: {file}:7:13: error: `verbosity` must be a whole number from 0 to 5, found 9"
                )
                .as_str(),
                "error   core: configuration not reloaded, the old one stays in force: 2 errors in it",
                "info    core: ended",
            ]
            .as_slice()
        )
    );
}

#[test]
fn it_ends_however_often_it_is_told_to_reload_while_it_scans() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let machine = Machine::new(&home, 100);
    let zoneinfo = machine.path("proc/zoneinfo");
    fs::remove_file(&zoneinfo).unwrap();
    mknodat(CWD, &zoneinfo, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let mut daemon = home.start(&["--foreground", "--root", machine.root()]);
    daemon.until("started");

    // The first scan now waits for a writer of this file.
    for _ in 0..50 {
        daemon.send(Signal::HUP);
        let signals_are_taken = || {
            let pending = proc_file(daemon.pid(), "status")?;
            let pending = pending
                .lines()
                .find_map(|line| line.strip_prefix("ShdPnd:"))?;
            (pending.trim() == "0000000000000000").then_some(())
        };
        eventually("the signal is taken", signals_are_taken);
    }
    daemon.send(Signal::TERM);
    let _writer = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&zoneinfo)
        .unwrap();
    let (status, said) = daemon.end();

    assert_eq!(
        (status.code(), untimed(&said).last().copied()),
        (Some(0), Some("info    core: ended"))
    );
}

#[test]
fn a_second_instance_is_refused_with_the_number_of_the_first() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let mut first = home.start(&["--foreground"]);
    first.until("started");

    for arguments in [["--foreground"].as_slice(), &["--once"]] {
        let second = home.command(arguments).output().unwrap();

        let refusal = format!(
            "adaptivemmd: another one is already running, as process {}\n",
            first.pid()
        );
        assert_eq!((second.status.code(), stderr(&second)), (Some(1), refusal));
    }
}

#[test]
fn a_daemon_in_the_background_must_have_somewhere_to_log() {
    let home = Home::new(QUICK_AND_OPEN, "");

    let output = home.command(&[]).output().unwrap();

    let refusal = "adaptivemmd: log-target is \"stderr\", which a daemon in the background has not: \
                   use --foreground, or another log-target\n";
    assert_eq!(
        (output.status.code(), stderr(&output).as_str()),
        (Some(78), refusal)
    );
}

#[test]
fn a_second_instance_in_the_background_is_refused_too() {
    let home = Home::new(QUICK, "");
    let _log = LogDaemon::listen(&home);
    let first = home.command(&[]).output().unwrap();
    let pid = holder(&home);

    let second = home.command(&[]).output().unwrap();

    kill_process(self::pid(pid), Signal::TERM).unwrap();
    let refusal = format!("adaptivemmd: another one is already running, as process {pid}\n");
    assert_eq!(first.status.code(), Some(0));
    assert_eq!((second.status.code(), stderr(&second)), (Some(1), refusal));
}

#[test]
fn the_lock_is_free_after_kill_9() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let mut first = home.start(&["--foreground"]);
    first.until("started");

    first.send(Signal::KILL);
    let (status, _) = first.end();
    let mut second = home.start(&["--foreground"]);
    second.until("started");

    assert_eq!((status.code(), holder(&home)), (None, second.pid()));
}

#[test]
fn it_goes_into_the_background_after_the_first_scan_and_leaves_the_terminal() {
    let home = Home::new(&format!("{QUICK}\nverbosity = 4"), "");
    let log = LogDaemon::listen(&home);

    // This ends only when nobody holds the other end of standard output and standard error.
    let caller = home.command(&[]).output().unwrap();
    let daemon = InBackground::of(&home);
    log.0.set_nonblocking(true).unwrap();
    let told = [log.next(), log.next(), log.next()];
    log.0.set_nonblocking(false).unwrap();

    assert_eq!(
        (
            caller.status.code(),
            caller.stdout.as_slice(),
            stderr(&caller)
        ),
        (Some(0), b"".as_slice(), String::new())
    );
    assert!(told[0].starts_with("core: adaptivemmd "), "{told:?}");
    assert!(told[1].starts_with("memleak: "), "{told:?}");
    assert!(told[2].starts_with("core: scan 1 took "), "{told:?}");
    assert_eq!(getsid(Some(pid(daemon.0))), Ok(pid(daemon.0)));
    let link = |name: &str| fs::read_link(format!("/proc/{}/{name}", daemon.0)).unwrap();
    eventually("it leaves the terminal", || {
        let links = ["cwd", "fd/0", "fd/1", "fd/2"].map(link);
        let gone = ["/", "/dev/null", "/dev/null", "/dev/null"].map(PathBuf::from);
        (links == gone).then_some(())
    });

    daemon.send(Signal::TERM);
    assert_eq!(log.until("ended").last().unwrap(), "core: ended");
    daemon.is_gone();
}

#[test]
fn in_the_background_it_still_finds_its_files_by_the_paths_that_it_was_given() {
    let home = Home::new(QUICK, "");
    let machine = Machine::new(&home, 100);
    let log = LogDaemon::listen(&home);
    let caller = Command::new(env!("CARGO_BIN_EXE_adaptivemmd"))
        .args(["-c", "adaptivemmd.toml", "--root", "machine"])
        .current_dir(home.path(""))
        .env_remove("NOTIFY_SOCKET")
        .output()
        .unwrap();
    assert_eq!(
        (caller.status.code(), stderr(&caller)),
        (Some(0), String::new())
    );
    let daemon = InBackground::of(&home);

    home.configure("period-secs = 0.1\nverbosity = 2", "");
    machine.lose(200);
    daemon.send(Signal::HUP);
    log.until("core: configuration reloaded: a scan every 0.1 s, modules: memleak");
    let told = log.until("memleak: ");
    daemon.send(Signal::TERM);
    log.until("core: ended");

    assert!(
        told.last()
            .unwrap()
            .ends_with("(classic formula 200.0 MiB, baseline 100.0 MiB)"),
        "{told:?}"
    );
}

#[test]
fn a_bad_configuration_is_told_to_the_caller_with_status_78() {
    let home = Home::new("period-secs = 0.01", "");
    let file = home.path("adaptivemmd.toml");

    for arguments in [["-d"].as_slice(), &["--once"], &["-s"], &["snapshot"], &[]] {
        let output = home.command(arguments).output().unwrap();

        assert_eq!(
            (output.status.code(), stderr(&output)),
            (
                Some(78),
                format!(
                    "adaptivemmd: {}:5:15: error: `period-secs` must be a number from 0.1 to 3600, found 0.01\n\
                     \x20   5 | period-secs = 0.01\n\
                     \x20     |               ^^^^\n",
                    file.display()
                )
            ),
            "{arguments:?}"
        );
    }
    assert!(!home.path("run").exists());
}

#[test]
fn bad_usage_has_status_2() {
    for arguments in [
        ["--nonsense"].as_slice(),
        &["nonsense"],
        &["-a", "4"],
        &["--json"],
        &["record"],
    ] {
        let output = Home::new("", "").command(arguments).output().unwrap();

        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains("For more information, try '--help'"));
    }
}

#[test]
fn systemd_keeps_it_in_the_foreground() {
    let home = Home::new(QUICK, "");
    let log = LogDaemon::listen(&home);
    let daemon = Running::start(home.command(&[]).env("NOTIFY_SOCKET", "/nonexistent"));

    log.until("started");

    assert_eq!(holder(&home), daemon.pid());
    let (status, said) = daemon.terminate();
    assert_eq!((status.code(), said), (Some(0), Vec::new()));
    log.until("core: ended");
}

#[test]
fn systemd_without_a_log_daemon_is_told_on_standard_error() {
    let home = Home::new(QUICK, "");
    let mut daemon = Running::start(home.command(&[]).env("NOTIFY_SOCKET", "/nonexistent"));

    daemon.until("started");

    assert_eq!(daemon.terminate().0.code(), Some(0));
}

#[test]
fn a_missing_log_daemon_hurts_nobody() {
    let home = Home::new(QUICK, "");

    let caller = home.command(&[]).output().unwrap();
    let daemon = InBackground::of(&home);
    scans_go_on(daemon.0);

    assert_eq!(
        (caller.status.code(), stderr(&caller)),
        (Some(0), String::new())
    );
    daemon.send(Signal::TERM);
    daemon.is_gone();
}

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

#[test]
fn a_simulation_takes_no_lock_and_writes_nothing() {
    let home = Home::new(QUICK, "");
    let can_trace = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .output();
    let is_traced = can_trace.is_ok_and(|output| output.status.success());
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

#[test]
fn once_scans_once() {
    let home = Home::new(QUICK, "");
    let machine = Machine::new(&home, 100);

    let output = home
        .command(&["--once", "--root", machine.root()])
        .output()
        .unwrap();

    let said: Vec<String> = stderr(&output).lines().map(str::to_owned).collect();
    let statuses = untimed(&said)
        .iter()
        .filter(|line| line.contains("memleak: "))
        .count();
    assert_eq!((output.status.code(), statuses), (Some(0), 1), "{said:?}");
}

#[test]
fn once_as_json_is_a_snapshot() {
    let home = Home::new(QUICK, "");
    let machine = Machine::new(&home, 100);
    let print = |arguments: &[&str]| {
        let output = home.command(arguments).output().unwrap();
        assert_eq!(
            (output.status.code(), stderr(&output)),
            (Some(0), String::new())
        );
        String::from_utf8(output.stdout).unwrap()
    };

    let recorded = print(&["--once", "--json", "--root", machine.root()]);
    let live = print(&["--once", "--json"]);

    assert_eq!(recorded, print(&["snapshot", "--root", machine.root()]));
    let shapes = [live, print(&["snapshot"])].map(|text| shape(&text.parse().unwrap()));
    assert_eq!(shapes[0], shapes[1]);
    let keys: Vec<_> = recorded
        .parse::<Value>()
        .unwrap()
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(keys, ["snapshot", "modules"]);
}

/// The keys of all objects. Numbers are left out, and so are findings: memory moves.
fn shape(value: &Value) -> Vec<String> {
    let Value::Object(object) = value else {
        return Vec::new();
    };
    let below = |(key, value): (&String, &Value)| {
        let rest = shape(value)
            .into_iter()
            .map(move |path| format!("{key}.{path}"));
        std::iter::once(key.clone()).chain(rest).collect::<Vec<_>>()
    };
    object.iter().flat_map(below).collect()
}

#[test]
fn a_terminal_that_is_closed_does_not_end_it() {
    let home = Home::new(&format!("{QUICK}\nverbosity = 5"), "");
    let (log, stderr) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).unwrap();
    let mut command = home.command(&["-d"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap();
    // The command holds the other end too.
    drop(command);
    eventually("it has the lock", || {
        (home.path("run/lock").exists() && holder(&home) == child.id()).then_some(())
    });

    drop(log);
    scans_go_on(child.id());
    kill_process(pid(child.id()), Signal::TERM).unwrap();

    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_terminal_that_was_never_open_does_not_keep_it_from_starting() {
    let home = Home::new(&format!("{QUICK}\nverbosity = 5"), "");
    let program = home.command(&["-d"]);
    let mut child = Command::new("sh")
        .args(["-c", "exec \"$@\" <&- >&- 2>&-", "sh"])
        .arg(program.get_program())
        .args(program.get_args())
        .spawn()
        .unwrap();
    eventually("it has the lock", || {
        home.path("run/lock").exists().then_some(())
    });

    scans_go_on(child.id());
    kill_process(pid(child.id()), Signal::TERM).unwrap();

    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn scans_do_not_drift() {
    let home = Home::new(&format!("{QUICK_AND_OPEN}\nverbosity = 4"), "");
    let mut daemon = home.start(&["--foreground"]);
    daemon.until("core: scan 1 took ");
    let start = Instant::now();

    let mut scans = 0;
    while start.elapsed() < Duration::from_secs(3) {
        daemon.until("core: scan ");
        scans += 1;
    }

    assert!((28..=32).contains(&scans), "{scans} scans in 3 s");
}

#[test]
fn frames_are_stamped_on_a_grid() {
    let trace = Home::new("", "")
        .command(&["record", "--period-ms", "100", "--frames", "20", "-"])
        .output()
        .unwrap();

    let text = String::from_utf8(trace.stdout).unwrap();
    let frames = text
        .lines()
        .skip(1)
        .map(|line| line.parse::<Value>().unwrap());
    let stamps: Vec<u64> = frames
        .map(|frame| frame["t_ms"].as_u64().unwrap())
        .collect();
    let gaps = stamps.windows(2).map(|pair| pair[1] - pair[0]);
    // A machine that is busy elsewhere may miss a point of the grid, but never leave the grid.
    let points: u64 = gaps.clone().map(|gap| (gap + 50) / 100).sum();
    let whole = stamps[19] - stamps[0];

    assert_eq!((stamps.len(), stamps[0]), (20, 0));
    assert!((19..=21).contains(&points), "{stamps:?}");
    assert!((points * 98..=points * 102).contains(&whole), "{stamps:?}");
}

#[test]
fn each_kernel_file_is_open_once_and_nothing_piles_up() {
    let home = Home::new(&format!("{QUICK_AND_OPEN}\nverbosity = 4"), "");
    let mut daemon = home.start(&["--foreground"]);
    daemon.until("core: scan 1 took ");
    let early = descriptors(daemon.pid());

    daemon.until("core: scan 20 took ");
    let late = descriptors(daemon.pid());

    assert_eq!(early, late);
    for file in ["/proc/meminfo", "/proc/vmstat", "/proc/zoneinfo"] {
        assert_eq!(late.get(file), Some(&1), "{late:?}");
    }
    let kernel_files = late
        .iter()
        .filter(|(path, _)| path.starts_with("/proc/") || path.starts_with("/sys/"));
    assert!(
        kernel_files.clone().all(|(_, count)| *count == 1),
        "{late:?}"
    );
}

/// What a process has open, and how often.
fn descriptors(number: u32) -> BTreeMap<String, usize> {
    let mut open = BTreeMap::new();
    for entry in fs::read_dir(Path::new("/proc").join(number.to_string()).join("fd")).unwrap() {
        let entry = entry.unwrap();
        let path = fs::read_link(entry.path())
            .unwrap()
            .to_string_lossy()
            .into_owned();
        *open.entry(path).or_default() += 1;
    }
    open
}

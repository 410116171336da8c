//! Files that a module needs and that block, are huge, or are none: they cost that module, and nobody else.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use crate::daemon::process::{Running, eventually};
use crate::hang;
use crate::loading::place::Place;

/// A machine whose `/proc/odd` a module needs; another module needs nothing.
struct Bench {
    place: Place,
    tree: PathBuf,
}

impl Bench {
    fn new(test: &str) -> Self {
        let place = Place::new(&format!("files-{test}"));
        let tree = place.make_directory("tree");
        fs::create_dir_all(tree.join("proc")).unwrap();
        fs::write(tree.join("proc/meminfo"), "MemTotal: 1024 kB\n").unwrap();
        let seen = "do { if (*scans == 2 && amm_unavailable(snapshot, \"/proc/odd\") == 110) amm_say_finding(sink, \
                    AMM_SEVERITY_NOTICE, \"late\", \"sees that it was not in time\", NULL, 0); } while (0)";
        place.install(
            "odd.so",
            &[
                ("NEEDS", "AMM_S(AMM_NEED_MEMINFO), AMM_S(\"/proc/odd\")"),
                ("ANOTHER", "AMM_S(\"steady\")"),
                ("COUNT", "2"),
                ("SCANNING", seen),
            ],
        );
        Self { place, tree }
    }

    fn configure(&self, core: &str) {
        let directory = self.place.path("modules");
        let core = format!(
            "period-secs = 0.1\nlog-target = \"stderr\"\nmodule-dir = \"{}\"\n{core}",
            directory.display()
        );
        self.place.home.configure(&core, "");
    }

    fn command(&self) -> Command {
        let root = self.tree.to_str().unwrap();
        self.place.command(&["--root", root, "--foreground"])
    }

    /// What a command says of the daemon, which runs below the tree.
    fn asked(&self, command: &[&str]) -> Output {
        let root = ["--root", self.tree.to_str().unwrap()];
        let arguments = [&root[..], command].concat();
        self.place.command(&arguments).output().unwrap()
    }

    fn status(&self) -> Value {
        let output = self.asked(&["status", "--json"]);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What `status` says of a module, under this name.
    fn of_module<'s>(status: &'s Value, module: &str) -> &'s Value {
        let modules = status["modules"].as_array().unwrap();
        let found = modules.iter().find(|each| each["name"] == module);
        found.unwrap()
    }

    /// Makes sure that scans go on, and that the module that needs nothing is well.
    fn assert_goes_on(&self) {
        let before = self.status()["scans"].as_u64().unwrap();
        let status = eventually("scans go on", || {
            let status = self.status();
            (status["scans"].as_u64().unwrap() > before + 3).then_some(status)
        });
        assert_eq!(
            Self::of_module(&status, "steady")["state"],
            "running",
            "{status}"
        );
    }
}

/// A daemon in which every reading of `/proc/odd` takes for ever.
fn hanging(bench: &Bench) -> Running {
    let mut command = bench.command();
    command.env("LD_PRELOAD", hang::library(&bench.tree));
    Running::start(command.env("HANG_PATH", "/proc/odd"))
}

fn quarantined(daemon: &mut Running) -> String {
    daemon.until("variant: quarantined for 60 s")
}

#[test]
fn a_file_that_hangs_costs_its_module_and_neither_scans_nor_status_nor_the_end() {
    let bench = Bench::new("hang");
    bench.configure("");
    fs::write(bench.tree.join("proc/odd"), "1\n").unwrap();
    let mut daemon = hanging(&bench);

    daemon.until("variant: sees that it was not in time");
    let why = quarantined(&mut daemon);
    bench.assert_goes_on();
    let status = bench.status();
    let metrics = bench.asked(&["metrics"]);
    let (ended, said) = daemon.terminate();

    assert!(
        why.ends_with("/proc/odd could not be read within 1000 ms, in 3 scans"),
        "{why}"
    );
    let times = said
        .iter()
        .filter(|line| line.contains("quarantined"))
        .count();
    assert_eq!(times, 1, "{said:#?}");
    assert_eq!(Bench::of_module(&status, "variant")["state"], "quarantined");
    let metrics = String::from_utf8(metrics.stdout).unwrap();
    for module in ["steady", "variant"] {
        for unit in ["seconds", "bytes"] {
            let line = format!("adaptivemmd_module_files_{unit}_total{{module=\"{module}\"}} 0.0");
            assert!(
                metrics.lines().any(|each| each == line),
                "{line}: {metrics}"
            );
        }
    }
    assert!(ended.success());
}

#[test]
fn a_file_that_hangs_is_not_read_by_ever_more_threads() {
    let bench = Bench::new("threads");
    bench.configure("");
    fs::write(bench.tree.join("proc/odd"), "1\n").unwrap();
    let mut daemon = hanging(&bench);
    daemon.until("started: ");
    let threads = || {
        fs::read_dir(format!("/proc/{}/task", daemon.pid()))
            .unwrap()
            .count()
    };
    let before = eventually("it reads", || {
        let names = fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap();
        let names = names.map(|task| fs::read_to_string(task.unwrap().path().join("comm")));
        let is_there = names.flatten().any(|name| name == "files\n");
        is_there.then(threads)
    });

    for budget in [7, 8, 9] {
        bench.configure(&format!("module-files-ms = {budget}"));
        let reloaded = bench.asked(&["reload"]);
        assert!(reloaded.status.success(), "{reloaded:?}");
    }

    assert!(threads() <= before, "{} after {before}", threads());
    daemon.terminate();
}

#[test]
fn a_file_that_is_huge_is_not_read_and_its_module_is_quarantined_unless_it_may() {
    let bench = Bench::new("huge");
    bench.configure("module-files-ms = 10_000");
    fs::write(bench.tree.join("proc/odd"), vec![b'1'; 3 << 20]).unwrap();
    let mut daemon = Running::start(&mut bench.command());

    daemon.until("cannot read /proc/odd: it exceeds the limit of a scan");
    let why = quarantined(&mut daemon);
    bench.assert_goes_on();

    for part in [" 1024 KiB ", "/proc/odd", " 3 scans"] {
        assert!(why.contains(part), "{part} is not in {why}");
    }

    bench.configure("module-files-kib = 4096\nmodule-files-ms = 10_000");
    let reloaded = bench.asked(&["reload"]);
    assert!(reloaded.status.success(), "{reloaded:?}");
    let files = eventually("it is read", || {
        let status = bench.status();
        let variant = Bench::of_module(&status, "variant");
        (variant["files"]["bytes"] == 3 << 20).then(|| variant.clone())
    });
    let screen = bench.asked(&["status"]);
    let screen = String::from_utf8(screen.stdout).unwrap();
    daemon.terminate();

    assert_eq!(files["state"], "running", "{files}");
    assert!(
        files["files"]["seconds_total"].as_f64() > Some(0.0),
        "{files}"
    );
    assert!(
        screen.contains("files        variant: 3.0 MiB in "),
        "{screen}"
    );
}

#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let bench = Bench::new("fifo");
    bench.configure("");
    fs::remove_file(bench.tree.join("proc/meminfo")).unwrap();
    for name in ["proc/odd", "proc/meminfo"] {
        let mode = Mode::from_raw_mode(0o644);
        mknodat(CWD, bench.tree.join(name), FileType::Fifo, mode, 0).unwrap();
    }
    let mut daemon = Running::start(&mut bench.command());

    daemon.until("cannot read /proc/meminfo: it is not a regular file");
    daemon.until("cannot read /proc/odd: it is not a regular file");
    bench.assert_goes_on();
    let (ended, _) = daemon.terminate();

    assert!(ended.success());
}

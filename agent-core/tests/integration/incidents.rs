//! What is kept of a leak, from the daemon's first suspicion to the file that is handed on.
#![allow(
    clippy::disallowed_methods,
    reason = "plays the kernel, which writes these files"
)]
#![cfg(feature = "memleak")]

mod holders;
mod terminal;

use crate::cc;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;

use crate::daemon::machine::Machine;
use crate::daemon::process::{Home, Running, eventually};

const CORE: &str = "period-secs = 0.1\nlog-target = \"stderr\"\nverbosity = 1";
/// One detector, which does not mind scans that are late on a busy machine.
const MODULE: &str =
    "[modules.memleak.config]\nclassic = false\ntrend = false\njump = false\nlevel-percent = 5.0";
const REPORT: &str = "Possible memory leak (level)";
const LEAKY: &str = "drivers/net/leaky.c:42 [leaky] func:leaky_alloc";

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A daemon on a machine of which somebody holds 100 MiB that nobody accounts for.
struct Bench {
    home: Home,
    machine: Machine,
}

impl Bench {
    fn new() -> Self {
        Self::with_core(CORE)
    }

    fn with_core(core: &str) -> Self {
        let home = Home::new(core, MODULE);
        let machine = Machine::new(&home, 100);
        fs::create_dir_all(machine.path("proc/sys/kernel/random")).unwrap();
        machine.write(
            "proc/sys/kernel/random/boot_id",
            "021614d5-dbd6-4d4d-8a2c-4c0d7aec5a7f\n",
        );
        machine.write("proc/sys/kernel/hostname", "oak\n");
        machine.write("proc/sys/kernel/osrelease", "6.12.0-test\n");
        machine.write("proc/allocinfo", &allocinfo(1));
        Self { home, machine }
    }

    fn daemon(&self) -> Running {
        let root = self.machine.root();
        self.home.start(&["--root", root, "--foreground"])
    }

    /// Lets the daemon take evidence, loses memory, and waits until that is kept.
    fn leak(&self, daemon: &mut Running) {
        self.wait_for_evidence();
        self.machine.write("proc/allocinfo", &allocinfo(601));
        self.machine.lose(700);
        daemon.until("memleak: incident ");
    }

    /// Lets the daemon take evidence.
    fn wait_for_evidence(&self) {
        eventually("evidence of before", || {
            let files = fs::read_dir(self.state("evidence")).ok()?;
            files.flatten().find_map(|boot| {
                let mut evidence = fs::read_dir(boot.path()).ok()?;
                evidence.next().map(drop)
            })
        });
    }

    fn state(&self, name: &str) -> PathBuf {
        let below = self.home.path("state").join(name);
        self.machine
            .path(below.to_str().unwrap().trim_start_matches('/'))
    }

    fn incidents(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let root = ["--root", self.machine.root(), "incidents"];
        let output = self.home.command(&[&root, arguments].concat()).output();
        let Output {
            status,
            stdout,
            stderr,
        } = output.unwrap();
        let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
        (status.code(), stdout, stderr)
    }

    fn record(&self, arguments: &[&str]) -> Value {
        let (code, text, complaints) = self.incidents(&[&["show", "--json"], arguments].concat());
        assert_eq!(code, Some(0), "{complaints}");
        serde_json::from_str(&text).unwrap()
    }
}

/// Of a kernel that counts for each line of its source how much that holds.
fn allocinfo(mib: u64) -> String {
    let bytes = mib << 20;
    format!(
        "allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n{bytes:>12} {:>8} {LEAKY}\n\
         {:>12} {:>8} mm/filemap.c:1919 func:__filemap_get_folio\n",
        bytes >> 12,
        5 << 20,
        5 << 8,
    )
}

#[test]
fn a_leak_is_kept_with_its_owner_and_can_be_shown_and_handed_on() {
    let bench = Bench::new();
    let mut daemon = bench.daemon();

    bench.leak(&mut daemon);
    let (status, said) = daemon.terminate();

    assert!(status.success(), "{said:#?}");
    let told = said
        .iter()
        .find(|line| line.contains("memleak: incident "))
        .unwrap();
    assert!(
        told.contains("accounts for 100 % of") && told.contains("drivers/net/leaky.c:42"),
        "{told}"
    );
    let (code, list, _) = bench.incidents(&[]);
    assert_eq!(code, Some(0));
    assert!(list.contains(REPORT), "{list}");
    assert!(
        list.contains("explains 100 % of it (/proc/allocinfo)"),
        "{list}"
    );
    let (_, page, _) = bench.incidents(&["show"]);
    assert!(
        page.contains("drivers/net/leaky.c:42") && page.contains("oak"),
        "{page}"
    );
    let (_, html, _) = bench.incidents(&["show", "--html"]);
    assert!(
        html.starts_with("<!DOCTYPE html>") && html.contains("drivers/net/leaky.c:42"),
        "{html}"
    );

    let record = bench.record(&[]);
    assert_eq!(record["machine"]["kernel"], "6.12.0-test");
    assert_eq!(record["comparison"]["growth_bytes"], 600 << 20);
    let history = record["history"]["columns"]["unaccounted_exact_bytes"]
        .as_array()
        .unwrap();
    let bytes = |value: Option<&Value>| -> u64 {
        let printed = value.unwrap().to_string();
        printed.trim_end_matches(".0").parse().unwrap()
    };
    let (before, now) = (bytes(history.first()), bytes(history.last()));
    assert_eq!(now - before, 600 << 20);
    let id = record["id"].as_str().unwrap();
    let file = bench.home.path("incident.tar.zst");
    let (code, _, complaints) =
        bench.incidents(&["export", "--redact", id, file.to_str().unwrap()]);
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut handed_on = Vec::new();
    zstd::Decoder::new(fs::File::open(&file).unwrap())
        .unwrap()
        .read_to_end(&mut handed_on)
        .unwrap();
    let handed_on = String::from_utf8_lossy(&handed_on);
    assert!(handed_on.contains("drivers/net/leaky.c:42"));
    assert!(
        !handed_on.contains("oak"),
        "the name of the host is left out"
    );
}

#[test]
fn the_scans_before_and_after_can_be_replayed() {
    let bench = Bench::new();
    let mut daemon = bench.daemon();
    bench.leak(&mut daemon);
    let id = bench.record(&[])["id"].as_str().unwrap().to_owned();
    let place = bench.state("incidents").join(id);

    eventually("the scans after it", || {
        place.join("after.jsonl.zst").exists().then_some(())
    });
    daemon.terminate();

    for trace in ["before.jsonl.zst", "after.jsonl.zst"] {
        let trace = place.join(trace);
        let output = bench
            .home
            .command(&["replay", "-v", "-v", trace.to_str().unwrap()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("700.0 MiB unaccounted"), "{text}");
    }
}

#[test]
fn a_leak_after_a_restart_is_held_against_the_time_before_it() {
    let bench = Bench::new();
    let mut daemon = bench.daemon();
    daemon.until("started");
    bench.wait_for_evidence();
    let (status, _) = daemon.terminate();
    assert!(status.success());
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let restarted: f64 = uptime.split(' ').next().unwrap().parse().unwrap();

    let mut daemon = bench.daemon();
    bench.leak(&mut daemon);
    daemon.terminate();

    let record = bench.record(&[]);
    let seconds = |value: &Value| value.as_f64().unwrap() / 1000.0;
    assert!(seconds(&record["history"]["uptime_ms"][0]) < restarted);
}

#[test]
fn what_cannot_be_kept_is_told_with_what_explains_it() {
    let bench = Bench::new();
    fs::create_dir_all(bench.state("")).unwrap();
    fs::write(bench.state("incidents"), "in the way").unwrap();
    let mut daemon = bench.daemon();

    bench.leak(&mut daemon);
    let (status, said) = daemon.terminate();

    assert!(status.success());
    let told: Vec<&String> = said
        .iter()
        .filter(|line| line.contains("memleak: incident "))
        .collect();
    assert_eq!(told.len(), 1, "{said:#?}");
    assert!(
        told[0].contains("error") && told[0].contains("cannot be written to"),
        "{told:?}"
    );
    assert!(told[0].contains("drivers/net/leaky.c:42"), "{told:?}");
}

#[test]
fn with_none_to_be_kept_nothing_is_and_reports_are_as_ever() {
    let bench = Bench::new();
    bench
        .home
        .configure(&format!("{CORE}\nmax-incidents = 0"), MODULE);
    let mut daemon = bench.daemon();
    daemon.until("started");
    bench.machine.lose(700);

    daemon.until(REPORT);
    daemon.terminate();

    assert!(!bench.state("incidents").exists());
    assert!(!bench.state("evidence").exists());
}

#[test]
fn asking_for_what_is_not_there_says_so() {
    let bench = Bench::new();

    let (code, list, _) = bench.incidents(&[]);
    assert_eq!(code, Some(0));
    assert!(list.starts_with("there is no incident in "), "{list}");
    let (code, _, complaint) = bench.incidents(&["show", "2026"]);
    assert_eq!(code, Some(1));
    assert!(
        complaint.contains("there is no incident in "),
        "{complaint}"
    );
    let place = bench.state("incidents/20260101-000000-memleak");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("incident.json"), "{").unwrap();
    let (code, _, complaint) = bench.incidents(&["list"]);
    assert_eq!(code, Some(1));
    assert!(
        complaint.contains("cannot read incident 20260101-000000-memleak: "),
        "{complaint}"
    );
}

#[test]
fn whether_an_incident_is_open_is_said_to_programs_and_a_restart_of_the_machine_ends_it() {
    let bench = Bench::new();
    let mut daemon = bench.daemon();
    bench.leak(&mut daemon);
    assert!(daemon.terminate().0.success());

    let record = bench.record(&[]);
    assert_eq!(record["state"], "open");
    assert_eq!(record["looked_at"], record["told"][0]["at"]);
    assert_eq!(record["first_reported"], record["told"][0]["at"]);
    let (_, list, _) = bench.incidents(&[]);
    assert!(list.contains("-memleak  open, last looked at 20"), "{list}");

    bench.machine.write(
        "proc/sys/kernel/random/boot_id",
        "00000000-dbd6-4d4d-8a2c-4c0d7aec5a7f\n",
    );
    assert_eq!(bench.record(&[])["state"], "restarted");
    let (_, list, _) = bench.incidents(&["list", "--json"]);
    let listed: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(listed["state"], "restarted");
    let (_, list, _) = bench.incidents(&[]);
    assert!(
        list.contains("ended with a restart of the machine"),
        "{list}"
    );
}

#[test]
fn an_export_replaces_no_file_unless_that_is_forced() {
    let bench = Bench::new();
    let mut daemon = bench.daemon();
    bench.leak(&mut daemon);
    assert!(daemon.terminate().0.success());
    let file = bench.home.path("mine");
    fs::write(&file, "precious").unwrap();
    let path = file.to_str().unwrap();

    let (code, _, complaint) = bench.incidents(&["export", "2", path]);
    assert_eq!(code, Some(1));
    assert!(
        complaint.contains("exists already; --force replaces it"),
        "{complaint}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");

    let (code, _, complaint) = bench.incidents(&["export", "--force", "2", path]);
    assert_eq!(code, Some(0), "{complaint}");
    assert!(
        fs::read(&file)
            .unwrap()
            .starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
    );
}

/// The same, with a module that has the same incident twice.
fn bench_with_a_module_of_somebody_else() -> Bench {
    let bench = Bench::new();
    let directory = fs::canonicalize(cc::workshop("incidents-again")).unwrap();
    let module = directory.join("again.so");
    let include = format!("-I{TOP}/module-api/include");
    let source = format!("{TOP}/tests/modules/again.c");
    let usual = ["-std=gnu99", "-shared", "-fPIC", "-fvisibility=hidden"];
    let files = [&include, &source, "-o", cc::shown(&module)];
    cc::run("cc", usual.into_iter().chain(files)).unwrap();
    fs::set_permissions(&module, fs::Permissions::from_mode(0o755)).unwrap();
    let path = module.display();
    let config = format!("{MODULE}\n[modules.again]\npath = \"{path}\"\nisolation = \"none\"");
    bench.home.configure(CORE, &config);
    bench
}

#[test]
fn the_second_incident_of_a_name_is_kept_like_the_first_and_drawn_as_its_modules_own() {
    let bench = bench_with_a_module_of_somebody_else();
    let mut daemon = bench.daemon();
    for _ in 0..2 {
        daemon.until("again: the pool has room again");
    }
    let (_, said) = daemon.terminate();

    let (_, list, _) = bench.incidents(&["list", "--json"]);
    let lines = list.lines().map(|line| serde_json::from_str(line).unwrap());
    let incidents: Vec<Value> = lines
        .filter(|line: &Value| line["module"] == "again")
        .collect();
    assert_eq!(incidents.len(), 2, "{list}");
    let ids = incidents.iter().map(|line| line["id"].as_str().unwrap());
    for id in ids.clone() {
        let place = bench.state("incidents").join(id);
        for trace in ["before.jsonl.zst", "after.jsonl.zst"] {
            let packed = fs::read(place.join(trace));
            let packed = packed.unwrap_or_else(|error| panic!("{trace} of {id}: {error}"));
            let text = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
            let scans = text.lines().count() - 1;
            assert!(scans > 1, "{trace} of {id}: {text}");
        }
    }
    for id in ids {
        let record = bench.record(&[id]);
        let classes = record["comparison"]["growth"].as_array().unwrap();
        let sizes = classes
            .iter()
            .map(|class| class["after_bytes"].as_i64().unwrap());
        assert!(
            sizes.clone().count() > 1 && sizes.max() < Some(1 << 40),
            "only memleak says how large classes of memory are: {record}"
        );
        let over = format!("again: incident {id} is over");
        assert!(said.iter().any(|line| line.contains(&over)), "{said:#?}");
        let (code, page, _) = bench.incidents(&["show", id]);
        assert_eq!(code, Some(0));
        assert!(page.contains("pool_bytes over time"), "{page}");
        for of_memleak in ["ernel stacks", "naccounted", "explains"] {
            assert!(!page.contains(of_memleak), "{page}");
        }
    }
}

#[test]
fn status_names_an_incident_that_is_open_also_after_a_restart_of_the_daemon() {
    let bench = Bench::new();
    let status = || {
        let root = ["--root", bench.machine.root(), "status"];
        let output = bench.home.command(&root).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let mut daemon = bench.daemon();
    bench.leak(&mut daemon);
    let told = status();
    assert!(told.contains("memleak: leak open since 20"), "{told}");
    assert!(daemon.terminate().0.success());

    let mut daemon = bench.daemon();
    let line = daemon.until("has been open since ");

    let id = bench.record(&[])["id"].as_str().unwrap().to_owned();
    let hint = format!("see `adaptivemmd incidents show {id}`");
    assert!(line.contains(&hint), "{line}");
    let told = status();
    assert!(told.contains("memleak: leak open since 20"), "{told}");
    daemon.terminate();
}

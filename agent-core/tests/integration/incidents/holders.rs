//! Who is told whose memory it is: root, live, and everybody else as far as the administrator wants.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Bench, CORE};
use crate::daemon::machine::Machine;
use crate::skip;

/// A program with 40 pipes, of which the daemon has not seen anything yet.
fn pipes(machine: &Machine) {
    let status = "Name:\tleaky\nVmPTE:\t 4 kB\nThreads:\t1\n";
    let descriptors = machine.path("proc/4711/fd");
    fs::create_dir_all(&descriptors).unwrap();
    machine.write("proc/4711/status", status);
    for fd in 3..43 {
        symlink(format!("pipe:[{fd}]"), descriptors.join(fd.to_string())).unwrap();
    }
}

/// All files below a directory, with what they hold.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}

/// Makes sure that the page names who holds the memory, and nothing that is stored or handed on does.
fn assert_pages(bench: &Bench) {
    let (_, page, _) = bench.incidents(&["show", "--html"]);
    assert!(
        page.contains("pipes of leaky<small>40 pipes, PID 4711"),
        "{page}"
    );
    for arguments in [
        &["show", "--stored"][..],
        &["show", "--redact"],
        &["show", "--html", "--stored"],
    ] {
        let (_, report, _) = bench.incidents(arguments);
        assert!(!report.contains("pipes of leaky"), "{arguments:?}");
    }
}

#[test]
fn root_sees_who_holds_the_memory_of_an_open_incident_now() {
    if !rustix::process::geteuid().is_root() {
        return skip::skip("not root, who alone looks");
    }
    let bench = Bench::new();
    let mut daemon = bench.daemon();
    bench.leak(&mut daemon);
    let status = |arguments: &[&str]| {
        let root = ["--root", bench.machine.root(), "status"];
        let output = bench.home.command(&[&root, arguments].concat()).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    pipes(&bench.machine);

    let on_screen = status(&[]);
    assert!(
        on_screen.contains("now, as root, of incident "),
        "{on_screen}"
    );
    assert!(!status(&["--stored"]).contains("now, as root"));
    let machine: Value = serde_json::from_str(&status(&["--json"])).unwrap();
    assert_eq!(
        machine["now"]["seen"]["holders"][1]["owner"],
        "pipes of leaky"
    );
    daemon.terminate();

    let kept = contents(&bench.state("incidents"));
    let (_, report, _) = bench.incidents(&["show"]);
    let (stored, now) = report
        .split_once("Now, as root (not the daemon's own evidence)")
        .unwrap();
    assert!(
        !stored.contains("leaky\n") && !stored.contains("pipes of leaky"),
        "{stored}"
    );
    assert!(
        now.contains("pipes of leaky (40 pipes, PID 4711): at most 40.0 MiB"),
        "{now}"
    );
    assert!(now.contains("what it held before is not known"), "{now}");
    let record = bench.record(&[]);
    assert_eq!(record["now"]["holders"][1]["note"], "40 pipes, PID 4711");
    assert!(record["now"]["taken"]["at"]["time"].is_string());
    assert_pages(&bench);
    assert_eq!(
        contents(&bench.state("incidents")),
        kept,
        "nothing is written"
    );

    bench.machine.write(
        "proc/sys/kernel/random/boot_id",
        "121614d5-dbd6-4d4d-8a2c-4c0d7aec5a7f\n",
    );
    assert!(bench.record(&[])["now"].is_null(), "of another boot");
}

/// What somebody sees of all that can be asked.
fn seen_by(bench: &Bench, user: u32) -> String {
    let stored = [
        "--root",
        bench.machine.root(),
        "status",
        "--json",
        "--stored",
    ];
    let metrics = ["--root", bench.machine.root(), "metrics"];
    let mut said = String::new();
    for arguments in [&stored[..], &metrics] {
        let mut command = bench.home.command(arguments);
        let output = command.uid(user).gid(user).output().unwrap();
        said += &String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    }
    for method in ["Status", "Incidents", "Modules", "Decisions", "Metrics"] {
        let socket = bench.home.path("run/control");
        let request = format!("{{\"method\": \"io.adaptivemmd.Control.{method}\"}}\\0");
        let script = format!(
            "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect({:?})\ns.sendall(b'{request}')\nb=b''\nwhile not \
             b.endswith(b'\\0'): b+=s.recv(65536)\nprint(b.decode())",
            socket.display().to_string()
        );
        let mut command = std::process::Command::new("python3");
        let output = command
            .args(["-c", &script])
            .uid(user)
            .gid(user)
            .output()
            .unwrap();
        assert!(output.status.success(), "{method}: {output:?}");
        said += &String::from_utf8(output.stdout).unwrap();
    }
    said
}

#[test]
fn whose_memory_it_is_everybody_is_told_as_far_as_the_administrator_wants() {
    if !rustix::process::geteuid().is_root() || !skip::has("python3", "python3") {
        return skip::skip("not root, who alone can ask as somebody else");
    }
    for (tell, has_program, has_process) in [
        ("", true, false),
        ("tell-owners = \"program\"\n", true, false),
        ("tell-owners = \"all\"\n", true, true),
        ("tell-owners = \"none\"\n", false, false),
    ] {
        let bench = Bench::with_core(&format!("{tell}{CORE}"));
        fs::remove_file(bench.machine.path("proc/allocinfo")).unwrap();
        let status = "Name:\tsecretprog\nVmPTE:\t 4 kB\nThreads:\t1\n";
        let descriptors = bench.machine.path("proc/4711/fd");
        fs::create_dir_all(&descriptors).unwrap();
        // Others have to get to the socket.
        fs::set_permissions(bench.home.path("."), fs::Permissions::from_mode(0o755)).unwrap();
        bench.machine.write("proc/4711/status", status);
        bench
            .machine
            .write("proc/4711/cgroup", "0::/system.slice/hush.service\n");
        let mut daemon = bench.daemon();
        bench.wait_for_evidence();
        for fd in 0..700 {
            symlink(format!("pipe:[{fd}]"), descriptors.join(fd.to_string())).unwrap();
        }
        bench.machine.lose(800);
        daemon.until("pipes of secretprog (700 pipes, PID 4711)");

        let (nobody, root) = (seen_by(&bench, 65_534), seen_by(&bench, 0));

        assert!(
            nobody.matches("at most").count() >= 3,
            "it is told at all: {nobody}"
        );
        assert_eq!(
            nobody.contains("secretprog"),
            has_program,
            "{tell}: {nobody}"
        );
        assert_eq!(nobody.contains("4711"), has_process, "{tell}: {nobody}");
        assert!(
            root.contains("pipes of secretprog (700 pipes, PID 4711)"),
            "{root}"
        );
    }
}

//! What a daemon changed that died before it could give it back.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::daemon::QUICK;
use crate::daemon::machine::Machine;
use crate::daemon::process::Home;
use crate::daemon::words::stderr;
use crate::skip::can_trace;

const WSF: &str = "proc/sys/vm/watermark_scale_factor";
const BOOT: &str = "6f2b7f6c-6f0a-4a7e-8f2d-2f4a3c1d9e10";

/// A machine on which a daemon of this boot died. It had raised the scale factor from 10 to 40.
fn machine_after_a_death(home: &Home, boot: &str) -> Machine {
    let machine = Machine::new(home, 100);
    for directory in ["proc/sys/vm", "proc/sys/kernel/random"] {
        fs::create_dir_all(machine.path(directory)).unwrap();
    }
    machine.write(WSF, "40\n");
    machine.write("proc/sys/kernel/random/boot_id", &format!("{BOOT}\n"));
    fs::create_dir_all(home.path("run")).unwrap();
    let entry = r#"{"original": "10", "ours": ["40", "20"]}"#;
    let ledger =
        format!(r#"{{"boot_id": "{boot}", "tunables": {{"vm.watermark_scale_factor": {entry}}}}}"#);
    fs::write(home.path("run/ledger.json"), ledger).unwrap();
    machine
}

fn value(machine: &Machine) -> String {
    let text = fs::read_to_string(machine.path(WSF)).unwrap();
    text.trim_end().to_owned()
}

fn restore(home: &Home, machine: &Machine) -> (Option<i32>, String) {
    let output = home
        .command(&["restore", "--root", machine.root()])
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn restore_gives_back_what_a_daemon_that_died_had_changed() {
    let home = Home::new(QUICK, "");
    let machine = machine_after_a_death(&home, BOOT);

    let first = restore(&home, &machine);
    let second = restore(&home, &machine);

    let given_back = "vm.watermark_scale_factor restored to 10\n";
    assert_eq!(
        (first, value(&machine).as_str()),
        ((Some(0), given_back.to_owned()), "10")
    );
    assert_eq!(second, (Some(0), "nothing to restore\n".to_owned()));
}

#[test]
fn restore_gives_back_whatever_is_wrong_with_the_configuration() {
    let wrong = format!("{QUICK}no-such-setting = 1\n");
    let home = Home::new(&wrong, "");
    let machine = machine_after_a_death(&home, BOOT);

    let restored = restore(&home, &machine);

    let given_back = "vm.watermark_scale_factor restored to 10\n";
    assert_eq!(
        (restored, value(&machine).as_str()),
        ((Some(0), given_back.to_owned()), "10")
    );
}

#[test]
fn restore_needs_nothing_of_the_configuration_but_the_runtime_directory() {
    // Without a configuration that can be read it is the one that is usual.
    let put_there: [fn(&Path); 4] = [
        |path| fs::write(path, "[core\nperiod-secs = ").unwrap(),
        |_| (),
        |path| fs::create_dir(path).unwrap(),
        |path| symlink("/dev/zero", path).unwrap(),
    ];
    for put in put_there {
        let home = Home::new(QUICK, "");
        let machine = machine_after_a_death(&home, BOOT);
        fs::create_dir_all(machine.path("run/adaptivemmd")).unwrap();
        let usual = machine.path("run/adaptivemmd/ledger.json");
        fs::rename(home.path("run/ledger.json"), usual).unwrap();
        fs::remove_file(home.path("adaptivemmd.toml")).unwrap();
        put(&home.path("adaptivemmd.toml"));

        let output = home
            .command(&["restore", "--root", machine.root()])
            .output()
            .unwrap();

        let said = stderr(&output);
        let looked = format!(
            "adaptivemmd: the configuration has errors (see `adaptivemmd check-config`); looking for changed tunables \
             in {}/run/adaptivemmd\n",
            machine.root()
        );
        assert_eq!(
            (output.status.code(), said, value(&machine).as_str()),
            (Some(0), looked, "10")
        );
    }
}

#[test]
fn what_the_daemon_of_this_machine_has_changed_is_not_for_a_tree() {
    let home = Home::new(QUICK, "");
    let machine = machine_after_a_death(&home, BOOT);
    // The daemon of this machine runs with that directory; and it has died as well.
    let ledger = home.path("elsewhere/ledger.json");
    fs::create_dir(home.path("elsewhere")).unwrap();
    fs::rename(home.path("run/ledger.json"), &ledger).unwrap();
    let before = fs::read(&ledger).unwrap();
    let config = home.path("adaptivemmd.toml");
    let text = fs::read_to_string(&config).unwrap();
    let [run, elsewhere] = ["run", "elsewhere"].map(|name| home.path(name).display().to_string());
    fs::write(&config, text.replace(&run, &elsewhere)).unwrap();

    let restored = restore(&home, &machine);
    for arguments in [
        ["--once"].as_slice(),
        &["status"],
        &["doctor"],
        &["modules"],
        &["incidents"],
    ] {
        let root = ["--root", machine.root()];
        home.command(&[arguments, &root].concat()).output().unwrap();
    }

    assert_eq!(restored, (Some(0), "nothing to restore\n".to_owned()));
    assert_eq!(value(&machine), "40");
    assert_eq!(fs::read(&ledger).unwrap(), before);
    assert_eq!(fs::read_dir(home.path("elsewhere")).unwrap().count(), 1);
}

#[test]
fn what_is_given_back_and_cannot_be_forgotten_is_said_to_be_both() {
    if !can_trace() {
        return;
    }
    let home = Home::new(QUICK, "");
    let machine = machine_after_a_death(&home, BOOT);
    let trace = home.path("trace");
    let output = Command::new("strace")
        .args(["-f", "-qq", "-e", "inject=unlink:error=EPERM", "-P"])
        .arg(home.path("run/ledger.json"))
        .arg("-o")
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_adaptivemmd"))
        .arg("-c")
        .arg(home.path("adaptivemmd.toml"))
        .args(["restore", "--root", machine.root()])
        .output()
        .unwrap();
    let later = restore(&home, &machine);

    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.starts_with(
            "vm.watermark_scale_factor restored to 10, but it stays in the ledger: the ledger cannot be written ("
        ),
        "{said}"
    );
    assert_eq!(
        (output.status.code(), value(&machine).as_str()),
        (Some(1), "10")
    );
    assert_eq!(later.0, Some(0));
}

#[test]
fn the_next_daemon_gives_it_back_before_its_first_scan() {
    let home = Home::new(QUICK, "");
    let machine = machine_after_a_death(&home, BOOT);

    let output = home
        .command(&["--once", "--root", machine.root()])
        .output()
        .unwrap();

    let said = stderr(&output);
    assert!(
        said.contains("notice  core: vm.watermark_scale_factor restored to 10"),
        "{said}"
    );
    assert_eq!(value(&machine), "10");
}

#[test]
fn a_simulation_gives_nothing_back() {
    let home = Home::new(QUICK, "");
    let machine = machine_after_a_death(&home, BOOT);

    home.command(&["--once", "-s", "--root", machine.root()])
        .output()
        .unwrap();

    assert_eq!(value(&machine), "40");
}

#[test]
fn values_of_an_earlier_boot_are_left_alone() {
    let home = Home::new(QUICK, "");
    let machine = machine_after_a_death(&home, "0c1f3a52-1d1e-4b6b-9d5e-0a8d5f3b7c21");

    let answer = restore(&home, &machine);

    assert_eq!(answer, (Some(0), "nothing to restore\n".to_owned()));
    assert_eq!(value(&machine), "40");
}

#[test]
fn a_tunable_that_cannot_be_written_stays_in_the_ledger() {
    let home = Home::new(QUICK, "");
    let machine = machine_after_a_death(&home, BOOT);
    fs::remove_file(machine.path(WSF)).unwrap();

    let failed = restore(&home, &machine);
    machine.write(WSF, "40\n");
    let later = restore(&home, &machine);

    assert_eq!(failed.0, Some(1));
    assert!(
        failed
            .1
            .starts_with("cannot restore vm.watermark_scale_factor to 10: "),
        "{}",
        failed.1
    );
    assert_eq!((later.0, value(&machine).as_str()), (Some(0), "10"));
}

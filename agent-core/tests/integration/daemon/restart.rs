//! What modules have learned outlives the daemon, and not the boot.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::daemon::QUICK;
use crate::daemon::machine::Machine;
use crate::daemon::process::Home;
use crate::daemon::words::stderr;

const BOOT_ID: &str = "proc/sys/kernel/random/boot_id";

/// A machine that was booted, and then has lost 100 MiB.
fn machine(home: &Home) -> Machine {
    let machine = Machine::new(home, 100);
    fs::create_dir_all(machine.path("proc/sys/kernel/random")).unwrap();
    machine.write(BOOT_ID, "021614d5-dbd6-4d4d-8a2c-4c0d7aec5a7f\n");
    machine
}

/// The state of memleak, below the root of the machine.
fn state(home: &Home, machine: &Machine) -> PathBuf {
    let directory = home.path("state/modules/memleak.state");
    machine.path(directory.strip_prefix("/").unwrap().to_str().unwrap())
}

/// What a daemon says that scans once.
fn said(home: &Home, machine: &Machine, arguments: &[&str]) -> String {
    let arguments = [&["--once", "--root", machine.root()], arguments].concat();
    let output = home.command(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stderr(&output)
}

#[test]
fn memory_that_leaked_before_a_restart_is_not_the_new_baseline() {
    for isolation in ["none", "process"] {
        let home = Home::new(
            QUICK,
            &format!("[modules.memleak]\nisolation = \"{isolation}\""),
        );
        let machine = machine(&home);
        let before = said(&home, &machine, &[]);
        assert!(before.contains("baseline 100.0 MiB"), "{before}");
        let mode = fs::metadata(state(&home, &machine))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);

        machine.lose(300);
        let after = said(&home, &machine, &[]);
        assert!(
            after.contains("(classic formula 300.0 MiB, baseline 100.0 MiB)"),
            "{after}"
        );

        machine.write(BOOT_ID, "5d1f0e3a-1111-4222-8333-444455556666\n");
        let booted = said(&home, &machine, &[]);
        assert!(
            booted.contains("(classic formula 300.0 MiB, baseline 300.0 MiB)"),
            "{booted}"
        );
    }
}

#[test]
fn a_state_that_makes_no_sense_is_set_aside_and_told() {
    let home = Home::new(QUICK, "");
    let machine = machine(&home);
    said(&home, &machine, &[]);
    let state = state(&home, &machine);
    let mut bytes = fs::read(&state).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&state, bytes).unwrap();

    let told = said(&home, &machine, &[]);

    assert!(
        told.contains("module memleak starts without its saved state"),
        "{told}"
    );
    assert!(
        told.contains("its checksum is wrong; the file is set aside"),
        "{told}"
    );
    assert!(state.with_extension("state.broken").exists());
    assert!(!said(&home, &machine, &[]).contains("without its saved state"));
}

#[test]
fn a_simulation_keeps_nothing() {
    let home = Home::new(QUICK, "");
    let machine = machine(&home);

    said(&home, &machine, &["-s"]);

    assert!(!state(&home, &machine).exists());
}

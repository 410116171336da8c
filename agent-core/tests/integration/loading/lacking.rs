//! Kernels that lack what isolation needs: what then runs, what is refused, and who is told.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use crate::cc;
use crate::daemon::process::{Running, started_by, without_capabilities};
use crate::loading::place::Place;
use crate::skip::skip;

const NO_LANDLOCK: &str = "this kernel has no Landlock";
const STAYS_ROOT: &str =
    "it would stay root and could read what belongs to root, as this kernel has no Landlock";
const NO_FILTER: &str = "cannot filter its system calls";

/// A kernel without one thing.
struct Kernel {
    lacks: &'static str,
    program: PathBuf,
}

impl Kernel {
    fn without(lacks: &'static str) -> Self {
        let directory = cc::workshop(&format!(
            "lacking-{lacks}-{:?}",
            std::thread::current().id()
        ));
        let program = directory.join("lacking");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/modules/lacking.c");
        cc::run("cc", [source, "-o", cc::shown(&program)]).unwrap();
        Self { lacks, program }
    }

    fn command(&self, plain: &Command) -> Command {
        started_by(cc::shown(&self.program), &[self.lacks], plain)
    }

    /// What a command prints, and says on standard error.
    fn said(&self, plain: &Command) -> String {
        let output = self.command(plain).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    }
}

fn place(test: &str, isolation: &str) -> Place {
    let place = Place::new(&format!("lacking-{test}"));
    place.install("variant.so", &[]);
    place.configure(&isolation_of(isolation));
    place
}

fn isolation_of(isolation: &str) -> String {
    format!("[modules.variant]\nisolation = \"{isolation}\"")
}

/// Whether a daemon can be started as in the unit.
fn is_root_or_skips() -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        skip("who is not root has no capabilities to lose");
    }
    is_root
}

/// With the rights of whoever runs this.
fn by_hand(plain: &Command) -> Command {
    started_by("env", &[], plain)
}

/// All who are asked say of the module that runs apart that it is refused, and why; the daemon goes on.
#[track_caller]
fn is_refused_and_told(kernel: &Kernel, place: &Place, why: &str, wrap: fn(&Command) -> Command) {
    for (arguments, also) in [
        (["modules"].as_slice(), "(refused)"),
        (&["doctor"], "problem"),
    ] {
        let plain = wrap(&place.command(arguments));
        let said = kernel.said(&plain);
        assert!(
            said.contains(why) && said.contains(also),
            "{arguments:?}: {said}"
        );
    }
    let plain = wrap(&place.command(&["--foreground"]));
    let mut daemon = Running::start(&mut kernel.command(&plain));
    daemon.until("started: ");
    let refused = format!("is refused: its process cannot drop its privileges: {why}");
    let said = daemon.take_said();
    assert!(said.iter().any(|line| line.contains(&refused)), "{said:?}");
}

#[test]
fn in_the_unit_of_a_kernel_without_landlock_a_module_in_a_process_is_refused() {
    if !is_root_or_skips() {
        return;
    }
    let kernel = Kernel::without("landlock");
    let place = place("unit", "process");

    is_refused_and_told(&kernel, &place, STAYS_ROOT, without_capabilities);
}

#[test]
fn in_the_unit_of_a_kernel_without_landlock_a_module_of_the_module_directory_is_loaded() {
    if !is_root_or_skips() {
        return;
    }
    let kernel = Kernel::without("landlock");
    let place = place("unit-here", "none");
    let plain = without_capabilities(&place.command(&["--foreground"]));

    let mut daemon = Running::start(&mut kernel.command(&plain));

    daemon.until("variant: this is version 1.0.0");
    let said = daemon.take_said();
    let lacks = said
        .iter()
        .filter(|line| line.contains(NO_LANDLOCK))
        .count();
    assert_eq!(lacks, 1, "{said:?}");
}

#[test]
fn nobody_runs_a_module_without_landlock_and_that_is_told_once() {
    if !geteuid().is_root() {
        skip("only root can become nobody");
        return;
    }
    let kernel = Kernel::without("landlock");
    let place = place("nobody", "process");

    let mut daemon = Running::start(&mut kernel.command(&place.command(&["--foreground"])));

    daemon.until("variant: this is version 1.0.0");
    let said = daemon.take_said();
    let lacks = said
        .iter()
        .filter(|line| line.contains(NO_LANDLOCK))
        .count();
    assert_eq!(lacks, 1, "{said:?}");
    let doctor = kernel.said(&place.command(&["doctor"]));
    assert!(doctor.contains(NO_LANDLOCK), "{doctor}");
    let file = place.path("modules/variant.so");
    let tested = kernel.said(&module_test(&file));
    assert!(tested.contains(NO_LANDLOCK), "{tested}");
}

#[test]
fn without_seccomp_a_module_in_a_process_is_refused_by_hand_as_well() {
    let kernel = Kernel::without("seccomp");
    let place = place("seccomp", "process");

    is_refused_and_told(&kernel, &place, NO_FILTER, by_hand);
    let file = place.path("modules/variant.so");
    let tested = kernel.said(&module_test(&file));
    assert!(tested.contains(NO_FILTER), "{tested}");
}

#[test]
fn without_seccomp_a_module_of_the_module_directory_is_loaded_and_that_is_told() {
    let kernel = Kernel::without("seccomp");
    let place = place("seccomp-here", "none");

    let mut daemon = Running::start(&mut kernel.command(&place.command(&["--foreground"])));

    daemon.until("variant: this is version 1.0.0");
    let said = daemon.take_said();
    assert!(
        said.iter()
            .any(|line| line.contains("cannot filter system calls: a module")),
        "{said:?}"
    );
}

fn module_test(file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adaptivemm-module-test"));
    command.arg(file);
    command
}

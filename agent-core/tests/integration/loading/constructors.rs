//! Libraries that do not do as they should when they are loaded.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::daemon::process::eventually;
use crate::loading::place::Place;

/// A module that does this when it is loaded is refused for this reason.
#[track_caller]
fn refused(test: &str, constructor: &str, reason: &str) {
    let place = Place::new(test);
    let file = place.install("bad.so", &[("CONSTRUCTOR", constructor)]);

    place.assert_refused(&file, reason);
}

#[test]
fn a_module_that_crashes_when_it_is_loaded_is_refused() {
    refused(
        "crashes",
        "__builtin_trap()",
        if cfg!(target_arch = "x86_64") {
            "its process died of signal 4 (SIGILL)"
        } else {
            "its process died of signal 5 (SIGTRAP)"
        },
    );
}

#[test]
fn what_a_module_said_before_it_ended_its_process_is_told() {
    refused(
        "exits",
        "if (write(2, \"no memory\\n\", 10) > 0) exit(3)",
        "its process exited with status 3; it said: no memory",
    );
}

#[test]
fn a_module_that_ends_its_process_as_if_all_were_well_is_refused() {
    refused("exits-well", "exit(0)", "its process exited with status 0");
}

#[test]
fn the_daemon_goes_on_without_modules_that_crash_end_or_hang_when_they_are_loaded() {
    let place = Place::new("goes-on");
    place.install("good.so", &[]);
    place.install("crashes.so", &[("CONSTRUCTOR", "abort()")]);
    place.install("exits.so", &[("CONSTRUCTOR", "_exit(1)")]);
    for file in ["hangs-1.so", "hangs-2.so", "hangs-3.so"] {
        place.install(file, &[("CONSTRUCTOR", "for (;;) pause()")]);
    }
    let start = Instant::now();

    let mut daemon = place.home.start(&["--foreground"]);
    daemon.until("variant: this is version 1.0.0");
    let took = start.elapsed();
    let said = daemon.take_said();
    let (status, _) = daemon.terminate();

    let refused = said
        .iter()
        .filter_map(|line| line.split_once(" is refused: "));
    let refused: Vec<_> = refused
        .map(|(file, why)| (file.rsplit('/').next().unwrap(), why))
        .collect();
    let hangs = "its process did not answer within 5 s";
    assert_eq!(
        (refused, status.code()),
        (
            vec![
                ("crashes.so", "its process died of signal 6 (SIGABRT)"),
                ("exits.so", "its process exited with status 1"),
                ("hangs-1.so", hangs),
                ("hangs-2.so", hangs),
                ("hangs-3.so", hangs),
            ],
            Some(0)
        )
    );
    assert!(took < Duration::from_secs(9), "{took:?}");
}

#[test]
fn a_signal_that_comes_while_modules_are_looked_for_is_received_later() {
    for (signal, ends) in [
        (Signal::TERM, true),
        (Signal::INT, true),
        (Signal::HUP, false),
    ] {
        let place = Place::new("early-signal");
        let begun = place.path("begun");
        let file = begun.display();
        let slow = format!("close(creat(\"{file}\", 0600)); sleep(2)");
        place.install("slow.so", &[("CONSTRUCTOR", &slow)]);
        let mut daemon = place.home.start(&["--foreground"]);
        eventually("the module is being loaded", || {
            begun.exists().then_some(())
        });

        daemon.send(signal);
        if !ends {
            daemon.until("configuration reloaded");
            daemon.send(Signal::TERM);
        }
        let (status, said) = daemon.end();

        assert_eq!(status.code(), Some(0), "{signal:?}: {said:?}");
        assert!(
            said.iter().any(|line| line.ends_with("core: ended")),
            "{said:?}"
        );
    }
}

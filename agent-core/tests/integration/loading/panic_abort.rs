//! A module that was built with panic=abort takes its process with it, so it must not be the daemon's.

use std::path::Path;
use std::process::Command;

use crate::loading::place::{Place, set_mode};

const WHY: &str = "it was built with panic=abort, so that a panic in it would end the daemon: build it anew, or set \
                   isolation = \"process\"";
const ABORTS: [(&str, &str); 1] = [("FLAGS", "AMM_ENABLED_BY_DEFAULT | AMM_PANIC_ABORTS")];

#[test]
fn a_module_that_aborts_is_refused_in_the_daemons_process() {
    let place = Place::new("panic-aborts");
    let file = place.install("variant.so", &ABORTS);

    let refusal = (format!("variant of {}", file.display()), WHY.to_owned());
    assert_eq!((place.loaded(), place.refused()), (vec![], vec![refusal]));
}

#[test]
fn a_module_that_aborts_is_taken_in_a_process_of_its_own() {
    let place = Place::new("panic-aborts-apart");
    place.install("variant.so", &ABORTS);
    place.configure("[modules.variant]\nisolation = \"process\"");

    assert_eq!(
        (place.loaded(), place.refused()),
        (vec!["variant".to_owned()], vec![])
    );
}

#[test]
fn a_module_in_rust_says_by_itself_that_it_aborts() {
    let place = Place::new("panic-aborts-rust");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("panic-abort");
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--package",
            "memory-pressure",
            "--locked",
            "--offline",
        ])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env("CARGO_PROFILE_DEV_PANIC", "abort")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        crate::loading::place::stderr(&output)
    );
    let file = place.path("modules/memory-pressure.so");
    std::fs::copy(target.join("debug/libmemory_pressure.so"), &file).unwrap();
    set_mode(&file, 0o755);

    let refusal = (
        format!("memory-pressure of {}", file.display()),
        WHY.to_owned(),
    );
    assert_eq!((place.loaded(), place.refused()), (vec![], vec![refusal]));
}

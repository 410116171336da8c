//! What the daemon has in its memory.

use crate::daemon::process::{Running, proc_file};
use crate::loading::place::Place;

/// Whether a file is mapped.
fn maps(daemon: &Running, name: &str) -> bool {
    proc_file(daemon.pid(), "maps").unwrap().contains(name)
}

#[test]
fn a_module_in_the_daemons_process_is_mapped_and_an_isolated_or_refused_one_is_not() {
    let place = Place::new("maps");
    place.install("here.so", &[("NAME", "AMM_S(\"here\")")]);
    place.install("apart.so", &[("NAME", "AMM_S(\"apart\")")]);
    place.install("refused.so", &[("NAME", "AMM_S(\"core\")")]);
    place.install("off.so", &[("NAME", "AMM_S(\"off\")"), ("FLAGS", "0")]);
    place.make_directory("elsewhere");
    let named = place.build("elsewhere/named.so", &[("NAME", "AMM_S(\"named\")")]);
    place.configure(&format!(
        "[modules.apart]\nisolation = \"process\"\n[modules.named]\npath = \"{}\"",
        named.display()
    ));

    let mut daemon = place.daemon();
    let started = daemon.take_said().pop().unwrap();
    for module in ["apart", "here", "named"] {
        daemon.until(&format!("{module}: this is version 1.0.0"));
    }

    assert!(
        started.ends_with("modules: apart, here, named"),
        "{started}"
    );
    let mapped =
        ["here.so", "apart.so", "named.so", "refused.so", "off.so"].map(|file| maps(&daemon, file));
    assert_eq!(mapped, [true, false, false, false, false]);
}

//! Files that change while the daemon runs: it looks at them when it is told to reload.

use std::fs;

use rustix::process::Signal;

use crate::daemon::process::{Running, eventually};
use crate::loading::place::Place;

const RELOADED: &str = "configuration reloaded: ";

/// Tells the daemon to reload, and waits until it has scanned twice. Returns what it said meanwhile, without
/// the time of day.
fn reload(daemon: &mut Running) -> Vec<String> {
    daemon.take_said();
    daemon.send(Signal::HUP);
    daemon.until(RELOADED);
    // The first of these scans may have begun before.
    daemon.until("core: scan ");
    daemon.until("core: scan ");
    let said = daemon.take_said();
    let untimed = said.iter().map(|line| line["00:00:00 ".len()..].to_owned());
    untimed
        .filter(|line| !line.contains("core: scan "))
        .collect()
}

/// The daemon, which says when it has scanned.
fn start(place: &Place) -> Running {
    let mut daemon = place.home.start(&["--foreground", "-vvvv"]);
    daemon.until("started: ");
    daemon.until("core: scan ");
    daemon
}

const NEW: [(&str, &str); 1] = [("VERSION", "\"2.0.0\"")];
const APART: &str = "[modules.variant]\nisolation = \"process\"";
const GOES_ON: &str = "info    core: configuration reloaded: a scan every 0.1 s, modules: variant";

#[test]
fn a_module_in_the_daemons_process_goes_on_as_it_is_when_its_file_is_replaced_and_it_says_so() {
    let place = Place::new("replaced-here");
    let file = place.install("variant.so", &[]);
    let mut daemon = start(&place);
    place.install("variant.so", &NEW);

    let said = [reload(&mut daemon), reload(&mut daemon)];

    let note = format!(
        "notice  core: {} was replaced since it was loaded; what it holds now is used once the daemon is started \
         anew",
        file.display()
    );
    assert_eq!(said, [[note.as_str(), GOES_ON], [&note, GOES_ON]]);
}

#[test]
fn an_isolated_module_whose_file_is_replaced_runs_anew_from_the_new_file() {
    let place = Place::new("replaced-apart");
    place.install("variant.so", &[]);
    place.configure(APART);
    let mut daemon = start(&place);
    place.install("variant.so", &NEW);

    let said = [reload(&mut daemon), reload(&mut daemon)];

    let new = "notice  variant: this is version 2.0.0";
    assert_eq!(said, [vec![GOES_ON, new], vec![GOES_ON]]);
}

#[test]
fn an_isolated_module_runs_anew_even_if_its_new_file_says_the_same_of_itself() {
    let place = Place::new("rebuilt-apart");
    place.install("variant.so", &[]);
    place.configure(APART);
    let mut daemon = start(&place);
    place.install("variant.so", &[]);

    let said = reload(&mut daemon);

    assert_eq!(said, [GOES_ON, "notice  variant: this is version 1.0.0"]);
}

#[test]
fn a_module_that_is_isolated_from_now_on_runs_from_the_file_that_is_there_now() {
    let place = Place::new("isolated-later");
    place.install("variant.so", &[]);
    let mut daemon = start(&place);
    place.install("variant.so", &NEW);
    place.configure(APART);

    let said = reload(&mut daemon);

    assert_eq!(said, [GOES_ON, "notice  variant: this is version 2.0.0"]);
}

#[test]
fn an_isolated_module_that_breaks_down_does_not_come_back_as_another() {
    let place = Place::new("replaced-and-dead");
    place.install("variant.so", &[("SCANNING", "if (*scans == 9) abort()")]);
    place.configure(APART);
    let mut daemon = start(&place);
    place.install("variant.so", &NEW);

    daemon.until("variant: its process died of signal 6 (SIGABRT); it is started again");
    let gone = "its file has changed since it was inspected; reload to use it";
    daemon.until(&format!(
        "variant: quarantined for 60 s, or until a reload (SIGHUP): {gone}"
    ));
    let said = reload(&mut daemon);

    assert_eq!(said[0], GOES_ON);
    assert!(
        said.contains(&"notice  variant: this is version 2.0.0".to_owned()),
        "{said:?}"
    );
}

#[test]
fn a_module_that_is_installed_or_removed_while_the_daemon_runs_comes_and_goes_with_a_reload() {
    let place = Place::new("comes-and-goes");
    place.install("here.so", &[("NAME", "AMM_S(\"here\")")]);
    place.install("apart.so", &[("NAME", "AMM_S(\"apart\")")]);
    place.configure("[modules.apart]\nisolation = \"process\"");
    let mut daemon = start(&place);

    let variant = place.install("variant.so", &[]);
    let came = reload(&mut daemon);
    fs::remove_file(variant).unwrap();
    let went = reload(&mut daemon);

    let reloaded = "info    core: configuration reloaded: a scan every 0.1 s, modules: apart, here";
    let with_it = format!("{reloaded}, variant");
    assert_eq!(
        (came, went),
        (
            vec![with_it, "notice  variant: this is version 1.0.0".to_owned()],
            vec![reloaded.to_owned()]
        )
    );
}

#[test]
fn a_module_whose_new_file_is_bad_is_told_and_the_others_go_on() {
    let place = Place::new("replaced-by-a-bad-one");
    place.install("here.so", &[("NAME", "AMM_S(\"here\")")]);
    let file = place.install("variant.so", &[]);
    place.configure(APART);
    let mut daemon = start(&place);
    place.install("variant.so", &[("MAGIC", "0")]);

    let mut said = reload(&mut daemon);

    // That its table of the configuration is now for nobody is told, too.
    said.retain(|line| !line.starts_with("warning") && !line.contains("not installed"));
    assert_eq!(
        said,
        [
            format!(
                "error   core: module {} is refused: its adaptivemm_module_entry does not return a module set \
                 (magic 0x00000000)",
                file.display()
            ),
            "info    core: configuration reloaded: a scan every 0.1 s, modules: here".to_owned(),
        ]
    );
}

#[test]
fn a_module_that_was_removed_is_no_longer_listed() {
    let place = Place::new("removed-and-listed");
    let file = place.install("variant.so", &[]);
    let mut daemon = start(&place);
    fs::remove_file(file).unwrap();
    reload(&mut daemon);

    eventually("it is gone", || place.loaded().is_empty().then_some(()));
}

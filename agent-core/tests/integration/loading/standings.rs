//! `adaptivemmd modules` while a daemon runs: how each module stands, and why.

use crate::daemon::process::eventually;
use crate::loading::listing::company;
use crate::loading::place::Place;

/// How a module stands, and why.
fn stand(place: &Place, name: &str) -> (String, Option<String>) {
    let listed = place.listed_json();
    let modules = listed["modules"].as_array().unwrap();
    let module = modules
        .iter()
        .find(|module| module["name"] == name)
        .unwrap();
    let text = |key: &str| module[key].as_str().map(str::to_owned);
    (text("state").unwrap(), text("why"))
}

#[test]
fn while_the_daemon_runs_it_says_how_each_module_stands() {
    let place = company("running");
    let _daemon = place.daemon();

    let stands = || {
        let stands = ["apart", "off", "on"].map(|name| stand(&place, name).0);
        (stands != ["enabled", "disabled", "enabled"]).then_some(stands)
    };

    assert_eq!(
        eventually("the daemon says how its modules stand", stands),
        ["running", "disabled", "running"]
    );
}

#[test]
fn once_the_daemon_has_ended_nothing_runs() {
    let place = company("ended");
    let daemon = place.daemon();
    eventually("it runs", || {
        (stand(&place, "on").0 == "running").then_some(())
    });
    daemon.terminate();

    assert_eq!(stand(&place, "on"), ("enabled".to_owned(), None));
}

#[test]
fn a_daemon_that_was_killed_leaves_no_false_word_behind() {
    let place = company("killed");
    let daemon = place.daemon();
    eventually("it runs", || {
        (stand(&place, "on").0 == "running").then_some(())
    });
    // It is killed.
    drop(daemon);

    assert_eq!(stand(&place, "on"), ("enabled".to_owned(), None));
}

#[test]
fn it_says_why_a_module_is_quarantined_or_does_not_do_its_work() {
    let place = Place::new("listing-quarantined");
    let broken = "return amm_say_problem(sink, NULL, \"out of luck\"), AMM_PANICKED";
    place.install(
        "broken.so",
        &[("NAME", "AMM_S(\"broken\")"), ("SCANNING", broken)],
    );
    let failing = "return amm_say_problem(sink, NULL, \"no luck today\"), AMM_FAILED";
    place.install(
        "failing.so",
        &[("NAME", "AMM_S(\"failing\")"), ("SCANNING", failing)],
    );
    let _daemon = place.daemon();

    let stands = || {
        let stands = ["broken", "failing"].map(|name| stand(&place, name));
        (stands[0].0 != "enabled").then_some(stands)
    };

    let quarantined = "for 60 s, or until a reload (SIGHUP): broke down: out of luck";
    assert_eq!(
        eventually("the daemon says how its modules stand", stands),
        [
            ("quarantined".to_owned(), Some(quarantined.to_owned())),
            ("failing".to_owned(), Some("no luck today".to_owned())),
        ]
    );
    assert!(place.listed().contains(&format!(
        "broken 1.0.0 (quarantined, no flag)\n  quarantined: {quarantined}\n"
    )));
}

#[test]
fn it_says_why_a_module_is_started_again_for_as_long_as_that_takes() {
    let place = Place::new("listing-restarting");
    place.install("variant.so", &[("SCANNING", "abort()")]);
    place.configure("[modules.variant]\nisolation = \"process\"");
    let mut daemon = place.home.start(&["--foreground", "-vvvv"]);
    daemon.until("it is started again");
    daemon.until("core: scan ");
    daemon.until("core: scan ");
    daemon.until("core: scan ");

    let why = "its process died of signal 6 (SIGABRT)";
    assert_eq!(
        stand(&place, "variant"),
        ("restarting".to_owned(), Some(why.to_owned()))
    );
}

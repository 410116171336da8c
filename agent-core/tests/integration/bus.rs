//! The bus and what follows it, with modules that hang, break down, talk too much or ask for too much.
#![allow(
    clippy::disallowed_methods,
    reason = "a deadline is about real time; the tunables are files of a test"
)]

mod bench;
mod deadlines;
mod failures;
mod modules;
mod output;
mod reloads;
mod requests;

use agent_core::modules::catalogue::{Registration, registrations};

#[test]
fn modules_of_a_program_are_found_next_to_those_of_the_daemon() {
    let (modules, refused) = registrations();

    let names: Vec<_> = modules.iter().map(Registration::name).collect();
    let known = [
        "asking",
        "failing",
        "flooding",
        "good",
        "panicking",
        "rival",
        "waiting",
        "zealous",
    ];

    let ours: Vec<_> = names
        .iter()
        .filter(|name| known.contains(name))
        .copied()
        .collect();
    assert_eq!((ours, refused.as_slice()), (known.to_vec(), [].as_slice()));
    assert!(names.is_sorted());
}

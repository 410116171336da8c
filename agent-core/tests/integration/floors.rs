//! The folders of the core are floors: each uses those above it in the list of `src/lib.rs`, and none below.
//!
//! `cargo test -p adaptivemmd --test integration floors:: -- --nocapture` prints the picture: floors, arrows that run back,
//! files in circles. `HOUSE=DIR` in front of it looks at the sources in another directory, such as those of another commit.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "reads the sources, and shows what they are like"
)]

mod graph;
mod sources;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use graph::{circles, floors};
use sources::{Sources, folder};

/// Arrows that may run back, as `file -> folder`; a longer list than three would be no exception any more.
const EXCEPTIONS: [&str; 0] = [];

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The folders in the order of the list in the documentation of the crate.
fn listed() -> Vec<String> {
    let text = std::fs::read_to_string(core().join("lib.rs")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("//! | `")?.split('`').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_folder_is_in_the_list() {
    let sources = Sources::read(&core());

    let mut folders = sources.folders();
    folders.retain(|folder| folder != "lib" && folder != "main");

    assert_eq!(folders, listed().into_iter().collect::<BTreeSet<_>>());
}

#[test]
fn a_folder_uses_those_above_it_in_the_list_and_none_below() {
    let order = listed();
    let place = |folder: &str| order.iter().position(|listed| listed == folder);

    let arrows = Sources::read(&core()).arrows();
    assert!(
        arrows.len() > 300,
        "only {} arrows were found",
        arrows.len()
    );
    let back: BTreeSet<String> = arrows
        .iter()
        .filter(|(from, to)| place(folder(from)) < place(folder(to)))
        .map(|(from, to)| format!("{from} -> {}", folder(to)))
        .collect();

    let allowed: BTreeSet<String> = EXCEPTIONS.map(str::to_owned).into_iter().collect();
    assert_eq!(back, allowed);
}

#[test]
fn the_picture() {
    let home = std::env::var_os("HOUSE").map_or_else(core, PathBuf::from);
    let arrows = Sources::read(&home).arrows();
    assert!(!arrows.is_empty(), "no arrow in {}", home.display());

    let rooms: BTreeSet<(String, String)> = arrows
        .iter()
        .map(|(from, to)| (folder(from).to_owned(), folder(to).to_owned()))
        .filter(|(from, to)| from != to)
        .collect();
    let tied = circles(&rooms);
    let back = rooms.iter().filter(|(from, to)| {
        tied.iter()
            .any(|circle| circle.contains(from) && circle.contains(to))
    });
    println!(
        "{} folders on {} floors, {} arrows between folders, {} of them in circles",
        rooms
            .iter()
            .flat_map(|(from, to)| [from, to])
            .collect::<BTreeSet<_>>()
            .len(),
        floors(&rooms),
        rooms.len(),
        back.count()
    );
    for circle in circles(&arrows) {
        println!(
            "a circle of {} files: {}",
            circle.len(),
            circle.into_iter().collect::<Vec<_>>().join(", ")
        );
    }
}

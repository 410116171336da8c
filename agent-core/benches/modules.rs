//! What it costs to call a module: linked in, loaded, through a thread, through a process; one and many.
//!
//! `cargo bench -p adaptivemmd --bench modules` prints a table, in half a minute and without root. With
//! `-- --check` it fails when a target is missed; with the name of a part (`ways`, `many`) it measures only
//! that. It needs a C compiler.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![allow(clippy::print_stdout, reason = "the tables are the result")]

#[path = "scan/clock.rs"]
#[allow(dead_code, reason = "shared with the other benchmark")]
mod clock;
#[path = "modules/many.rs"]
mod many;
#[path = "scan/memory.rs"]
#[allow(dead_code, reason = "shared with the other benchmark")]
mod memory;
#[path = "../../tests/common/workshop.rs"]
mod places;
#[path = "modules/ready.rs"]
mod ready;
#[path = "scan/table.rs"]
mod table;
#[path = "modules/ways.rs"]
mod ways;

use std::process::ExitCode;

use table::Row;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(directory) = many::directory_of_child(&arguments) {
        many::child(directory);
        return ExitCode::SUCCESS;
    }
    let has = |argument: &str| arguments.iter().any(|given| given == argument);
    let all = !has("ways") && !has("many");
    let mut rows = Vec::new();
    if all || has("ways") {
        rows.extend(ways::rows());
    }
    if all || has("many") {
        rows.extend(many::rows());
    }
    table::print(&rows);
    if has("--check") && rows.iter().any(Row::is_missed) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

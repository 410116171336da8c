//! What a scan costs, against what it has to cost.
//!
//! `cargo bench -p adaptivemmd --bench scan` prints a table for a report, in a minute and without
//! root. With `-- --check` it fails when a target is missed, with the name of a part (`cost`,
//! `allocations`, `resident`, `replay`, `linearity`) it measures only that.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![allow(clippy::print_stdout, reason = "the tables are the result")]

#[path = "scan/allocations.rs"]
mod allocations;
#[path = "scan/clock.rs"]
mod clock;
#[path = "scan/cost.rs"]
mod cost;
#[path = "scan/daemon.rs"]
mod daemon;
#[path = "scan/linearity.rs"]
mod linearity;
#[path = "scan/memory.rs"]
mod memory;
#[path = "scan/reads.rs"]
mod reads;
#[path = "scan/replay.rs"]
mod replay;
#[path = "scan/resident.rs"]
mod resident;
#[path = "scan/table.rs"]
mod table;
#[path = "scan/tree.rs"]
mod tree;
#[path = "scan/week.rs"]
mod week;

use std::process::ExitCode;

use agent_core::base::linked::CHOSEN;
use agent_core::kernel::Root;
use agent_core::scan::Threads;

use allocations::Counting;
use daemon::{Daemon, HOUR};
use table::Row;
use tempfile::TempDir;

/// Measures something.
type Measure = fn() -> Vec<Row>;

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |argument: &str| arguments.iter().any(|given| given == argument);
    if has(resident::CHILD) {
        resident::child();
        return ExitCode::SUCCESS;
    }
    let wanted = |name: &str| {
        let mut names = arguments
            .iter()
            .filter(|name| !name.starts_with('-'))
            .peekable();
        names.peek().is_none() || names.any(|given| given == name)
    };
    let parts: [(&str, Measure); 5] = [
        ("cost", cost::rows),
        ("allocations", allocation_rows),
        ("resident", resident::rows),
        ("replay", replay::rows),
        ("linearity", linearity::rows),
    ];
    let mut rows = Vec::new();
    for (_, measure) in parts.iter().filter(|(name, _)| wanted(name)) {
        rows.extend(measure());
    }
    table::print(&rows);
    if has("--check") && rows.iter().any(Row::is_missed) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// On this machine as it is.
fn allocation_rows() -> Vec<Row> {
    let mut daemon = Daemon::new(Root::live(), Threads::OnePerModule);
    let what = "Heap allocations of 1000 scans in the steady state";
    let all = allocations(&mut daemon, what, || ALLOCATOR.count());

    let state_dir = TempDir::new().unwrap();
    let mut daemon = Daemon::keeping(CHOSEN, Root::live(), state_dir.path());
    let what = "The same by the core's thread, with incidents and states kept";
    let own = allocations(&mut daemon, what, || ALLOCATOR.count_here());
    vec![all, own]
}

/// Scans with something to say are left out, as words have to be kept somewhere; and those in which something is handed
/// over to be written, once an hour.
fn allocations(daemon: &mut Daemon, what: &str, count: impl Fn() -> u64) -> Row {
    // After two hours all that is kept of scans has its place.
    (0..2 * HOUR).for_each(|_| daemon.scan());
    let (mut quiet, mut allocations) = (0, 0);
    for _ in 0..1000 {
        let is_hour = daemon.scans() % HOUR == 0;
        let before = (count(), daemon.said());
        daemon.scan();
        if daemon.said() == before.1 && !is_hour {
            quiet += 1;
            allocations += count() - before.0;
        }
    }
    let result = format!("{allocations} in {quiet} scans without words");
    Row::new(what, "0", result, allocations == 0)
}

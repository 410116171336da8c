//! The same module in every way that it can be called.

use std::sync::Arc;

use agent_core::config::Isolation;
use agent_core::kernel::{Sampler, Snapshot};
use agent_core::modules::catalogue::{Catalogue, Registration};
use agent_core::modules::pool::ModulePool;
use agent_core::scan::Threads;

use crate::table::Row;
use crate::{clock, ready};

/// Scans that are timed one after another before it is the next way's turn.
const BLOCK: usize = 50;
const ROUNDS: usize = 200;

/// A way to call a module, and how long each scan took, in microseconds.
struct Way {
    bus: ModulePool,
    sampler: Sampler,
    /// The one snapshot that is looked at again and again; without it, one is taken for each scan.
    still: Option<Arc<Snapshot>>,
    times: Vec<f64>,
}

impl Way {
    fn new(module: &Registration, threads: Threads, isolation: Isolation) -> Self {
        let modules = std::slice::from_ref(module);
        let mut sampler = ready::sampler(modules);
        Self {
            bus: ready::bus(modules, threads, isolation),
            still: Some(ready::take(&mut sampler)),
            sampler,
            times: Vec::new(),
        }
    }

    fn block(&mut self, keep: bool) {
        for _ in 0..BLOCK {
            let start = clock::wall();
            let taken = match &self.still {
                Some(still) => Arc::clone(still),
                None => ready::take(&mut self.sampler),
            };
            ready::scan(&mut self.bus, &taken);
            if keep {
                let took = clock::wall().saturating_sub(start);
                self.times.push(took.as_secs_f64() * 1e6);
            }
        }
    }

    /// Half of the scans took at most so long.
    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let directory = crate::places::workshop("bench-ways");
    std::fs::copy(shared_object(), directory.join("memleak.so")).unwrap();
    let linked = Catalogue::linked_in(&ready::program()).modules;
    let linked = linked.iter().find(|module| module.name() == "memleak");
    let linked = linked.expect("this measures memleak, which is not linked in");
    let loaded = &ready::loaded(&directory)[0];
    let whole = |module| Way {
        still: None,
        ..Way::new(module, Threads::OnePerModule, Isolation::None)
    };
    let mut ways = [
        whole(linked),
        whole(loaded),
        Way::new(linked, Threads::None, Isolation::None),
        Way::new(loaded, Threads::None, Isolation::None),
        Way::new(linked, Threads::OnePerModule, Isolation::None),
        Way::new(loaded, Threads::OnePerModule, Isolation::Process),
    ];
    for round in 0..ROUNDS {
        for way in &mut ways {
            // The first blocks warm up the caches of everybody.
            way.block(round >= 5);
        }
    }
    table(ways.map(|way| way.median()))
}

fn table([whole, whole_loaded, inline, loaded, thread, process]: [f64; 6]) -> Vec<Row> {
    let more = |time: f64| format!("{:.1} us ({time:.1} against {inline:.1})", time - inline);
    let against =
        |one: f64, other: f64| format!("{:.3} ({one:.2} us / {other:.2} us)", one / other);
    vec![
        Row::new(
            "A scan with memleak loaded / linked in (p50)",
            "not to be told apart: 0.95 to 1.05",
            against(whole_loaded, whole),
            (0.95..=1.05).contains(&(whole_loaded / whole)),
        ),
        Row::fact("&ensp;of that, the call alone", "", against(loaded, inline)),
        Row::new(
            "What a thread adds to the call (p50)",
            "at most 25 us",
            more(thread),
            thread - inline <= 25.0,
        ),
        Row::new(
            "What a process adds to the call (p50)",
            "at most 100 us",
            more(process),
            process - inline <= 100.0,
        ),
    ]
}

/// Cargo builds it as a dependency of this program.
fn shared_object() -> std::path::PathBuf {
    let me = std::env::current_exe().unwrap();
    me.parent().unwrap().join("libmemleak.so")
}

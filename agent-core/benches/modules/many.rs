//! A hundred modules: the same source under a hundred names.

use std::path::Path;
use std::process::Command;

use agent_core::config::Isolation;
use agent_core::scan::Threads;

use crate::memory::resident_kib;
use crate::table::Row;
use crate::{clock, ready};

/// The argument that makes this program load what is in a directory, and say what that costs.
const CHILD: &str = "--load";
/// How many modules there are.
const MANY: usize = 100;
const SCANS: u32 = 300;
/// The most memory that a module may take.
const TARGET_KIB: f64 = 250.0;

pub(crate) fn directory_of_child(arguments: &[String]) -> Option<&Path> {
    let [first, directory, ..] = arguments else {
        return None;
    };
    (first == CHILD).then_some(Path::new(directory))
}

/// Prints the memory before and after, in KiB, and the time of a scan, in microseconds.
pub(crate) fn child(directory: &Path) {
    let modules = ready::loaded(directory);
    let snapshot = ready::take(&mut ready::sampler(&modules));
    let before = resident_kib();
    let mut bus = ready::bus(&modules, Threads::OnePerModule, Isolation::None);
    (0..SCANS).for_each(|_| ready::scan(&mut bus, &snapshot));
    let start = clock::wall();
    (0..SCANS).for_each(|_| ready::scan(&mut bus, &snapshot));
    let took = clock::wall().saturating_sub(start) / SCANS;
    println!("{before} {} {}", resident_kib(), took.as_secs_f64() * 1e6);
}

/// What so many modules cost: KiB and microseconds a scan, each per module.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn cost(of: usize) -> (f64, f64) {
    let directory = crate::places::workshop("bench-many");
    (0..of).for_each(|number| compile(&directory, number));
    let me = std::env::current_exe().unwrap();
    let output = Command::new(me)
        .arg(CHILD)
        .arg(&directory)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = text
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    let [before, after, time] = numbers[..] else {
        panic!("{text}{}", String::from_utf8_lossy(&output.stderr));
    };
    ((after - before) / of as f64, time / of as f64)
}

fn compile(directory: &Path, number: usize) {
    let api = Path::new(env!("CARGO_MANIFEST_DIR")).join("../module-api");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-fvisibility=hidden", "-I"])
        .arg(api.join("include"))
        .arg(format!("-DNAME=\"module-{number}\""))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/modules/plain.c"))
        .arg("-o")
        .arg(directory.join(format!("module-{number}.so")))
        .status()
        .unwrap();
    assert!(status.success());
}

pub(crate) fn rows() -> Vec<Row> {
    let (_, few) = cost(10);
    let (memory, many) = cost(MANY);
    vec![
        Row::new(
            "Resident memory of a module, of 100 that are loaded",
            "at most 250 KiB",
            format!("{memory:.0} KiB"),
            memory <= TARGET_KIB,
        ),
        Row::new(
            "Time of a scan per module, of 100 / of 10",
            "constant: at most 1.5",
            format!("{:.2} ({many:.1} us / {few:.1} us)", many / few),
            many / few <= 1.5,
        ),
    ]
}

//! What is tried at every change: a bit of everything, in a few minutes.

use super::checks::Findings;
use super::{Bench, benign, boot, leaks, pressure};
use crate::problem::Result;
use crate::table::Table;

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let mut findings = Findings::new();
    for series in ["6.1", "6.12"] {
        let tree = bench.workshop.kernel(series)?;
        findings.run(bench, &tree, &boot::case(bench, 5));
    }
    let boots = findings.print();
    let tree = bench.kernel()?;
    let mut table = Table::new(&leaks::HEADING);
    let found = leaks::lose(
        bench,
        &tree,
        "pages-order0-slow pages-order0-fast",
        &mut table,
    )?;
    println!("\n{table}");
    let mut table = Table::new(&benign::HEADING);
    let silent = benign::load(bench, &tree, "anon", &mut table)?;
    println!("\n{table}");
    let relieved = pressure::run_shortly(bench)?;
    Ok(boots && found && silent && relieved)
}

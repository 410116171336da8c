//! Checks that this kernel can isolate a module in its own process.

use std::sync::Arc;

use super::check::Check;
use crate::kernel::Root;
use crate::modules::catalogue::Catalogue;
use crate::modules::isolation::{Confinement, Offer, Process, Program, Subject};

/// Starts such a process, as the daemon does; what it does not say here it does not need. What the catalogue has found
/// out already is not said again.
pub(super) fn checks(root: &Root, catalogue: &Catalogue) -> Vec<Check> {
    if !root.is_live() {
        return Vec::new();
    }
    let confinement = match looked().map(|offer| offer.confinement) {
        Ok(confinement) => confinement,
        Err(why) => {
            let text = format!("no module can run in its own process: {why}");
            let remedy = "\"isolation\" in adaptivemmd.toml(5)";
            return vec![Check::problem("core", &text).remedy(remedy)];
        }
    };
    let lacks = confinement.lacks();
    if lacks.is_empty() {
        let text =
            "a module in its own process can read no file but libraries, and can only compute";
        return vec![Check::well("core", text)];
    }
    lacks
        .iter()
        .filter(|lack| !catalogue.notes.iter().any(|note| note == *lack))
        .map(|lack| Check::note("core", lack).remedy(remedy(confinement)))
        .collect()
}

fn looked() -> Result<Offer, String> {
    let process = Process::start(&Program::this(), &Subject::LinkedIn, Arc::default());
    let mut process = process.map_err(|error| format!("none can be started: {error}"))?;
    let offer = process.greeting()?;
    process.end()?;
    Ok(offer)
}

fn remedy(confinement: Confinement) -> &'static str {
    if confinement.has_filter {
        "boot with landlock in lsm=, or see \"isolation\" in adaptivemmd.toml(5)"
    } else {
        "\"isolation\" in adaptivemmd.toml(5)"
    }
}

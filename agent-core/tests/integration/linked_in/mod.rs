//! The modules that are linked in: a test says which of them run, or it changes the machine that it runs on.

use agent_core::base::linked::CHOSEN;
use agent_core::modules::catalogue::{Registration, registrations};

/// Their registrations, without those of the modules that tests bring themselves.
pub(crate) fn modules() -> Vec<Registration> {
    let (mut modules, _) = registrations();
    modules.retain(|module| CHOSEN.contains(&module.name()));
    modules
}

/// A configuration in which only these of them run. Only modules that the tests were built with are named in it: there
/// would be a warning about any other.
pub(crate) fn only(names: &[&str]) -> String {
    let others = CHOSEN.iter().filter(|name| !names.contains(name));
    let tables: Vec<String> = others
        .map(|name| format!("[modules.{name}]\nenabled = false\n"))
        .collect();
    tables.concat()
}

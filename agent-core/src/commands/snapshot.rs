//! `adaptivemmd snapshot`: what is seen now, as one JSON object.

use serde_json::{Map, Value, json};

use super::startup::complain_of_idle;
use super::{Exit, boot, complain, modules, print, settings};
use crate::base::clock;
use crate::commands::cli::Cli;
use crate::kernel::{UPTIME, uptime};
use crate::scan::{Agent, Site};
use crate::status::json;

pub(super) fn run(cli: &Cli) -> Exit {
    let modules = modules(&cli.sources());
    let settings = match settings(cli, &modules) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let root = cli.root();
    // A recorded machine says itself how long it had run.
    let recorded = root.read(UPTIME).ok().and_then(|text| uptime(&text).ok());
    let now = recorded.unwrap_or_else(clock::uptime);
    let boot = boot(&root);
    let built = Agent::build(Site::looked_at(root), &settings, &modules);
    let mut agent = match built {
        Ok(agent) => agent,
        Err(errors) => {
            errors.0.iter().for_each(|error| complain(error));
            return Exit::Configuration;
        }
    };
    complain_of_idle(agent.idle());
    agent.want_everything();
    let round = agent.scan(now);
    let mut snapshot = round.snapshot.to_json();
    snapshot["boot_id"] = boot.into();
    let handles = round
        .handles
        .iter()
        .map(|handle| (handle.name().to_owned(), json::module_output(handle)));
    let modules: Map<String, Value> = handles.collect();
    print(&format!(
        "{}\n",
        json!({ "snapshot": snapshot, "modules": modules })
    ))
}

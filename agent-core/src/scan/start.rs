//! Starts modules from the settings.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::{BuildError, Idle, Threads};
use crate::actions::policy::{Clash, Policy};
use crate::config::{ModuleMode, ModuleSettings, Settings};
use crate::decisions::system_counters::SystemCounters;
use crate::kernel::{FileBudget, Wanted};
use crate::modules::catalogue::{Origin, Registration};
use crate::modules::crash_marker::{CrashMarker, TOO_MANY};
use crate::modules::isolation::START_WAIT;
use crate::modules::permit::Permit;
use crate::modules::pool::{ModuleHandle, Patience, Reason, await_start};
use crate::modules::runner::Recipe;
use crate::modules::saved_state::SavedStates;

/// The longest time that a scan waits for its modules, unless the configuration says otherwise.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The enabled modules with their settings.
pub(super) fn chosen<'a>(
    settings: &'a Settings,
    modules: &'a [Registration],
) -> Vec<(&'a Registration, &'a ModuleSettings)> {
    let find =
        |settings: &ModuleSettings| modules.iter().find(|module| module.name() == settings.name);
    let enabled = settings.modules.iter().filter(|settings| settings.enabled);
    enabled
        .filter_map(|settings| Some((find(settings)?, settings)))
        .collect()
}

pub(super) fn owned(
    chosen: &[(&Registration, &ModuleSettings)],
) -> Vec<(Registration, ModuleSettings)> {
    chosen
        .iter()
        .map(|(module, settings)| ((*module).clone(), (*settings).clone()))
        .collect()
}

fn permit(module: &Registration, settings: &ModuleSettings) -> Permit {
    Permit::new(&module.description.writes, settings.allow.as_deref())
}

/// Finds the owner of each tunable, and the modules that may not run because of that. Modules that are linked in come first,
/// then those in files; each by name, so that it does not depend on what was installed first.
pub(super) fn policy(chosen: &[(&Registration, &ModuleSettings)]) -> (Policy, Vec<Clash>) {
    let mut modules: Vec<(&str, Permit, &Registration, ModuleMode)> = chosen
        .iter()
        .map(|(module, settings)| {
            let permit = permit(module, settings);
            (module.name(), permit, *module, settings.mode)
        })
        .collect();
    modules.sort_by_key(|(name, _, module, _)| (module.origin != Origin::LinkedIn, *name));
    Policy::new(
        modules
            .iter()
            .map(|(name, permit, _, mode)| (*name, permit, *mode)),
    )
}

/// Returns the modules that own what they may change, or change nothing.
pub(super) fn without<'a>(
    chosen: &[(&'a Registration, &'a ModuleSettings)],
    clashes: &[Clash],
) -> Vec<(&'a Registration, &'a ModuleSettings)> {
    let modules = chosen.iter().copied();
    modules
        .filter(|(module, _)| clashes.iter().all(|clash| clash.module != module.name()))
        .collect()
}

/// The modules that may change something.
pub(super) fn writing(chosen: &[(&Registration, &ModuleSettings)]) -> Vec<String> {
    chosen
        .iter()
        .filter(|(module, _)| !module.description.writes.is_empty())
        .map(|(module, _)| module.name().to_owned())
        .collect()
}

/// Returns all files to read: those that the modules need, and those that explain their decisions.
pub(super) fn wanted(chosen: &[(&Registration, &ModuleSettings)], budget: FileBudget) -> Wanted {
    let mut wanted = needed(chosen, budget);
    if !writing(chosen).is_empty() {
        SystemCounters::want(&mut wanted);
    }
    wanted
}

/// Returns the files that the modules need; those of each may cost so much.
pub(super) fn needed(chosen: &[(&Registration, &ModuleSettings)], budget: FileBudget) -> Wanted {
    let mut wanted = Wanted::default();
    for (module, _) in chosen {
        let description = &module.description;
        wanted.add_module(
            module.name(),
            &description.needs,
            &description.writes,
            budget,
        );
    }
    wanted
}

pub(super) fn patience(settings: &Settings) -> Patience {
    let core = &settings.core;
    let usual = (core.period / 4).min(LONGEST_WAIT);
    Patience {
        deadline: core.deadline.unwrap_or(usual),
        max_late: core.max_late,
    }
}

/// The parts that a start of modules needs.
pub(super) struct Starting<'a> {
    pub(super) threads: Threads,
    pub(super) marker: Option<&'a mut CrashMarker>,
    pub(super) states: &'a mut SavedStates,
}

/// Starts modules. If options are wrong that the administrator has set, or there are no more threads, none is; one
/// that breaks down is quarantined; and one that may not run, or refuses options that nobody has set, is idle.
pub(super) fn start(
    chosen: &[(&Registration, &ModuleSettings)],
    clashes: &[Clash],
    mut starting: Starting<'_>,
) -> Result<(Vec<ModuleHandle>, Vec<Idle>), Vec<BuildError>> {
    let mut handles = Vec::new();
    let mut errors = Vec::new();
    for (module, settings) in without(chosen, clashes) {
        match start_one(module, settings, &mut starting) {
            Ok(handle) => handles.push(handle),
            Err(source) => errors.push(BuildError::Thread {
                module: settings.name.clone(),
                source,
            }),
        }
    }
    let mut idle = Vec::new();
    for (name, problems) in await_start(&mut handles, START_WAIT) {
        let settings = chosen.iter().find(|(module, _)| module.name() == name);
        let written = settings.map_or(&[][..], |(_, settings)| &settings.written);
        if problems.iter().any(|problem| is_theirs(problem, written)) {
            errors.extend(problems.into_iter().map(|(key, text)| BuildError::Options {
                module: name.clone(),
                key,
                text,
            }));
            continue;
        }
        let refusal = Idle::refusing(&name, &problems);
        if let Some(handle) = handles.iter_mut().find(|handle| handle.name() == name) {
            handle.set_idle(&refusal.to_string());
        }
        idle.push(refusal);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    for clash in clashes {
        let unowned = Idle::clashing(clash);
        let chosen = chosen
            .iter()
            .find(|(module, _)| module.name() == clash.module);
        if let Some((module, settings)) = chosen {
            let recipe = recipe(module, settings, Arc::default());
            handles.push(ModuleHandle::idle(recipe, &unowned.to_string()));
            idle.push(unowned);
        }
    }
    Ok((handles, idle))
}

/// Returns true if a module refuses what the administrator has set, of which these are the names.
fn is_theirs((key, text): &(String, String), written: &[String]) -> bool {
    // A problem of no option may be one of all of them together.
    !written.is_empty()
        && (key.is_empty()
            || written
                .iter()
                .any(|name| name == key || text.contains(name)))
}

fn recipe(module: &Registration, settings: &ModuleSettings, state: Arc<[u8]>) -> Recipe {
    Recipe {
        module: module.clone(),
        values: settings.values.clone(),
        permit: permit(module, settings),
        isolation: settings.isolation.unwrap_or(module.isolation),
        state,
    }
}

fn start_one(
    module: &Registration,
    settings: &ModuleSettings,
    Starting {
        threads,
        marker,
        states,
    }: &mut Starting<'_>,
) -> io::Result<ModuleHandle> {
    let deaths = marker
        .as_ref()
        .map_or(0, |marker| marker.deaths(module.name()));
    // If it ended the daemon, what it kept may be why.
    let state = if deaths == 0 {
        states.for_module(module.name())
    } else {
        Arc::default()
    };
    let recipe = recipe(module, settings, state);
    // Also for one that is not started: the next daemon is to know, however this one ends.
    let slot = marker
        .as_deref_mut()
        .and_then(|marker| marker.slot(module.name()));
    if deaths >= TOO_MANY && recipe.is_here() {
        return Ok(ModuleHandle::quarantined(recipe, Reason::AtWork(deaths)));
    }
    match threads {
        Threads::None => Ok(ModuleHandle::inline(recipe)),
        Threads::OnePerModule => ModuleHandle::on_thread(recipe, settings.deadline, slot),
    }
}

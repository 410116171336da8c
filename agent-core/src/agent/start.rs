//! From the settings to modules at work.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::{BuildError, Threads};
use crate::arbiter::{Arbiter, Clash, Permit};
use crate::bus::{Member, Patience, Reason, await_start};
use crate::catalogue::Registration;
use crate::config::{ModuleSettings, Settings};
use crate::isolation::START_WAIT;
use crate::marker::{Marker, TOO_MANY};
use crate::runner::Recipe;
use crate::sampler::{FileBudget, Wanted};
use crate::states::States;
use crate::vitals::Vitals;

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

pub(super) fn arbiter(chosen: &[(&Registration, &ModuleSettings)]) -> Result<Arbiter, Clash> {
    let permits: Vec<Permit> = chosen
        .iter()
        .map(|(module, settings)| permit(module, settings))
        .collect();
    let modules = chosen.iter().zip(&permits);
    Arbiter::new(modules.map(|((module, settings), permit)| (module.name(), permit, settings.mode)))
}

/// The modules that may change something.
pub(super) fn writing(chosen: &[(&Registration, &ModuleSettings)]) -> Vec<String> {
    chosen
        .iter()
        .filter(|(module, _)| !module.description.writes.is_empty())
        .map(|(module, _)| module.name().to_owned())
        .collect()
}

/// All that is read: what the modules need, and what their decisions are explained by.
pub(super) fn wanted(chosen: &[(&Registration, &ModuleSettings)], budget: FileBudget) -> Wanted {
    let mut wanted = needed(chosen, budget);
    if !writing(chosen).is_empty() {
        Vitals::want(&mut wanted);
    }
    wanted
}

/// What the modules need, of which the files of each may cost so much.
pub(super) fn needed(chosen: &[(&Registration, &ModuleSettings)], budget: FileBudget) -> Wanted {
    let mut wanted = Wanted::default();
    for (module, _) in chosen {
        wanted.add_module(&module.description, budget);
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

/// Starts modules. If options are wrong, or there are no more threads, none is; one that breaks down is
/// quarantined.
pub(super) fn start(
    chosen: &[(&Registration, &ModuleSettings)],
    threads: Threads,
    mut marker: Option<&mut Marker>,
    states: &mut States,
) -> Result<Vec<Member>, Vec<BuildError>> {
    let mut members = Vec::new();
    let mut errors = Vec::new();
    for (module, settings) in chosen {
        match start_one(module, settings, threads, marker.as_deref_mut(), states) {
            Ok(member) => members.push(member),
            Err(source) => errors.push(BuildError::Thread {
                module: settings.name.clone(),
                source,
            }),
        }
    }
    for (module, problems) in await_start(&mut members, START_WAIT) {
        errors.extend(problems.into_iter().map(|(key, text)| BuildError::Options {
            module: module.clone(),
            key,
            text,
        }));
    }
    if errors.is_empty() {
        Ok(members)
    } else {
        Err(errors)
    }
}

fn start_one(
    module: &Registration,
    settings: &ModuleSettings,
    threads: Threads,
    marker: Option<&mut Marker>,
    states: &mut States,
) -> io::Result<Member> {
    let deaths = marker
        .as_ref()
        .map_or(0, |marker| marker.deaths(module.name()));
    let recipe = Recipe {
        module: module.clone(),
        values: settings.values.clone(),
        permit: permit(module, settings),
        isolation: settings.isolation.unwrap_or(module.isolation),
        // If it ended the daemon, what it kept may be why.
        state: if deaths == 0 {
            states.of(module.name())
        } else {
            Arc::default()
        },
    };
    // Also for one that is not started: the next daemon is to know, however this one ends.
    let slot = marker.and_then(|marker| marker.slot(module.name()));
    if deaths >= TOO_MANY && recipe.is_here() {
        return Ok(Member::quarantined(recipe, Reason::AtWork(deaths)));
    }
    match threads {
        Threads::None => Ok(Member::inline(recipe)),
        Threads::OnePerModule => Member::on_thread(recipe, settings.deadline, slot),
    }
}

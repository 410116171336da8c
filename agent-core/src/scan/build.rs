//! Starts the modules, and starts anew those that a reload has changed.

use super::start::{
    Starting, chosen, needed, owned, patience, policy, start, wanted, without, writing,
};
use super::{Agent, BuildErrors, Rehearsal, Site};
use crate::actions::{Actuator, Mode, Restored};
use crate::config::{ModuleSettings, Settings};
use crate::kernel::{Root, Sampler};
use crate::modules::catalogue::Registration;
use crate::modules::pool::{ModuleHandle, ModulePool};

impl Agent {
    /// Starts the enabled modules. With a marker, a module that was running when the daemon died too often is
    /// not started.
    ///
    /// A module that may not run, because another one owns what it wants to change, is idle, and so is one that
    /// refuses options which the administrator has not set.
    ///
    /// # Errors
    ///
    /// If what the administrator has set is refused, or there are no more threads; then none is started.
    pub fn build(
        site: Site,
        settings: &Settings,
        modules: &[Registration],
    ) -> Result<Self, BuildErrors> {
        let Site {
            root,
            page_size,
            mode,
            ledger,
            threads,
            mut marker,
            mut decisions,
            mut states,
            incidents,
        } = site;
        let chosen = chosen(settings, modules);
        let (policy, clashes) = policy(&chosen);
        let starting = Starting {
            threads,
            marker: marker.as_mut(),
            states: &mut states,
        };
        let (handles, idle) = start(&chosen, &clashes, starting).map_err(|errors| {
            if let Some(marker) = &marker {
                marker.excuse();
            }
            BuildErrors(errors)
        })?;
        let rehearsal = match (&root, mode) {
            (Root::Recorded(files), Mode::Rehearse) => {
                let files = files.iter();
                Some(Rehearsal::from_files(
                    files.map(|(path, bytes)| (path.as_str(), bytes.as_slice())),
                ))
            }
            _ => None,
        };
        let mut actuator = Actuator::new(root.clone(), mode, ledger);
        actuator.limit(settings.core.limits);
        let active = without(&chosen, &clashes);
        decisions.watch(writing(&active));
        let budget = settings.core.file_budget;
        let mut sampler = Sampler::new(root, wanted(&active, budget), page_size);
        sampler.wait_for_files(patience(settings).deadline);
        Ok(Self {
            sampler,
            bus: ModulePool::new(handles),
            policy,
            actuator,
            rehearsal,
            period: settings.core.period,
            patience: patience(settings),
            threads,
            marker,
            decisions,
            states,
            incidents,
            needed: needed(&active, budget),
            running: owned(&chosen),
            idle,
        })
    }

    /// Takes over a new configuration. A module whose settings and file did not change goes on as it is, with
    /// all that it has learned; the others are started anew. Gives back what no module may change any more.
    ///
    /// # Errors
    ///
    /// If what the administrator has set is refused, or there are no more threads; then everything stays as it was.
    pub fn reconfigure(
        &mut self,
        settings: &Settings,
        modules: &[Registration],
    ) -> Result<Vec<Restored>, BuildErrors> {
        let chosen = chosen(settings, modules);
        let (policy, clashes) = policy(&chosen);
        // One that has answered by now, if late, is not busy.
        let late = self.late_findings();
        let is_waiting = |name: &str| {
            self.bus
                .handles()
                .iter()
                .any(|handle| handle.name() == name && handle.is_idle())
        };
        let keeps: Vec<bool> = chosen
            .iter()
            .map(|(module, settings)| {
                let may_run = clashes.iter().all(|clash| clash.module != settings.name);
                may_run && self.runs(module, settings) && is_waiting(&settings.name)
            })
            .collect();
        let fresh: Vec<_> = chosen
            .iter()
            .zip(&keeps)
            .filter(|(_, keep)| !**keep)
            .map(|(each, _)| *each)
            .collect();
        self.forgive(&fresh);
        let starting = Starting {
            threads: self.threads,
            marker: self.marker.as_mut(),
            states: &mut self.states,
        };
        let (mut handles, idle) = start(&fresh, &clashes, starting).map_err(|errors| {
            self.bus.hand_on(late.clone());
            BuildErrors(errors)
        })?;
        let kept = |handle: &ModuleHandle| {
            chosen
                .iter()
                .zip(&keeps)
                .any(|((_, settings), keep)| *keep && settings.name == handle.name())
        };
        let old = std::mem::replace(&mut self.bus, ModulePool::new(Vec::new())).into_members();
        handles.extend(old.into_iter().filter(kept));
        self.bus = ModulePool::new(handles);
        self.bus.hand_on(late);
        let active = without(&chosen, &clashes);
        let budget = settings.core.file_budget;
        self.sampler.want(wanted(&active, budget));
        self.sampler.wait_for_files(patience(settings).deadline);
        self.decisions.watch(writing(&active));
        self.needed = needed(&active, budget);
        self.policy = policy;
        self.actuator.limit(settings.core.limits);
        self.period = settings.core.period;
        self.patience = patience(settings);
        self.running = owned(&chosen);
        self.idle = idle;
        let policy = &self.policy;
        Ok(self
            .actuator
            .restore_those(|tunable| policy.owner(tunable).is_none()))
    }

    /// Gives modules that are started anew another chance.
    fn forgive(&mut self, fresh: &[(&Registration, &ModuleSettings)]) {
        if let Some(marker) = &mut self.marker {
            for (module, _) in fresh {
                marker.forgive(module.name());
            }
        }
    }

    /// Returns true if this very module runs with these settings.
    fn runs(&self, module: &Registration, settings: &ModuleSettings) -> bool {
        self.running
            .iter()
            .any(|(running, set)| module.is_still(running) && set == settings)
    }
}

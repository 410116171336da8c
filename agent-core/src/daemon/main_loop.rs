//! The loop of the daemon: one thread and one `select!` over the period and the signals.

use std::collections::BTreeSet;
use std::time::Instant;

use crossbeam_channel::{Receiver, at, never, select};
use serde_json::{Value, json};

use adaptivemm_module_api::Severity;

use crate::actions::Restored;
use crate::base::clock::{self, Rhythm};
use crate::base::version::version;
use crate::config::TellOwners;
use crate::daemon::control::{Answer, Call, Order};
use crate::daemon::sd_notify::Service;
use crate::daemon::signals::SignalRequest;
use crate::incidents::IncidentMessage;
use crate::log::messages::{
    Reporter, incident_text, report_follow_ups, report_late, report_restored,
};
use crate::log::sinks::{Entry, Event, Logger};
use crate::scan::Agent;
use crate::status::modules_file::ModulesFile;
use crate::status::{self, Clash, Recent, Summary};

/// The log line when the thread of the control socket has ended.
const NO_CALLS: &str = "the control thread has ended: `adaptivemmd status` and other commands get no answer until the \
                        daemon is restarted; the modules keep running";
/// The most metrics with a name that is taken which are reported one by one.
const MOST_CLASHES: usize = 256;

/// The daemon at work.
#[derive(Debug)]
pub struct MainLoop {
    agent: Agent,
    journal: Logger,
    reporter: Reporter,
    standing: Option<ModulesFile>,
    service: Service,
    latest: Recent,
    /// The metrics of which it was said that others have their names.
    clashes: BTreeSet<(String, String)>,
    /// True once the start was logged.
    is_running: bool,
}

/// The result of a reload: the new log, if it goes elsewhere, or why everything stays as it was.
pub type Reloaded = Result<Option<Logger>, String>;

impl MainLoop {
    /// Creates the loop for these modules. Events go to `journal`, the state of the modules to `standing`, and `service` is
    /// notified that all is well.
    #[must_use]
    pub fn new(
        agent: Agent,
        journal: Logger,
        standing: Option<ModulesFile>,
        service: Service,
    ) -> Self {
        Self {
            agent,
            journal,
            reporter: Reporter::new(),
            standing,
            service,
            latest: Recent::new(),
            clashes: BTreeSet::new(),
            is_running: false,
        }
    }

    /// Scans until it is told to end. `started` is called after the first scan, `reload` when the
    /// configuration is to be read again.
    pub fn run(
        &mut self,
        wishes: &Receiver<SignalRequest>,
        calls: &Receiver<Call>,
        started: impl FnOnce(),
        mut reload: impl FnMut(&mut Agent, &mut Logger) -> Reloaded,
    ) {
        let text = format!("{} started: {}", version(), self.plan());
        self.say(Severity::Info, Event::Started, &text);
        self.is_running = true;
        let mut rhythm = Rhythm::new(clock::now(), self.agent.period());
        self.scan();
        started();
        rhythm.advance(clock::now());
        let (mut calls, nobody) = (calls, never());
        let (mut incidents, no_incidents) = (&self.agent.incident_words(), never());
        loop {
            self.service.beat();
            select! {
                // The next beat.
                recv(self.next_beat()) -> _ => {}
                recv(at(rhythm.due())) -> _ => {
                    self.scan();
                    rhythm.advance(clock::now());
                }
                recv(incidents) -> word => match word {
                    Ok(word) => self.tell_of_incident(&word),
                    // Its thread is gone; the rest goes on.
                    Err(_) => incidents = &no_incidents,
                },
                recv(wishes) -> wish => match wish {
                    // It says itself how that went.
                    Ok(SignalRequest::Reload) => drop(self.reload(&mut rhythm, &mut reload)),
                    // Without its signals the daemon could not be ended cleanly.
                    Ok(SignalRequest::End) | Err(_) => break,
                },
                recv(calls) -> call => if let Ok(call) = call {
                    let answer = self.obey(&call.order, &mut rhythm, &mut reload);
                    call.answer(answer);
                } else {
                    // Signals still come.
                    self.say(Severity::Error, Event::Trouble, NO_CALLS);
                    calls = &nobody;
                },
            }
        }
    }

    fn obey(
        &mut self,
        order: &Order,
        rhythm: &mut Rhythm,
        reload: &mut impl FnMut(&mut Agent, &mut Logger) -> Reloaded,
    ) -> Answer {
        match order {
            Order::Reload => match self.reload(rhythm, reload) {
                Ok(()) => Answer::Done(json!({})),
                Err(reason) => Answer::Failed("ConfigurationRefused", json!({ "reason": reason })),
            },
            Order::Look => {
                let mut summary = Summary::from_agent(&self.agent, &self.journal, &self.latest);
                if self.tell_clashes(&summary) {
                    // What was just said is part of how things stand.
                    summary = Summary::from_agent(&self.agent, &self.journal, &self.latest);
                }
                Answer::Seen(Box::new(summary))
            }
            Order::Restore(tunable) => {
                let now = clock::uptime();
                let restored = self.agent.hand_over(tunable.as_deref(), now);
                for restored in &restored {
                    report_restored(restored, &mut self.journal);
                }
                let restored: Vec<_> = restored.iter().map(restored_fields).collect();
                Answer::Done(json!({ "restored": restored }))
            }
            Order::Resume(tunable) => {
                let resumed = self.agent.resume(tunable.as_deref());
                Answer::Done(json!({ "resumed": resumed }))
            }
        }
    }

    /// Says once of each metric that it is not published, as another one has its name. Whether there was anything to say.
    fn tell_clashes(&mut self, summary: &Summary) -> bool {
        let mut is_news = false;
        for Clash {
            module,
            metric,
            name,
            owner,
        } in status::clashes(summary)
        {
            let is_full = self.clashes.len() >= MOST_CLASHES;
            if is_full || !self.clashes.insert((module.clone(), metric.clone())) {
                continue;
            }
            is_news = true;
            let text = format!(
                "the metric \"{metric}\" is not published: {owner} already publishes {name}"
            );
            let entry = Entry::new(Severity::Warning, &module, &text);
            self.journal.write(&entry.event(Event::ModuleMisbehaved));
        }
        is_news
    }

    fn next_beat(&self) -> Receiver<Instant> {
        self.service.due().map_or_else(never, at)
    }

    /// Scans once.
    pub fn scan(&mut self) {
        if self.agent.is_ledger_unread() {
            // What a daemon changed that died, once it can be known.
            self.restore();
        }
        let before = clock::now();
        let service = &mut self.service;
        let alive = &mut || service.beat();
        let round = self.agent.scan_watched(clock::uptime(), alive);
        let took = before.elapsed();
        self.reporter.report(&round, &mut self.journal);
        self.latest.note(&round, took);
        if let Some(standing) = &mut self.standing {
            // On a full disk nobody can be shown how things stand; the log tells.
            let _not_shown = standing.note(round.handles);
        }
        if self.journal.verbosity() >= 4 {
            let text = format!("scan {} took {} us", round.snapshot.scan, took.as_micros());
            let entry = Entry::new(Severity::Debug, "core", &text);
            self.journal.write(&entry.from_verbosity(4));
        }
        if round.is_good() {
            self.service.ready();
        }
        self.tell_status();
    }

    fn tell_status(&mut self) {
        if self.service.is_watched() {
            let line = status::line(&self.agent, self.journal.recent());
            self.service.status(&line);
        }
    }

    fn reload(
        &mut self,
        rhythm: &mut Rhythm,
        reload: &mut impl FnMut(&mut Agent, &mut Logger) -> Reloaded,
    ) -> Result<(), String> {
        self.service.reloading();
        let period = self.agent.period();
        let reloaded = reload(&mut self.agent, &mut self.journal);
        if self.agent.period() != period {
            *rhythm = Rhythm::new(clock::now(), self.agent.period());
        }
        let result = match reloaded {
            Ok(journal) => {
                self.reporter.begin_anew();
                if let Some(journal) = journal {
                    self.journal = journal.after(&self.journal);
                }
                let text = format!("configuration reloaded: {}", self.plan());
                self.say(Severity::Info, Event::Reloaded, &text);
                Ok(())
            }
            Err(reason) => {
                let text =
                    format!("configuration not reloaded, the old one stays in force: {reason}");
                self.say(Severity::Error, Event::ReloadRefused, &text);
                Err(text)
            }
        };
        self.latest
            .note_reload(result.as_ref().err().map(String::as_str));
        self.tell_status();
        self.service.reloaded();
        result
    }

    fn tell_of_incident(&mut self, message: &IncidentMessage) {
        self.latest.note_incident(message);
        let text = incident_text(&message.event, TellOwners::All);
        let (size, now) = (text.len(), clock::uptime().0);
        let is_its = message.module != "core";
        if is_its
            && !self
                .reporter
                .may_say(&message.module, size, now, &mut self.journal)
        {
            return;
        }
        let severity = message.event.severity();
        let event = match (message.event.incident(), severity) {
            (Some(_), Severity::Error) => Event::IncidentLost,
            (Some(_), _) => Event::Incident,
            (None, _) => Event::Trouble,
        };
        let id = message.event.incident().unwrap_or_default();
        let entry = Entry::new(severity, &message.module, &text).event(event);
        self.journal.write(&entry.fields(&[("INCIDENT", id)]));
    }

    /// Gives back what was changed, and ends.
    pub fn end(mut self) {
        for word in self.agent.end_incidents() {
            self.tell_of_incident(&word);
        }
        self.service.stopping();
        let now = clock::uptime().0;
        for (module, late) in self.agent.late_findings() {
            report_late(&module, &late, now, &mut self.journal);
        }
        report_follow_ups(&self.agent.cut_short(), &mut self.journal);
        self.restore();
        if self.is_running {
            self.say(Severity::Info, Event::Ended, "ended");
        }
        self.agent.end();
        if let Some(standing) = self.standing {
            standing.remove();
        }
    }

    /// Gives back what was changed, by us or by a daemon that died.
    pub fn restore(&mut self) {
        for restored in self.agent.restore() {
            report_restored(&restored, &mut self.journal);
        }
    }

    fn plan(&self) -> String {
        let modules: Vec<&str> = self.agent.modules().collect();
        let period = self.agent.period().as_secs_f64();
        let list = if modules.is_empty() {
            "no module is enabled".to_owned()
        } else {
            modules.join(", ")
        };
        format!("a scan every {period} s, modules: {list}")
    }

    /// Tells the journal something of the daemon itself.
    pub(crate) fn say(&mut self, severity: Severity, event: Event, text: &str) {
        let entry = Entry::new(severity, "core", text);
        self.journal.write(&entry.event(event));
    }
}

fn restored_fields(restored: &Restored) -> Value {
    let Restored {
        tunable,
        original,
        result,
    } = restored;
    json!({
        "tunable": tunable,
        "original": original,
        "done": restored.is_given_back(),
        "problem": result.as_ref().err().map(ToString::to_string),
    })
}

#[cfg(test)]
mod tests;

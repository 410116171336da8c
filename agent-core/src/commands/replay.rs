//! `adaptivemmd replay`: what the daemon would have logged on a recorded machine.

mod stamped;

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufWriter, Write};
use std::time::Duration;

use adaptivemm_module_api::Severity;
use adaptivemm_module_api::units::{PageSize, Uptime};
use serde_json::Value;

use super::startup::complain_of_idle;
use super::{Exit, complain, explain, modules, settings};
use crate::actions::Mode;
use crate::commands::cli::{Cli, Replay};
use crate::config::{Settings, did_you_mean};
use crate::decisions::Record;
use crate::kernel::trace::{Frame, Header, Reader, TraceError};
use crate::kernel::tunables::{self, Knob};
use crate::kernel::{Recorded, Root};
use crate::log::messages::{Gaps, Reporter, report_follow_ups};
use crate::log::sinks::{Entry, Logger};
use crate::modules::abi::CallResult;
use crate::modules::catalogue::Registration;
use crate::modules::output::NO_REASON;
use crate::modules::pool::{ModuleHandle, ScanResult};
use crate::scan::{Agent, Site};
use crate::status::json;

use stamped::{Stamped, State};

pub(super) fn run(cli: &Cli, options: &Replay) -> Exit {
    let modules = modules(&cli.sources());
    let mut settings = match settings(cli, &modules) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    if let Err(unknown) = choose(&mut settings, &options.modules) {
        complain(&unknown);
        return Exit::Failed;
    }
    let name = options.trace.display();
    let mut trace = match Reader::open(&options.trace) {
        Ok(trace) => trace,
        Err(error) => return refuse(&name, &error),
    };
    let mut player = match Player::new(
        settings,
        trace.header(),
        &modules,
        !options.modules.is_empty(),
    ) {
        Ok(player) => player,
        Err(exit) => return exit,
    };
    let outcome = match (options.explain, options.json) {
        (Some(id), _) => player.play_for(id, &mut trace),
        (None, true) => player.play_json(&mut trace),
        (None, false) => player.play_log(&mut trace),
    };
    if trace.is_truncated() {
        complain(&format_args!(
            "{name}: skipped the last line, which was cut off"
        ));
    }
    match outcome {
        Ok(Exit::Done) if player.agent.is_none() => {
            complain(&format_args!("{name} contains no frame"));
            Exit::Failed
        }
        Ok(exit) => exit,
        Err(PlayError::Trace(error)) => refuse(&name, &error),
        Err(PlayError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(PlayError::Output(error)) => {
            complain(&format_args!("cannot write to standard output: {error}"));
            Exit::Failed
        }
    }
}

/// Leaves only these modules enabled, if any are named.
fn choose(settings: &mut Settings, names: &[String]) -> Result<(), String> {
    if names.is_empty() {
        return Ok(());
    }
    let known = || settings.modules.iter().map(|module| module.name.as_str());
    if let Some(unknown) = names
        .iter()
        .find(|name| !known().any(|known| known == *name))
    {
        let hint = did_you_mean(unknown, known())
            .unwrap_or_else(|| format!("there are {}", known().collect::<Vec<_>>().join(", ")));
        return Err(format!(
            "--module {unknown}: there is no module of this name; {hint}"
        ));
    }
    for module in &mut settings.modules {
        module.enabled = names.contains(&module.name);
    }
    Ok(())
}

pub(super) fn refuse(name: &dyn std::fmt::Display, error: &TraceError) -> Exit {
    let source =
        std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"));
    complain(&format_args!("{name}: {error}{source}"));
    Exit::Failed
}

enum PlayError {
    Trace(TraceError),
    Output(io::Error),
}

impl From<TraceError> for PlayError {
    fn from(error: TraceError) -> Self {
        Self::Trace(error)
    }
}

impl From<io::Error> for PlayError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The daemon on a recorded machine: the same code with the trace's clock, in one thread.
struct Player<'a> {
    settings: Settings,
    page_size: Option<PageSize>,
    modules: &'a [Registration],
    /// True if modules were named on the command line.
    is_asked: bool,
    /// The modules whose tunable was not recorded, and where that would be; until it is told.
    unrecorded: Vec<(String, &'static str)>,
    /// Made with the first frame, which says what kind of machine it is.
    agent: Option<Agent>,
}

impl<'a> Player<'a> {
    fn new(
        mut settings: Settings,
        header: &Header,
        modules: &'a [Registration],
        is_asked: bool,
    ) -> Result<Self, Exit> {
        if let Some(period_ms) = header.period_ms {
            settings.core.period = Duration::from_millis(period_ms);
        }
        let player = Self {
            settings,
            page_size: header.page_size.and_then(PageSize::new),
            modules,
            is_asked,
            unrecorded: Vec::new(),
            agent: None,
        };
        // What is wrong with the modules' options is to be said before the first frame is read.
        match player.agent(Recorded::new()) {
            Some(agent) => {
                complain_of_idle(agent.idle());
                Ok(player)
            }
            None => Err(Exit::Configuration),
        }
    }

    fn agent(&self, files: Recorded) -> Option<Agent> {
        let root = Root::Recorded(files);
        let (settings, modules) = (&self.settings, self.modules);
        let site = Site {
            page_size: self.page_size,
            mode: Mode::Rehearse,
            ..Site::looked_at(root)
        };
        let built = Agent::build(site, settings, modules);
        if let Err(errors) = &built {
            errors.0.iter().for_each(|error| complain(error));
        }
        built.ok()
    }

    /// The daemon, with the files of this frame.
    fn at(&mut self, frame: &Frame) -> Option<&mut Agent> {
        if let Some(agent) = &mut self.agent {
            agent.apply(frame);
        } else {
            let bytes = |(path, text): (&String, &Option<String>)| {
                Some((path.clone(), text.clone()?.into_bytes()))
            };
            self.look_for_tunables(frame);
            self.agent = self.agent(frame.files.iter().filter_map(bytes).collect());
        }
        self.agent.as_mut()
    }

    /// Switches off the modules whose tunables were not recorded, unless they were asked for: what they would say of a kernel
    /// without them is not known to be true.
    fn look_for_tunables(&mut self, frame: &Frame) {
        let is_recorded =
            |knob: &&Knob| frame.files.contains_key(knob.path.trim_start_matches('/'));
        for settings in self
            .settings
            .modules
            .iter_mut()
            .filter(|module| module.enabled)
        {
            let module = (self.modules.iter()).find(|module| module.name() == settings.name);
            let writes = module.map_or(&[][..], |module| &module.description.writes);
            let knobs: Vec<_> = writes
                .iter()
                .filter_map(|name| tunables::find(name))
                .collect();
            let missing = knobs.first().filter(|_| !knobs.iter().any(is_recorded));
            if let Some(knob) = missing {
                settings.enabled = self.is_asked;
                self.unrecorded.push((settings.name.clone(), knob.path));
            }
        }
    }

    fn play_log(&mut self, trace: &mut Reader<impl BufRead>) -> Result<Exit, PlayError> {
        let state = State::default();
        let stamped = Stamped::new(BufWriter::new(io::stdout()), state.clone());
        let mut journal = Logger::to_writer(Box::new(stamped), self.settings.core.verbosity);
        let mut reporter = Reporter::for_replay(Gaps::new(self.modules, self.is_asked));
        while let Some(frame) = trace.next_frame()? {
            state.set_time(frame.t_ms);
            if let Some(gaps) = reporter.gaps() {
                gaps.close(&frame);
            }
            if let Some(agent) = self.at(&frame) {
                reporter.report(&agent.scan(moment(frame.t_ms)), &mut journal);
            }
            self.tell_unrecorded(&mut journal);
        }
        report_follow_ups(&self.cut_short(), &mut journal);
        // With it the last lines are written.
        drop(journal);
        state.into_result()?;
        Ok(Exit::Done)
    }

    /// Says once what became of the modules whose tunable was not recorded.
    fn tell_unrecorded(&mut self, journal: &mut Logger) {
        for (module, path) in self.unrecorded.drain(..) {
            if self.is_asked {
                let text = format!(
                    "the trace does not contain {path}: the module sees a kernel without it"
                );
                journal.write(&Entry::new(Severity::Notice, &module, &text));
            } else {
                let text = format!("skipped: the trace does not contain {path}");
                let entry = Entry::new(Severity::Debug, &module, &text);
                journal.write(&entry.from_verbosity(1));
            }
        }
    }

    fn play_json(&mut self, trace: &mut Reader<impl BufRead>) -> Result<Exit, PlayError> {
        let verbosity = self.settings.core.verbosity;
        let mut output = BufWriter::new(io::stdout().lock());
        let mut write = |events: Vec<Value>| -> io::Result<()> {
            for event in events {
                serde_json::to_writer(&mut output, &event)?;
                output.write_all(b"\n")?;
            }
            Ok(())
        };
        let mut last = 0;
        // What the log would say of modules that were asked for.
        let (is_asked, mut blind) = (self.is_asked, BTreeSet::new());
        while let Some(frame) = trace.next_frame()? {
            let Some(agent) = self.at(&frame) else {
                continue;
            };
            last = frame.t_ms;
            let round = agent.scan(moment(last));
            if is_asked {
                blind.extend(round.handles.iter().filter_map(problem_of));
            }
            write(json::round(last, &round, verbosity))?;
        }
        write(json::follow_ups(last, &self.cut_short()))?;
        for problem in &blind {
            complain(problem);
        }
        output.flush()?;
        Ok(Exit::Done)
    }

    /// Prints what there is to know of one decision.
    fn play_for(&mut self, id: u64, trace: &mut Reader<impl BufRead>) -> Result<Exit, PlayError> {
        let mut records = Vec::new();
        let mut last_id = 0;
        let mut keep = |new: Vec<Record>| {
            last_id = new.iter().map(Record::id).fold(last_id, u64::max);
            records.extend(new.into_iter().filter(|record| record.id() == id));
        };
        while let Some(frame) = trace.next_frame()? {
            if let Some(agent) = self.at(&frame) {
                keep(agent.scan(moment(frame.t_ms)).records);
            }
        }
        keep(self.cut_short());
        Ok(explain::explain_replayed(id, &records, last_id))
    }

    /// Reports what happened after the last decisions: the trace is over.
    fn cut_short(&mut self) -> Vec<Record> {
        self.agent
            .as_mut()
            .map(Agent::cut_short)
            .unwrap_or_default()
    }
}

/// Returns why a module could not do its work in a scan, if it could not.
fn problem_of(handle: &ModuleHandle) -> Option<String> {
    let is_failed = handle.ending() == ScanResult::Answered(CallResult::Failed);
    let problem = handle
        .output()
        .problems
        .first()
        .map_or(NO_REASON, |(_, text)| text);
    is_failed.then(|| format!("{}: unavailable: {problem}", handle.name()))
}

fn moment(t_ms: u64) -> Uptime {
    Uptime(Duration::from_millis(t_ms))
}

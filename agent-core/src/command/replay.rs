//! `adaptivemmd replay`: what the daemon would have logged on a recorded machine.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufWriter, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adaptivemm_module_api::Severity;
use adaptivemm_module_api::units::{PageSize, Uptime};
use serde_json::Value;

use super::{Exit, complain, explain, modules, settings};
use crate::actuator::Mode;
use crate::agent::{Agent, Site};
use crate::bus::{Ending, Member};
use crate::catalogue::Registration;
use crate::cli::{Cli, Replay};
use crate::config::{Settings, did_you_mean};
use crate::decisions::Record;
use crate::events;
use crate::journal::{Entry, Journal};
use crate::loader::Verdict;
use crate::reporter::{Gaps, Reporter, report_aftermaths};
use crate::sampler::{Recorded, Root};
use crate::trace::{Frame, Header, Reader, TraceError};
use crate::tunables::{self, Knob};
use crate::words::NO_REASON;

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
            "{name}: the last line was cut off and is left out"
        ));
    }
    match outcome {
        Ok(Exit::Done) if player.agent.is_none() => {
            complain(&format_args!("{name}: there is no frame in it"));
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
    /// Modules were named on the command line.
    is_asked: bool,
    /// The modules that do not take part, and the tunable that each would need.
    left_out: Vec<(String, &'static str)>,
    /// The same of those that take part as they were asked for.
    unseen: Vec<(String, &'static str)>,
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
            left_out: Vec::new(),
            unseen: Vec::new(),
            agent: None,
        };
        // What is wrong with the modules' options is to be said before the first frame is read.
        match player.agent(Recorded::new()) {
            Some(_) => Ok(player),
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
            match knobs.first() {
                Some(knob) if self.is_asked && !knobs.iter().any(is_recorded) => {
                    self.unseen.push((settings.name.clone(), knob.path));
                }
                Some(knob) if !knobs.iter().any(is_recorded) => {
                    settings.enabled = false;
                    self.left_out.push((settings.name.clone(), knob.path));
                }
                _ => {}
            }
        }
    }

    fn play_log(&mut self, trace: &mut Reader<impl BufRead>) -> Result<Exit, PlayError> {
        let t_ms = Arc::new(AtomicU64::new(0));
        let lost = Arc::new(Mutex::new(None));
        let stamped = Stamped {
            output: BufWriter::new(io::stdout()),
            t_ms: Arc::clone(&t_ms),
            at_start: true,
            lost: Arc::clone(&lost),
        };
        let mut journal = Journal::to_writer(Box::new(stamped), self.settings.core.verbosity);
        let mut reporter = Reporter::of_replay(Gaps::new(self.modules, self.is_asked));
        while let Some(frame) = trace.next_frame()? {
            t_ms.store(frame.t_ms, Ordering::Relaxed);
            if let Some(gaps) = reporter.gaps() {
                gaps.close(&frame);
            }
            if let Some(agent) = self.at(&frame) {
                reporter.report(&agent.scan(moment(frame.t_ms)), &mut journal);
            }
            for (module, path) in self.unseen.drain(..) {
                let text =
                    format!("the trace does not hold {path}: the module sees a kernel without it");
                journal.write(&Entry::new(Severity::Notice, &module, &text));
            }
            for (module, path) in self.left_out.drain(..) {
                let text = format!("is left out, as the trace does not hold {path}");
                let entry = Entry::new(Severity::Debug, &module, &text);
                journal.write(&entry.from_verbosity(1));
            }
        }
        report_aftermaths(&self.cut_short(), &mut journal);
        // With it the last lines are written.
        drop(journal);
        let lost = lost.lock().unwrap_or_else(PoisonError::into_inner).take();
        lost.map_or(Ok(Exit::Done), |error| Err(error.into()))
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
                blind.extend(round.members.iter().filter_map(problem_of));
            }
            write(events::of_round(last, &round, verbosity))?;
        }
        write(events::of_aftermaths(last, &self.cut_short()))?;
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

    /// What happened after the last decisions: the trace is over.
    fn cut_short(&mut self) -> Vec<Record> {
        self.agent
            .as_mut()
            .map(Agent::cut_short)
            .unwrap_or_default()
    }
}

/// Why a module could not do its work in a scan, if it could not.
fn problem_of(member: &Member) -> Option<String> {
    let is_failed = member.ending() == Ending::Answered(Verdict::Failed);
    let problem = member
        .words()
        .problems
        .first()
        .map_or(NO_REASON, |(_, text)| text);
    is_failed.then(|| format!("{}: cannot do its work: {problem}", member.name()))
}

fn moment(t_ms: u64) -> Uptime {
    Uptime(Duration::from_millis(t_ms))
}

/// Puts the time in the trace before every line.
struct Stamped<W: Write> {
    output: W,
    t_ms: Arc<AtomicU64>,
    at_start: bool,
    /// The first error: a log goes on without one, and a replay is no log.
    lost: Arc<Mutex<Option<io::Error>>>,
}

impl<W: Write> Stamped<W> {
    fn write_stamped(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.at_start && !bytes.is_empty() {
            let t_ms = self.t_ms.load(Ordering::Relaxed);
            let mut stamp = String::new();
            let _never_fails = write!(stamp, "{}.{:03} ", t_ms / 1000, t_ms % 1000);
            self.output.write_all(stamp.as_bytes())?;
            self.at_start = false;
        }
        let line = bytes
            .iter()
            .position(|&byte| byte == b'\n')
            .map_or(bytes.len(), |end| end + 1);
        let written = self.output.write(&bytes[..line])?;
        self.at_start = written > 0 && bytes[written - 1] == b'\n';
        Ok(written)
    }

    /// Keeps the first error for the end.
    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
            let copy = || match error.raw_os_error() {
                Some(errno) => io::Error::from_raw_os_error(errno),
                None => io::Error::from(error.kind()),
            };
            lost.get_or_insert_with(copy);
        })
    }
}

impl<W: Write> Drop for Stamped<W> {
    fn drop(&mut self) {
        let _noted = self.flush();
    }
}

impl<W: Write> Write for Stamped<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.write_stamped(bytes);
        self.noted(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.output.flush();
        self.noted(flushed)
    }
}

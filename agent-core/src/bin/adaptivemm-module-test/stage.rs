//! A module in its process, and what it is shown there.

use std::time::Duration;

use adaptivemm_module_api::units::Uptime;

use super::candidate::{Candidate, Values};
use super::manners::Manners;
use super::reel::{Files, Reel};
use agent_core::base::clock;
use agent_core::kernel::snapshot::Tunable;
use agent_core::kernel::trace::Frame;
use agent_core::kernel::{Recorded, Root, Sampler, Snapshot, Wanted};
use agent_core::modules::abi::{CallResult, CreateError};
use agent_core::modules::isolation::Process;
use agent_core::modules::output::{ModuleOutput, NO_REASON};
use agent_core::modules::permit::Permit;

/// Some time after the machine was started, so that there is a time before.
const START: Duration = Duration::from_secs(7 * 24 * 3600);

/// How a module answered, if it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It did its work.
    Good,
    /// It could not, and this is why.
    Failed(String),
}

/// Whose values the tunables have, which no file says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Whose {
    /// Nobody has changed one.
    #[default]
    Original,
    /// The daemon has changed all of them.
    Ours,
    /// Somebody else has changed all of them while the daemon ran.
    Theirs,
}

/// A module in a process of its own.
#[derive(Debug)]
pub(super) struct Stage<'m> {
    process: Process,
    sampler: Sampler,
    period: Duration,
    wanted: Wanted,
    whose: Whose,
    permit: Permit,
    output: ModuleOutput,
    took: Duration,
    is_gone: bool,
    manners: &'m mut Manners,
}

impl<'m> Stage<'m> {
    /// Starts the process, and creates the module in it.
    pub(super) fn new(
        candidate: &Candidate,
        values: &Values,
        reel: &Reel,
        manners: &'m mut Manners,
    ) -> Result<Self, CreateError> {
        let wanted = candidate.module.wanted();
        let root = Root::Recorded(Recorded::new());
        Ok(Self {
            process: candidate.start(values)?,
            sampler: Sampler::new(root, wanted.clone(), reel.page_size),
            period: reel.period,
            wanted,
            whose: Whose::default(),
            permit: candidate.permit(),
            output: ModuleOutput::default(),
            took: Duration::ZERO,
            is_gone: false,
            manners,
        })
    }

    /// Shows a frame to the module.
    ///
    /// # Errors
    ///
    /// If it does not answer as it should.
    pub(super) fn show(&mut self, frame: &Frame) -> Result<Answer, String> {
        self.sampler.apply(frame);
        let snapshot = self.snapshot(frame.t_ms);
        self.output.clear();
        let start = clock::now();
        let verdict =
            self.process
                .scan_in_time(&snapshot, &self.wanted, &self.permit, &mut self.output);
        self.took = clock::now() - start;
        self.manners.note(&self.output);
        let problem = self
            .output
            .problems
            .first()
            .map_or("", |(_, text)| text.as_str());
        match verdict {
            CallResult::Good => Ok(Answer::Good),
            CallResult::Failed if problem.is_empty() || problem.starts_with(NO_REASON) => {
                Err("it fails, and says no reason".to_owned())
            }
            CallResult::Failed => Ok(Answer::Failed(problem.to_owned())),
            CallResult::Panicked => {
                self.is_gone = true;
                Err(format!("it broke down: {problem}"))
            }
            CallResult::Died => {
                self.is_gone = true;
                Err(problem.to_owned())
            }
        }
    }

    /// Shows these files, and no others.
    ///
    /// # Errors
    ///
    /// If the module does not answer as it should.
    pub(super) fn show_files(&mut self, t_ms: u64, files: &Files) -> Result<Answer, String> {
        let gone = match self.sampler.root() {
            Root::Recorded(known) => known
                .keys()
                .filter(|path| !files.contains_key(*path))
                .cloned()
                .collect(),
            Root::Directory(_) => Vec::new(),
        };
        let gone = gone.into_iter().map(|path| (path, None));
        let there = files
            .iter()
            .map(|(path, text)| (path.clone(), Some(text.clone())));
        self.show(&Frame {
            t_ms,
            files: gone.chain(there).collect(),
        })
    }

    /// From now on the values of all tunables are those of somebody.
    pub(super) fn give_tunables(&mut self, whose: Whose) {
        self.whose = whose;
    }

    /// Lets the module miss a scan.
    pub(super) fn miss(&mut self, t_ms: u64) {
        self.snapshot(t_ms);
    }

    fn snapshot(&mut self, t_ms: u64) -> std::sync::Arc<Snapshot> {
        let now = Uptime(START + Duration::from_millis(t_ms));
        let whose = self.whose;
        self.sampler.take_with(now, self.period, |snapshot| {
            for tunable in &mut snapshot.tunables {
                whose.mark(tunable);
            }
        })
    }

    /// What it said about the last frame.
    pub(super) fn output(&self) -> &ModuleOutput {
        &self.output
    }

    /// How long the last answer took, with the way to the process and back.
    pub(super) fn took(&self) -> Duration {
        self.took
    }

    /// The memory of the process, in bytes.
    pub(super) fn resident(&self) -> Option<u64> {
        let path = format!("/proc/{}/statm", self.process.number()?);
        let text = Root::live().read(&path).ok()?;
        let pages: u64 = String::from_utf8(text)
            .ok()?
            .split(' ')
            .nth(1)?
            .parse()
            .ok()?;
        Some(pages * rustix::param::page_size() as u64)
    }

    /// Ends the module and its process.
    ///
    /// # Errors
    ///
    /// If that does not go well. That of one that is gone already was told.
    pub(super) fn end(self) -> Result<(), String> {
        if self.is_gone {
            Ok(())
        } else {
            self.process.end()
        }
    }
}

impl Whose {
    fn mark(self, tunable: &mut Tunable) {
        match self {
            Self::Original => {}
            Self::Ours => tunable.original = tunable.value.map(|value| value / 2 + 1),
            Self::Theirs => tunable.yielded = true,
        }
    }
}

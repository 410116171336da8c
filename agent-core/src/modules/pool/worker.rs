//! The thread of one module.

use std::io;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle, Thread};

use adaptivemm_module_api::units::Uptime;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use rustix::process::setpriority_process;
use rustix::thread::{Pid, gettid};

use crate::kernel::Snapshot;
use crate::modules::abi::CallResult;
use crate::modules::crash_marker::Slot;
use crate::modules::isolation::KillSwitch;
use crate::modules::output::ModuleOutput;
use crate::modules::runner::{CreateError, Recipe, Runner};

/// Enough for a module that keeps no large arrays on its stack.
const STACK: usize = 512 << 10;
/// The lowest priority there is.
const NICE: i32 = 19;

/// A snapshot to look at, and where to answer.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) handle: usize,
    pub(super) snapshot: Arc<Snapshot>,
    /// Buffers for the words; they come back with the reply.
    pub(super) output: ModuleOutput,
    pub(super) reply_to: Sender<Reply>,
    /// The thread that waits for the reply.
    pub(super) core: Thread,
}

/// The answer of a module about a snapshot.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) handle: usize,
    pub(super) scan: u64,
    /// The time at which the snapshot was taken.
    pub(super) seen: Uptime,
    pub(super) verdict: CallResult,
    pub(super) output: ModuleOutput,
}

/// A module's thread, as the core sees it.
#[derive(Debug)]
pub(super) struct Worker {
    /// `None` once it is to end.
    jobs: Option<Sender<Job>>,
    made: Receiver<Result<(), CreateError>>,
    handle: JoinHandle<()>,
    id: Arc<OnceLock<Pid>>,
    leash: Arc<KillSwitch>,
}

impl Worker {
    /// Starts the thread, which makes the module.
    ///
    /// # Errors
    ///
    /// Returns an error if the kernel gives us no more threads.
    pub(super) fn start(recipe: Recipe, slot: Option<Slot>) -> io::Result<Self> {
        let (jobs, to_do) = bounded(1);
        let (tell, made) = bounded(1);
        let (id, leash) = (Arc::new(OnceLock::new()), Arc::new(KillSwitch::default()));
        let core = thread::current();
        // The kernel keeps 15 bytes of a thread's name.
        let name: String = recipe.module.name().chars().take(15).collect();
        let builder = thread::Builder::new().name(name).stack_size(STACK);
        let (my_id, my_leash) = (Arc::clone(&id), Arc::clone(&leash));
        let handle = builder.spawn(move || {
            let _only_once = my_id.set(gettid());
            let desk = Desk::make(&recipe, &my_leash, slot);
            let (desk, result) = match desk {
                Ok(desk) => (Some(desk), Ok(())),
                Err(not_created) => (None, Err(not_created)),
            };
            let _core_is_gone = tell.send(result);
            core.unpark();
            if let Some(desk) = desk {
                desk.work(&to_do);
            }
        })?;
        Ok(Self {
            jobs: Some(jobs),
            made,
            handle,
            id,
            leash,
        })
    }

    /// Returns whether the module was made; `None` if that still goes on. The result is told once.
    pub(super) fn made(&self) -> Option<Result<(), CreateError>> {
        match self.made.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(Err(CreateError::Broken("its thread has ended".into())))
            }
        }
    }

    /// Gives the module a snapshot. `false` if its thread is gone.
    pub(super) fn hand_out(&self, job: Job) -> bool {
        let sent = self
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.try_send(job).is_ok());
        self.handle.thread().unpark();
        sent
    }

    /// Leaves the thread to itself. A process is killed; a thread cannot be, but it need not be in the way.
    pub(super) fn set_aside(&mut self) {
        self.jobs = None;
        self.handle.thread().unpark();
        self.leash.cut();
        if let Some(id) = self.id.get() {
            let _stays_in_the_way = setpriority_process(Some(*id), NICE);
        }
    }

    /// Returns true if the thread has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.handle.is_finished()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The thread ends when it finds the other end gone.
        self.jobs = None;
        self.handle.thread().unpark();
    }
}

/// The state of the thread.
struct Desk {
    runner: Option<Runner>,
    slot: Option<Slot>,
}

impl Desk {
    fn make(
        recipe: &Recipe,
        leash: &Arc<KillSwitch>,
        slot: Option<Slot>,
    ) -> Result<Self, CreateError> {
        // Only a module in our own process can take us with it.
        let slot = slot.filter(|_| recipe.is_here());
        let runner = marked(slot.as_ref(), || recipe.make(leash))?;
        let runner = Some(runner);
        Ok(Self { runner, slot })
    }

    fn work(mut self, to_do: &Receiver<Job>) {
        loop {
            match to_do.try_recv() {
                Ok(job) => self.answer(job),
                Err(TryRecvError::Empty) => thread::park(),
                Err(TryRecvError::Disconnected) => return,
            }
        }
    }

    fn answer(&mut self, mut job: Job) {
        let verdict = match &mut self.runner {
            Some(runner) => marked(self.slot.as_ref(), || {
                runner.scan(&job.snapshot, &mut job.output)
            }),
            None => CallResult::Died,
        };
        let Job {
            handle,
            snapshot,
            output,
            reply_to,
            core,
        } = job;
        let (scan, seen) = (snapshot.scan, snapshot.uptime);
        // The sampler can only use a snapshot again that nobody holds.
        drop(snapshot);
        let _core_is_gone = reply_to.try_send(Reply {
            handle,
            scan,
            seen,
            verdict,
            output,
        });
        core.unpark();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let runner = self.runner.take();
        marked(self.slot.as_ref(), || drop(runner));
    }
}

/// Calls the module; if that ends the daemon, the next one knows who it was.
fn marked<R>(slot: Option<&Slot>, call: impl FnOnce() -> R) -> R {
    let _visit = slot.map(Slot::enter);
    call()
}

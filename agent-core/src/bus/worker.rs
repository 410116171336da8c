//! The thread of one module.

use std::io;
use std::sync::Arc;
use std::thread::{self, Thread};

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use rustix::thread::{CpuSet, Pid, gettid, sched_getcpu, sched_setaffinity};

use crate::loader::{Instance, Verdict};
use crate::sampler::Snapshot;
use crate::words::Words;

/// Enough for a module that keeps no large arrays on its stack.
const STACK: usize = 512 << 10;

/// A snapshot to look at, and where to answer.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) member: usize,
    pub(super) snapshot: Arc<Snapshot>,
    /// Buffers for the words; they come back with the reply.
    pub(super) words: Words,
    pub(super) reply_to: Sender<Reply>,
    /// Who waits for the reply.
    pub(super) core: Thread,
}

/// What a module said about a snapshot.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) member: usize,
    pub(super) scan: u64,
    pub(super) verdict: Verdict,
    pub(super) words: Words,
}

/// Where a module runs.
#[derive(Debug)]
pub(super) enum Seat {
    /// In the caller's thread.
    Inline(Box<Instance>),
    /// In a thread of its own.
    Thread(Worker),
    /// Nowhere any more.
    Abandoned,
}

/// A module's thread, as the core sees it.
#[derive(Debug)]
pub(super) struct Worker {
    /// `None` only while it is dropped.
    jobs: Option<Sender<Job>>,
    thread: Thread,
    id: Pid,
    cpu: Option<usize>,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If the kernel gives us no more threads.
    pub(super) fn start(module: &str, instance: Instance) -> io::Result<Self> {
        let (jobs, to_do) = bounded(1);
        let (tell, told) = bounded(1);
        let run = move || {
            let _told = tell.send(gettid());
            work(instance, &to_do);
        };
        // The kernel keeps 15 bytes of a thread's name.
        let name: String = module.chars().take(15).collect();
        let handle = thread::Builder::new()
            .name(name)
            .stack_size(STACK)
            .spawn(run)?;
        let id = told.recv().map_err(io::Error::other)?;
        Ok(Self {
            jobs: Some(jobs),
            thread: handle.thread().clone(),
            id,
            cpu: None,
        })
    }

    /// Gives the module a snapshot. `false` if its thread is gone.
    pub(super) fn hand_out(&mut self, job: Job) -> bool {
        self.follow();
        let sent = self
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.try_send(job).is_ok());
        self.thread.unpark();
        sent
    }

    /// Lets the thread run on the processor that the core is on. The core is about to wait for it, so
    /// nothing is lost; waking a thread on another processor costs as much as reading all the files, in
    /// a virtual machine (`cargo bench` shows it).
    fn follow(&mut self) {
        let here = sched_getcpu();
        if self.cpu == Some(here) || here >= CpuSet::MAX_CPU {
            return;
        }
        let mut only_here = CpuSet::new();
        only_here.set(here);
        // Where that is not allowed the thread runs where it likes.
        let _slower = sched_setaffinity(Some(self.id), &only_here);
        self.cpu = Some(here);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The thread ends when it finds the other end gone.
        self.jobs = None;
        self.thread.unpark();
    }
}

fn work(mut instance: Instance, to_do: &Receiver<Job>) {
    loop {
        match to_do.try_recv() {
            Ok(mut job) => {
                let verdict = instance.scan(&job.snapshot, &mut job.words);
                let Job {
                    member,
                    snapshot,
                    words,
                    reply_to,
                    core,
                } = job;
                let scan = snapshot.scan;
                // The sampler can only use a snapshot again that nobody holds.
                drop(snapshot);
                let _core_is_gone = reply_to.try_send(Reply {
                    member,
                    scan,
                    verdict,
                    words,
                });
                core.unpark();
            }
            Err(TryRecvError::Empty) => thread::park(),
            Err(TryRecvError::Disconnected) => return,
        }
    }
}

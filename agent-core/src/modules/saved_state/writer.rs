//! Writes states in a thread of its own: a slow or full disk never holds up a scan.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::file::{self, Stamp};
use crate::base::news::News;

/// The time that the daemon waits at its end until all is written.
const LONGEST_END: Duration = Duration::from_secs(2);

/// The states of all modules, where the core puts them and the thread finds them. Nobody holds it while
/// something is written.
#[derive(Debug, Default)]
pub(super) struct StateQueue(Mutex<Vec<QueuedState>>);

/// The state that one module kept last.
#[derive(Debug)]
struct QueuedState {
    module: String,
    version: String,
    state: Vec<u8>,
    is_new: bool,
}

impl StateQueue {
    /// Without copying: it comes in every scan, and may be large. What was there before is in `state` afterwards.
    pub(super) fn put(&self, module: &str, version: &str, state: &mut Vec<u8>) {
        let mut all = self.lock();
        let index = all.iter().position(|kept| kept.module == module);
        let kept = if let Some(index) = index {
            &mut all[index]
        } else {
            all.push(QueuedState {
                module: module.to_owned(),
                version: String::new(),
                state: Vec::new(),
                is_new: false,
            });
            let last = all.len() - 1;
            &mut all[last]
        };
        kept.version.clear();
        kept.version.push_str(version);
        std::mem::swap(&mut kept.state, state);
        kept.is_new = true;
    }

    pub(super) fn state(&self, module: &str) -> Option<Arc<[u8]>> {
        let all = self.lock();
        let kept = all.iter().find(|kept| kept.module == module)?;
        Some(kept.state.as_slice().into())
    }

    pub(super) fn has_news(&self) -> bool {
        self.lock().iter().any(|kept| kept.is_new)
    }

    /// A copy of what is new at this place, which is not new from then on.
    fn take(&self, index: usize) -> Option<(String, String, Vec<u8>)> {
        let mut all = self.lock();
        let kept = all.get_mut(index).filter(|kept| kept.is_new)?;
        kept.is_new = false;
        Some((
            kept.module.clone(),
            kept.version.clone(),
            kept.state.clone(),
        ))
    }

    /// Marks a state as new again, as it was not written after all.
    fn renew(&self, index: usize) {
        if let Some(kept) = self.lock().get_mut(index) {
            kept.is_new = true;
        }
    }

    fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<QueuedState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Writer {
    state_dir: PathBuf,
    wake: Sender<()>,
    ended: Receiver<()>,
    /// The reason why nothing can be written.
    problem: Arc<Mutex<Option<String>>>,
    was_bad: bool,
}

impl Writer {
    pub(super) fn start(
        state_dir: &Path,
        stamp: &Stamp,
        queue: Arc<StateQueue>,
    ) -> io::Result<Self> {
        let (wake, woken) = bounded(1);
        let (end, ended) = bounded(0);
        let problem = Arc::new(Mutex::new(None));
        let (directory, shared) = (state_dir.to_owned(), Arc::clone(&problem));
        let mut stamp = stamp.clone();
        thread::Builder::new()
            .name("module-states".to_owned())
            .spawn(move || {
                // Dropped with the thread, which tells that it has ended.
                let _end: Sender<()> = end;
                while let Ok(()) = woken.recv() {
                    *lock(&shared) = write_all(&directory, &mut stamp, &queue);
                }
                *lock(&shared) = write_all(&directory, &mut stamp, &queue);
            })?;
        Ok(Self {
            state_dir: state_dir.to_owned(),
            wake,
            ended,
            problem,
            was_bad: false,
        })
    }

    /// Writes what is new; nobody waits for that.
    pub(super) fn wake(&self) {
        let _is_awake = self.wake.try_send(());
    }

    /// Returns what has changed since this was last asked: that nothing can be written, or that it can be again.
    pub(super) fn news(&mut self) -> Option<News> {
        let problem = lock(&self.problem);
        if problem.is_some() == self.was_bad {
            return None;
        }
        self.was_bad = problem.is_some();
        let directory = self.state_dir.display();
        let text = match &*problem {
            Some(problem) => format!(
                "cannot save the state of modules to {directory}; it is lost when the daemon ends: {problem}"
            ),
            None => format!("the state of modules is saved to {directory} again"),
        };
        Some(News {
            is_bad: self.was_bad,
            text,
        })
    }

    /// Writes what is new, and waits for that, but not for long.
    pub(super) fn end(self) {
        let Self { wake, ended, .. } = self;
        drop(wake);
        let _over_or_too_slow = ended.recv_timeout(LONGEST_END);
    }
}

/// Writes all that is new, and returns the problem if something could not be written. That is tried again the next
/// time.
fn write_all(state_dir: &Path, stamp: &mut Stamp, queue: &StateQueue) -> Option<String> {
    let mut problem = None;
    for index in 0..queue.len() {
        let Some((module, version, state)) = queue.take(index) else {
            continue;
        };
        stamp.version = version;
        if let Err(error) = file::write(state_dir, &module, stamp, &state) {
            queue.renew(index);
            problem = Some(error.to_string());
        }
    }
    problem
}

fn lock(problem: &Mutex<Option<String>>) -> MutexGuard<'_, Option<String>> {
    problem.lock().unwrap_or_else(PoisonError::into_inner)
}

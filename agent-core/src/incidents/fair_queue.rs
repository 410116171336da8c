//! Work that waits for the writer, a queue for each module: they take turns, and one that is full loses only its own.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The amount of work of a module that may wait; what comes then is lost.
pub(super) const WAITING: usize = 8;

/// The queues of all modules.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    /// The queues by module; the one whose turn is next is first.
    queues: VecDeque<(String, VecDeque<T>)>,
    has_ended: bool,
}

impl<T> FairQueue<T> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                queues: VecDeque::new(),
                has_ended: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Adds work of a module, without waiting. `false` if too much of it waits already.
    pub(super) fn push(&self, module: &str, work: T) -> bool {
        let mut state = self.lock();
        let found = state.queues.iter_mut().find(|(name, _)| name == module);
        if let Some((_, queue)) = found {
            if queue.len() >= WAITING {
                return false;
            }
            queue.push_back(work);
        } else {
            let mut queue = VecDeque::with_capacity(WAITING);
            queue.push_back(work);
            state.queues.push_back((module.to_owned(), queue));
        }
        self.changed.notify_one();
        true
    }

    /// Waits for the next work, of the module whose turn it is. `None` when all is done and no more is to come.
    pub(super) fn next(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            // An empty queue is kept for what its module has to do next.
            let turn = state.queues.iter().position(|(_, queue)| !queue.is_empty());
            if let Some(mut queue) = turn.and_then(|turn| state.queues.remove(turn)) {
                let work = queue.1.pop_front();
                state.queues.push_back(queue);
                return work;
            }
            if state.has_ended {
                return None;
            }
            let woken = self.changed.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// No more work is to come.
    pub(super) fn end(&self) {
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_take_turns_and_a_flood_loses_only_its_own() {
        let turns = FairQueue::new();
        let taken = (0..100).filter(|n| turns.push("chaos", *n)).count();
        assert!(turns.push("memleak", 1000) && turns.push("memleak", 1001));
        turns.end();

        let done: Vec<i32> = std::iter::from_fn(|| turns.next()).collect();

        assert_eq!(taken, WAITING);
        assert_eq!(done, [0, 1000, 1, 1001, 2, 3, 4, 5, 6, 7]);
    }
}

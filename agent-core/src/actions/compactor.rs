//! Compacts nodes, one after another, in a thread of its own: the kernel returns only when it is done, which can
//! take seconds.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::actuator::write;
use super::outcome::Notice;
use crate::base::clock;

/// The text that makes the kernel compact a node.
const ALL: &str = "1";

/// The thread, which is started with the first compaction.
#[derive(Debug, Default)]
pub(super) struct Compactor {
    channels: Option<(Sender<CompactionTask>, Receiver<CompactionResult>)>,
    busy: BTreeMap<u32, PathBuf>,
}

#[derive(Debug)]
struct CompactionTask {
    node: u32,
    path: PathBuf,
}

#[derive(Debug)]
struct CompactionResult {
    node: u32,
    took: Duration,
    result: io::Result<()>,
}

impl Compactor {
    /// True if the node is being compacted, or about to be.
    pub(super) fn is_busy(&self, node: u32) -> bool {
        self.busy.contains_key(&node)
    }

    /// Compacts the node whose file this is.
    ///
    /// # Errors
    ///
    /// If the kernel gives us no thread.
    pub(super) fn begin(&mut self, node: u32, path: PathBuf) -> io::Result<()> {
        let channels = match self.channels.take() {
            Some(channels) => channels,
            None => start()?,
        };
        let (jobs, _) = self.channels.insert(channels);
        let job = CompactionTask {
            node,
            path: path.clone(),
        };
        jobs.send(job)
            .map_err(|_| io::Error::other("the compaction thread has ended"))?;
        self.busy.insert(node, path);
        Ok(())
    }

    /// The compactions that have ended since the last call.
    pub(super) fn ended(&mut self) -> Vec<Notice> {
        let ended: Vec<CompactionResult> = match &self.channels {
            Some((_, ended)) => ended.try_iter().collect(),
            None => Vec::new(),
        };
        let mut notices = Vec::new();
        for CompactionResult { node, took, result } in ended {
            let path = self.busy.remove(&node).unwrap_or_default();
            let error = result.err();
            notices.push(Notice::Compacted {
                node,
                took,
                error: error.map(|error| format!("cannot write {}: {error}", path.display())),
            });
        }
        notices
    }
}

fn start() -> io::Result<(Sender<CompactionTask>, Receiver<CompactionResult>)> {
    // It stays short: a node is in it once at most.
    let (give, jobs) = unbounded::<CompactionTask>();
    let (tell, ended) = unbounded();
    thread::Builder::new()
        .name("compactor".to_owned())
        .stack_size(64 << 10)
        .spawn(move || {
            for CompactionTask { node, path } in jobs {
                let before = clock::now();
                let result = write(&path, ALL);
                let took = before.elapsed();
                if tell.send(CompactionResult { node, took, result }).is_err() {
                    break;
                }
            }
        })?;
    Ok((give, ended))
}

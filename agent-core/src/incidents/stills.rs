//! The texts of the kernel's files in some of the last scans, and how they become a trace.

use std::collections::VecDeque;
use std::io;

use adaptivemm_module_api::units::Uptime;

use crate::sampler::{ReadError, Snapshot};
use crate::trace::{Compression, Header, Writer};

/// One scan in so many is kept.
const EVERY: u64 = 10;
/// So many of them are kept, if they are small.
const MOST: usize = 12;
/// All together are not larger than this, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// What the files of one scan held.
#[derive(Debug, Clone, Default)]
pub(super) struct Still {
    at: Uptime,
    /// Paths and texts; `None` for a file that could not be read.
    files: Vec<(String, Option<Vec<u8>>)>,
}

/// The last ones.
#[derive(Debug, Default)]
pub(super) struct Stills(VecDeque<Still>);

impl Still {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let mut still = Self::default();
        still.take(snapshot);
        still
    }

    /// Without allocating, if it held the same files before.
    fn take(&mut self, snapshot: &Snapshot) {
        self.at = snapshot.uptime;
        let mut used = 0;
        for (path, text, result) in snapshot.readings() {
            if used == self.files.len() {
                self.files.push((String::new(), None));
            }
            let (name, content) = &mut self.files[used];
            if name != path {
                path.clone_into(name);
            }
            if result.as_ref().is_err_and(ReadError::is_io) {
                *content = None;
            } else {
                let content = content.get_or_insert_default();
                content.clear();
                content.extend_from_slice(text.bytes());
            }
            used += 1;
        }
        self.files.truncate(used);
    }

    fn size(&self) -> usize {
        let texts = self.files.iter().filter_map(|(_, text)| text.as_ref());
        texts.map(Vec::len).sum()
    }
}

impl Stills {
    /// Looks at a scan, and keeps it if it is its turn.
    pub(super) fn note(&mut self, snapshot: &Snapshot) {
        if snapshot.scan % EVERY != 1 {
            return;
        }
        let mut still = if self.0.len() >= MOST {
            self.0.pop_front().unwrap_or_default()
        } else {
            Still::default()
        };
        still.take(snapshot);
        self.0.push_back(still);
        let mut size: usize = self.0.iter().map(Still::size).sum();
        while size > MOST_BYTES {
            let Some(oldest) = self.0.pop_front() else {
                return;
            };
            size -= oldest.size();
        }
    }

    /// All of them, the oldest first.
    pub(super) fn all(&self) -> Vec<Still> {
        self.0.iter().cloned().collect()
    }
}

/// Scans as a trace, compressed. Its clock is the time since boot.
pub(super) fn trace(header: &Header, stills: &[Still]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Compression::Zstd, header)?;
    for still in stills {
        let files = still
            .files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_deref()));
        let t_ms = u64::try_from(still.at.0.as_millis()).unwrap_or(u64::MAX);
        writer.frame(t_ms, files)?;
    }
    writer.finish()?;
    Ok(bytes)
}

//! The texts of the kernel's files in some of the last scans, and how they become a trace.

use std::collections::VecDeque;
use std::io;

use adaptivemm_module_api::units::Uptime;

use crate::kernel::trace::{Compression, Header, Writer};
use crate::kernel::{ReadError, Snapshot};

/// One scan in so many is kept.
const EVERY: u64 = 10;
/// The number of scans that are kept, if they are small.
const MOST: usize = 12;
/// All together are not larger than this, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// The content of the files of one scan.
#[derive(Debug, Clone, Default)]
pub(in crate::incidents) struct RecentScan {
    at: Uptime,
    /// Paths and texts; `None` for a file that could not be read.
    files: Vec<(String, Option<Vec<u8>>)>,
}

/// The last scans.
#[derive(Debug, Default)]
pub(in crate::incidents) struct RecentScans(VecDeque<RecentScan>);

impl RecentScan {
    pub(in crate::incidents) fn from_snapshot(snapshot: &Snapshot) -> Self {
        let mut still = Self::default();
        still.take(snapshot);
        still
    }

    /// Without allocating, if it held files as long before.
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
                if content.capacity() < text.bytes().len() {
                    // Room for numbers that become longer.
                    content.reserve_exact(text.bytes().len() * 5 / 4);
                }
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

impl RecentScans {
    /// Looks at a scan, and keeps it if it is its turn. It goes into the buffers of one that gives way to it.
    pub(in crate::incidents) fn note(&mut self, snapshot: &Snapshot) {
        if snapshot.scan % EVERY != 1 {
            return;
        }
        let size: usize = snapshot
            .readings()
            .map(|(_, text, _)| text.bytes().len())
            .sum();
        let mut kept: usize = self.0.iter().map(RecentScan::size).sum();
        let mut still = RecentScan::default();
        while self.0.len() >= MOST || kept + size > MOST_BYTES {
            let Some(oldest) = self.0.pop_front() else {
                // The scan is so large that not even one fits.
                return;
            };
            kept -= oldest.size();
            still = oldest;
        }
        still.take(snapshot);
        self.0.push_back(still);
    }

    /// All of them, the oldest first.
    pub(in crate::incidents) fn all(&self) -> Vec<RecentScan> {
        self.0.iter().cloned().collect()
    }
}

/// Scans as a trace, compressed. Its clock is the time since boot.
pub(in crate::incidents) fn trace(
    header: &Header,
    recent_scans: &[RecentScan],
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Compression::Zstd, header)?;
    for still in recent_scans {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::kernel::trace::Frame;
    use crate::kernel::{Root, Sampler, Wanted};

    /// The first bytes of what was kept of `/proc/meminfo`, whose text is as long as this in each scan.
    fn kept(lengths: impl IntoIterator<Item = usize>) -> Vec<String> {
        let mut wanted = Wanted::default();
        wanted.add_file("/proc/meminfo");
        let mut sampler = Sampler::new(Root::Recorded([].into()), wanted, None);
        let mut recent_scans = RecentScans::default();
        for (scan, length) in (1..).zip(lengths) {
            let text = format!("Scan: {scan} kB{}\n", " ".repeat(length));
            sampler.apply(&Frame {
                t_ms: 0,
                files: [("proc/meminfo".to_owned(), Some(text))].into(),
            });
            recent_scans.note(&sampler.take(Uptime::default(), Duration::from_secs(30)));
        }
        let all = recent_scans.all();
        all.iter()
            .map(|scan| {
                let text = scan.files[0].1.as_deref().unwrap();
                String::from_utf8_lossy(text)[..8].trim().to_owned()
            })
            .collect()
    }

    #[test]
    fn one_scan_in_ten_is_kept_and_the_oldest_gives_way() {
        assert_eq!(kept([100; 25]), ["Scan: 1", "Scan: 11", "Scan: 21"]);
        let many = kept([100; 200]);
        assert_eq!((many.len(), many[0].as_str()), (MOST, "Scan: 81"));
    }

    #[test]
    fn large_scans_are_fewer_and_one_that_is_too_large_is_not_kept() {
        let third = MOST_BYTES / 3 - 100;

        assert_eq!(kept([third; 60]), ["Scan: 31", "Scan: 41", "Scan: 51"]);
        assert_eq!(kept([MOST_BYTES; 20]), [""; 0]);
        let shrinking = (0..30).map(|scan| if scan < 20 { third * 2 } else { 100 });
        assert_eq!(kept(shrinking), ["Scan: 11", "Scan: 21"]);
    }
}

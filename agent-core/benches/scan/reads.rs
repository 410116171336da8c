//! The least that a scan can cost: to read the same files in the same way, and do nothing with them.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// The most that is asked for at once. Of a tunable the kernel first makes room for as much.
const AT_ONCE: usize = 16 << 10;
const POOLS: &str = "/sys/kernel/mm/hugepages";

/// The files of a scan, in the order of a scan.
#[derive(Debug)]
pub(crate) struct Reads {
    files: Vec<File>,
    buffer: Vec<u8>,
}

impl Reads {
    /// What the sampler reads for memleak on this machine.
    pub(crate) fn for_memleak() -> Self {
        Self::with(&[])
    }

    /// What the sampler reads for the modules that run by default, where there is such a file.
    pub(crate) fn for_defaults() -> Self {
        Self::with(&[
            "/proc/buddyinfo",
            "/proc/pressure/memory",
            "/proc/sys/vm/watermark_scale_factor",
            "/proc/sys/fs/negative-dentry-limit",
        ])
    }

    /// meminfo comes twice: the sampler looks whether memory moved meanwhile.
    fn with(more: &[&str]) -> Self {
        let pools = fs::read_dir(POOLS).into_iter().flatten();
        let pools = pools.map(|pool| pool.unwrap().path().join("nr_hugepages"));
        let first = ["/proc/meminfo", "/proc/vmstat", "/proc/zoneinfo"].map(Into::into);
        let last = ["/proc/meminfo".into()];
        let more = more.iter().map(Into::into);
        let more = more.filter(|path: &PathBuf| path.exists());
        let files = first.into_iter().chain(more).chain(pools).chain(last);
        Self {
            files: files
                .map(|path: PathBuf| File::open(path).unwrap())
                .collect(),
            buffer: vec![0; 8 << 20],
        }
    }

    /// Reads every file from its start until nothing more comes.
    pub(crate) fn read(&mut self) {
        for file in &self.files {
            let mut end = 0;
            loop {
                let space = &mut self.buffer[end..end + AT_ONCE];
                match file.read_at(space, end as u64).unwrap() {
                    0 => break,
                    read => end += read,
                }
            }
        }
    }
}

/// How often this process has read so far, and how many bytes that gave. `None` where the kernel does
/// not count it.
pub(crate) fn so_far() -> Option<(u64, u64)> {
    let text = String::from_utf8(fs::read("/proc/self/io").ok()?).ok()?;
    let number = |key| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
    };
    Some((number("syscr:")?, number("rchar:")?))
}

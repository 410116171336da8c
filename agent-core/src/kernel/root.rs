//! The source of kernel files: a directory, or a recorded machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::iter;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::module_files::FileBudget;
use crate::base::clock;
use crate::kernel::trace::Frame;

/// The one door to kernel files. Paths are written as on a live machine.
#[derive(Debug, Clone)]
pub enum Root {
    /// A directory that holds `proc` and `sys`: `/` live, a recorded tree in tests.
    Directory(PathBuf),
    /// The files of a frame of a trace. Their contents change between scans.
    Recorded(Recorded),
}

/// Files by their path, without the leading slash.
pub type Recorded = BTreeMap<String, Vec<u8>>;

impl Root {
    /// The machine we run on.
    #[must_use]
    pub fn live() -> Self {
        Self::Directory(PathBuf::from("/"))
    }

    /// True if this is the machine we run on, as opposed to a tree or a recording.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Directory(directory) if directory == Path::new("/"))
    }

    /// The place of `path` in the file system; `None` in a recording.
    #[must_use]
    pub fn locate(&self, path: &str) -> Option<PathBuf> {
        match self {
            Self::Directory(directory) => Some(directory.join(path.trim_start_matches('/'))),
            Self::Recorded(_) => None,
        }
    }

    /// The names in a directory, sorted; none if it does not exist.
    ///
    /// # Errors
    ///
    /// If it exists and cannot be read.
    pub fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let mut names: Vec<String> = self.names(path)?.collect::<io::Result<_>>()?;
        names.sort_unstable();
        Ok(names)
    }

    /// The names in a directory one by one as they are read, in any order: a directory of the kernel may have many, and
    /// takes its time for each.
    ///
    /// # Errors
    ///
    /// If it exists and cannot be read.
    pub fn names(&self, path: &str) -> io::Result<Box<dyn Iterator<Item = io::Result<String>>>> {
        let Some(directory) = self.locate(path) else {
            return Ok(Box::new(self.recorded(path).into_iter().map(Ok)));
        };
        match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Box::new(iter::empty())),
            entries => Ok(Box::new(entries?.map(|entry| {
                entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
            }))),
        }
    }

    /// The names in a directory of a recording, each once.
    fn recorded(&self, path: &str) -> BTreeSet<String> {
        let Self::Recorded(files) = self else {
            return BTreeSet::new();
        };
        let prefix = format!("{}/", path.trim_start_matches('/'));
        let below = files.keys().filter_map(|file| file.strip_prefix(&prefix));
        below
            .filter_map(|rest| rest.split('/').next())
            .map(str::to_owned)
            .collect()
    }

    /// The whole of a small file, read once.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut text = Text::default();
        OpenFile::new(path).read(self, &mut text)?;
        Ok(text.bytes().to_vec())
    }
}

/// Changes a recording as a frame says. Returns true if files came or went, so that directories have changed.
pub(crate) fn apply(files: &mut Recorded, frame: &Frame) -> bool {
    let mut listing_changed = false;
    for (path, content) in &frame.files {
        let before = match content {
            Some(text) => files.insert(path.clone(), text.clone().into_bytes()),
            None => files.remove(path),
        };
        listing_changed |= before.is_some() != content.is_some();
    }
    listing_changed
}

/// The most of a file of the core: larger than any that is worth reading every scan (512 CPUs on 64 nodes print 5 MB).
const MAX_TEXT: usize = 64 << 20;
/// The most of a harmless file: larger than any that is known to be so.
const SMALL_TEXT: usize = 1 << 20;
/// The size of a part of a file; after each one its cost is looked at.
const CHUNK: usize = 64 << 10;

/// A buffer for the text of a file, reused from scan to scan.
#[derive(Debug, Clone, Default)]
pub struct Text {
    buffer: Vec<u8>,
    len: usize,
    seen: usize,
}

impl Text {
    /// The bytes that were read.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    pub(crate) fn set(&mut self, bytes: &[u8]) {
        self.buffer.clear();
        self.buffer.extend_from_slice(bytes);
        self.len = bytes.len();
        self.seen = self.len;
    }

    /// The number of bytes that were read, also of a file that was not read to its end.
    pub(crate) fn seen(&self) -> usize {
        self.seen
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// Reads from offset 0 to the end; a kernel file is made anew for each such reading.
    fn fill(&mut self, file: &File, allowance: &mut Allowance) -> io::Result<()> {
        (self.len, self.seen) = (0, 0);
        loop {
            if self.len == self.buffer.len() {
                self.buffer.resize((self.len * 2).max(4096), 0);
            }
            let end = self.buffer.len().min(self.len + CHUNK);
            match file.read_at(&mut self.buffer[self.len..end], self.len as u64) {
                Ok(0) => return Ok(()),
                Ok(read) => {
                    self.len += read;
                    self.seen = self.len;
                    allowance.take(read)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The bytes and the time that are left for reading in a scan.
#[derive(Debug)]
pub(crate) struct Allowance {
    bytes: usize,
    /// The CPU time of the thread at which it has worked for as long as it may.
    cpu: Option<Duration>,
}

impl Allowance {
    /// The allowance of a file of the core, which may take any time.
    fn ample() -> Self {
        Self {
            bytes: MAX_TEXT,
            cpu: None,
        }
    }

    /// The allowance of a file that the core reads for a module, and that is small on every kernel.
    pub(super) fn small() -> Self {
        Self {
            bytes: SMALL_TEXT,
            cpu: None,
        }
    }

    /// Grants a budget from now on, in this thread.
    pub(crate) fn new(budget: FileBudget) -> Self {
        Self {
            bytes: usize::try_from(budget.bytes).unwrap_or(usize::MAX),
            cpu: Some(clock::thread_cpu_time().saturating_add(budget.cpu)),
        }
    }

    fn take(&mut self, bytes: usize) -> io::Result<()> {
        let Some(left) = self.bytes.checked_sub(bytes) else {
            self.bytes = 0;
            return Err(Errno::FBIG.into());
        };
        self.bytes = left;
        self.check()
    }

    fn check(&self) -> io::Result<()> {
        match self.cpu {
            Some(end) if clock::thread_cpu_time() > end => Err(Errno::TIMEDOUT.into()),
            _ => Ok(()),
        }
    }
}

/// Opens a file to read it. Never waits, neither for a writer of a pipe nor for a device, and takes nothing but a regular
/// file, which all those of the kernel are.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    if !metadata.is_file() {
        return Err(Errno::OPNOTSUPP.into());
    }
    // Root can open a file that may only be written to.
    if metadata.mode() & 0o444 == 0 {
        return Err(Errno::ACCESS.into());
    }
    Ok(file)
}

/// A kernel file whose descriptor stays open.
#[derive(Debug)]
pub(crate) struct OpenFile {
    path: String,
    /// The path below the root. It is kept, as a file that is missing is looked for in every scan.
    located: Option<PathBuf>,
    file: Option<File>,
}

impl OpenFile {
    /// The path as on a live machine.
    pub(super) const fn path(&self) -> &String {
        &self.path
    }

    pub(crate) fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            located: None,
            file: None,
        }
    }

    /// Reads the whole file into `text`. The root is always the same.
    ///
    /// # Errors
    ///
    /// If it cannot be opened or read; it is opened again the next time.
    pub(crate) fn read(&mut self, root: &Root, text: &mut Text) -> io::Result<()> {
        self.read_within(root, text, &mut Allowance::ample())
    }

    /// Reads the whole file into `text`, as long as that does not cost too much.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read), and `FBIG` or `TIMEDOUT` if it costs too much.
    pub(crate) fn read_within(
        &mut self,
        root: &Root,
        text: &mut Text,
        allowance: &mut Allowance,
    ) -> io::Result<()> {
        match root {
            Root::Recorded(files) => {
                let found = files.get(self.path.trim_start_matches('/'));
                text.set(found.map_or(&[], Vec::as_slice));
                found.map(|_| ()).ok_or_else(|| {
                    io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error())
                })
            }
            Root::Directory(directory) => {
                text.seen = 0;
                let result = allowance.check().and_then(|()| match &self.file {
                    Some(file) => text.fill(file, allowance),
                    None => self.open(directory, text, allowance),
                });
                if result.is_err() {
                    text.len = 0;
                    // A node or a module that went away and came back has new files.
                    self.file = None;
                }
                result
            }
        }
    }

    fn open(
        &mut self,
        directory: &Path,
        text: &mut Text,
        allowance: &mut Allowance,
    ) -> io::Result<()> {
        let path = self
            .located
            .get_or_insert_with(|| directory.join(self.path.trim_start_matches('/')));
        let file = open(path)?;
        text.fill(&file, allowance)?;
        self.file = Some(file);
        Ok(())
    }
}

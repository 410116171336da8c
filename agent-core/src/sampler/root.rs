//! Where kernel files come from: a directory, or a recorded machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::iter;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::trace::Frame;

/// The one door to kernel files. Paths are written as on a live machine.
#[derive(Debug, Clone)]
pub enum Root {
    /// A directory that holds `proc` and `sys`: `/` live, a recorded tree in tests.
    Directory(PathBuf),
    /// The files of a frame of a trace. What they hold changes between scans.
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

    /// Whether this is the machine we run on, as opposed to a tree or a recording.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Directory(directory) if directory == Path::new("/"))
    }

    /// Where `path` is in the file system; `None` in a recording.
    #[must_use]
    pub fn locate(&self, path: &str) -> Option<PathBuf> {
        match self {
            Self::Directory(directory) => Some(directory.join(path.trim_start_matches('/'))),
            Self::Recorded(_) => None,
        }
    }

    /// The names in a directory, sorted. Empty if it does not exist.
    ///
    /// # Errors
    ///
    /// If it exists and cannot be read.
    pub fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let mut names: Vec<String> = self.names(path)?.collect::<io::Result<_>>()?;
        names.sort_unstable();
        Ok(names)
    }

    /// The same one by one as they are read, in any order: a directory of the kernel may have many, and takes its time for
    /// each.
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

/// Changes a recording as a frame says. Whether files came or went, so that directories have changed.
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

/// Larger than any file that is worth reading every scan (512 CPUs on 64 nodes print 5 MB).
const MAX_TEXT: usize = 64 << 20;

/// A buffer for the text of a file, reused from scan to scan.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    buffer: Vec<u8>,
    len: usize,
}

impl Text {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    pub(crate) fn set(&mut self, bytes: &[u8]) {
        self.buffer.clear();
        self.buffer.extend_from_slice(bytes);
        self.len = bytes.len();
    }

    /// Reads from offset 0 to the end; a kernel file is made anew for each such reading.
    fn fill(&mut self, file: &File) -> io::Result<()> {
        self.len = 0;
        loop {
            if self.len == self.buffer.len() {
                if self.len >= MAX_TEXT {
                    return Err(io::Error::from(io::ErrorKind::FileTooLarge));
                }
                self.buffer.resize((self.len * 2).max(4096), 0);
            }
            match file.read_at(&mut self.buffer[self.len..], self.len as u64) {
                Ok(0) => return Ok(()),
                Ok(read) => self.len += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.len = 0;
                    return Err(error);
                }
            }
        }
    }
}

/// A kernel file whose descriptor stays open.
#[derive(Debug)]
pub(crate) struct OpenFile {
    path: String,
    /// Kept, as one that is not there is looked for in every scan.
    located: Option<PathBuf>,
    file: Option<File>,
}

impl OpenFile {
    /// As on a live machine.
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
        match root {
            Root::Recorded(files) => {
                let found = files.get(self.path.trim_start_matches('/'));
                text.set(found.map_or(&[], Vec::as_slice));
                found.map(|_| ()).ok_or_else(|| {
                    io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error())
                })
            }
            Root::Directory(directory) => {
                let result = match &self.file {
                    Some(file) => text.fill(file),
                    None => self.open(directory, text),
                };
                if result.is_err() {
                    text.len = 0;
                    // A node or a module that went away and came back has new files.
                    self.file = None;
                }
                result
            }
        }
    }

    fn open(&mut self, directory: &Path, text: &mut Text) -> io::Result<()> {
        let locate = || directory.join(self.path.trim_start_matches('/'));
        let file = File::open(self.located.get_or_insert_with(locate))?;
        text.fill(&file)?;
        self.file = Some(file);
        Ok(())
    }
}

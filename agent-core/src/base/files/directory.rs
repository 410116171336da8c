//! Directories that the daemon keeps its files in.

use std::fmt;
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

/// Everybody may look for a file in a directory of the daemon; who may read the file is up to its own mode.
const OPEN: u32 = 0o755;
/// The mode of a directory that only the user who runs the daemon may look into.
const PRIVATE: u32 = 0o700;

/// The reason why a directory is not used.
#[derive(Debug)]
pub struct Untrusted {
    /// The directory, or the one above it that is to blame.
    path: PathBuf,
    blame: Blame,
}

#[derive(Debug)]
enum Blame {
    Owner(u32),
    Writable(u32),
    NotADirectory,
    Io(io::Error),
}

impl Untrusted {
    /// True if others could put files of theirs in the place of ours; false if the directory cannot be used at all.
    pub(crate) fn is_dangerous(&self) -> bool {
        matches!(self.blame, Blame::Owner(_) | Blame::Writable(_))
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.blame {
            Blame::Owner(uid) => write!(
                f,
                "{path} belongs to user {uid}, who could exchange the files in it: chown it to root"
            ),
            Blame::Writable(mode) => write!(
                f,
                "{path} can be written by others (mode {mode:04o}), who could exchange the files in it: chmod go-w"
            ),
            Blame::NotADirectory => write!(f, "{path} is not a directory"),
            Blame::Io(error) => write!(f, "cannot use {path}: {error}"),
        }
    }
}

impl std::error::Error for Untrusted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.blame {
            Blame::Io(error) => Some(error),
            Blame::Owner(_) | Blame::Writable(_) | Blame::NotADirectory => None,
        }
    }
}

/// Makes a directory that everybody may look into, with all above it, whatever the umask is. One that is there stays as
/// it is.
///
/// # Errors
///
/// If it cannot be made.
pub(crate) fn make(directory: &Path) -> io::Result<()> {
    make_with(directory, OPEN)
}

/// Makes a directory within `base` that only its owner may look into, and all between them. `base` is made like any
/// other, so that its mode does not depend on who comes first.
///
/// # Errors
///
/// If it cannot be made.
pub(crate) fn make_private(base: &Path, directory: &Path) -> io::Result<()> {
    if directory == base || !directory.starts_with(base) {
        return make(directory);
    }
    if directory.is_dir() {
        return Ok(());
    }
    if let Some(above) = directory.parent() {
        make_private(base, above)?;
    }
    make_one(directory, PRIVATE)
}

fn make_with(directory: &Path, mode: u32) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    if let Some(above) = directory.parent() {
        make_with(above, mode)?;
    }
    make_one(directory, mode)
}

fn make_one(directory: &Path, mode: u32) -> io::Result<()> {
    match fs::create_dir(directory) {
        Ok(()) => fs::set_permissions(directory, Permissions::from_mode(mode)),
        // Somebody else has made it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes a directory if need be, and makes sure that nobody but root, or the user who runs this, can exchange the files
/// in it: they are read as root, and written as root.
///
/// # Errors
///
/// If it cannot be made, or somebody else could.
pub(crate) fn trusted(directory: &Path) -> Result<(), Untrusted> {
    match untrusted(directory) {
        Ok(None) => Ok(()),
        Ok(Some(untrusted)) => Err(untrusted),
        Err(error) => Err(Untrusted {
            path: directory.to_owned(),
            blame: Blame::Io(error),
        }),
    }
}

fn untrusted(directory: &Path) -> io::Result<Option<Untrusted>> {
    make(directory)?;
    let canonical = fs::canonicalize(directory)?;
    for path in canonical.ancestors() {
        let metadata = fs::symlink_metadata(path)?;
        if let Some(blame) = blame(&metadata, path == canonical) {
            let path = path.to_owned();
            return Ok(Some(Untrusted { path, blame }));
        }
    }
    Ok(None)
}

/// Returns the reason not to trust a directory, which is ours, or is above ours.
fn blame(metadata: &Metadata, is_ours: bool) -> Option<Blame> {
    let mode = metadata.mode() & 0o7777;
    // Above ours, others may make files, if they may not move ours: in /tmp, or where a group of the administrator's
    // may write.
    let is_writable = if is_ours {
        mode & 0o022 != 0
    } else {
        mode & 0o1002 == 0o0002
    };
    let uid = metadata.uid();
    if !metadata.is_dir() {
        Some(Blame::NotADirectory)
    } else if uid != 0 && uid != geteuid().as_raw() {
        Some(Blame::Owner(uid))
    } else if is_writable {
        Some(Blame::Writable(mode))
    } else {
        None
    }
}

//! Whether a file is one that only the administrator can have put there. A module runs with the rights of
//! the daemon, so whoever may write to its file, or put another one in its place, is root.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, lgetxattr_query, open};
use rustix::io::Errno;
use rustix::process::geteuid;

/// Why a file is not to be loaded.
#[derive(Debug)]
pub struct Distrust {
    /// The file, or the directory above it that is to blame.
    path: PathBuf,
    blame: Blame,
}

#[derive(Debug)]
enum Blame {
    NotAbsolute,
    Symlink,
    NotAFile,
    NotADirectory,
    Owner { uid: u32, trusted: u32 },
    Writable { mode: u32 },
    Acl,
    Io(io::Error),
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        if !matches!(self.blame, Blame::Io(_)) {
            f.write_str("it is not to be trusted: ")?;
        }
        match &self.blame {
            Blame::NotAbsolute => write!(f, "{path} is not an absolute path"),
            Blame::Symlink => write!(f, "{path} is a symbolic link: name the file itself"),
            Blame::NotAFile => write!(f, "{path} is not a regular file"),
            Blame::NotADirectory => write!(f, "{path} is not a directory"),
            Blame::Owner { uid, trusted: 0 } => {
                write!(f, "{path} belongs to user {uid}: chown it to root")
            }
            Blame::Owner { uid, trusted } => {
                write!(
                    f,
                    "{path} belongs to user {uid}: chown it to root, or to {trusted}"
                )
            }
            Blame::Writable { mode } => write!(
                f,
                "{path} can be written by others than its owner (mode {mode:04o}): chmod go-w"
            ),
            Blame::Acl => write!(f, "{path} has an access control list: setfacl -b"),
            Blame::Io(error) => write!(f, "{path} cannot be looked at: {error}"),
        }
    }
}

impl std::error::Error for Distrust {}

/// Makes sure that the file and every directory above it belong to root, or to the user we are, and can be
/// written by nobody else. Then only they can put another file in its place before it is loaded.
///
/// Returns the path by which it is to be loaded: its directory may be reached through links, the file may not
/// be one.
///
/// # Errors
///
/// The first thing that speaks against it.
pub fn check(file: &Path) -> Result<PathBuf, Distrust> {
    let blame = |path: &Path, blame| Distrust {
        path: path.to_owned(),
        blame,
    };
    let io = |path: &Path, error| blame(path, Blame::Io(error));
    let (Some(directory), Some(name), true) = (file.parent(), file.file_name(), file.is_absolute())
    else {
        return Err(blame(file, Blame::NotAbsolute));
    };
    let directory = fs::canonicalize(directory).map_err(|error| io(directory, error))?;
    let mut above: Vec<&Path> = directory.ancestors().collect();
    above.reverse();
    for part in above {
        let metadata = part.symlink_metadata().map_err(|error| io(part, error))?;
        // It was canonical a moment ago.
        if metadata.is_symlink() {
            return Err(blame(part, Blame::Symlink));
        }
        if !metadata.is_dir() {
            return Err(blame(part, Blame::NotADirectory));
        }
        only_ours(part, &metadata)?;
    }
    let path = directory.join(name);
    // A pipe would be waited for, a link followed.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = open(&path, flags, Mode::empty()).map(File::from);
    let opened = opened.map_err(|errno| {
        let (is_link, error) = (errno == Errno::LOOP, errno.into());
        blame(
            &path,
            if is_link {
                Blame::Symlink
            } else {
                Blame::Io(error)
            },
        )
    })?;
    let metadata = opened.metadata().map_err(|error| io(&path, error))?;
    if !metadata.is_file() {
        return Err(blame(&path, Blame::NotAFile));
    }
    only_ours(&path, &metadata)?;
    Ok(path)
}

fn only_ours(path: &Path, metadata: &Metadata) -> Result<(), Distrust> {
    let trusted = geteuid().as_raw();
    let uid = metadata.uid();
    let blame = if uid != 0 && uid != trusted {
        Blame::Owner { uid, trusted }
    } else if metadata.mode() & 0o022 != 0 {
        // Sticky directories, too: anybody may put a file there.
        Blame::Writable {
            mode: metadata.mode() & 0o7777,
        }
    } else if has_acl(path.as_os_str()) {
        Blame::Acl
    } else {
        return Ok(());
    };
    Err(Distrust {
        path: path.to_owned(),
        blame,
    })
}

/// A list may let others write although the mode does not say so.
fn has_acl(path: &OsStr) -> bool {
    ["system.posix_acl_access", "system.posix_acl_default"]
        .iter()
        .any(|name| lgetxattr_query(path.as_bytes(), *name).is_ok_and(|size| size > 0))
}

//! Whether a file is one that only the administrator can have put there. A module runs with the rights of
//! the daemon, so whoever may write to its file, or put another one in its place, is root.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, lgetxattr_query, open};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::linking::{Linking, expanded, family, is_path, searched};
use super::mapped::mapped;

/// So many links may lead to a file.
const MOST_LINKS: usize = 40;

/// Why a file is not to be loaded.
#[derive(Debug)]
pub struct Distrust {
    /// Through what the module comes to it, if that is not its own file.
    via: Option<Via>,
    /// The file, or the directory above it that is to blame.
    path: PathBuf,
    blame: Blame,
}

/// How something else than the file of the module comes to be loaded.
#[derive(Debug, Clone)]
enum Via {
    /// It brings this library in.
    Library(PathBuf),
    /// This object has libraries looked for there.
    Search { place: OsString, object: PathBuf },
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
    Links,
    Unknown,
    Untold(OsString),
    Io(io::Error),
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library(path) => write!(f, "it brings in {}", path.display()),
            Self::Search { place, object } => write!(
                f,
                "libraries are looked for in {:?}, by the RUNPATH or RPATH of {}",
                place.to_string_lossy(),
                object.display()
            ),
        }
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match (&self.via, &self.blame) {
            (None, Blame::Io(_)) => {}
            (None, _) => f.write_str("it is not to be trusted: ")?,
            (Some(via), Blame::Io(_)) => write!(f, "{via}: ")?,
            (Some(via), _) => write!(f, "{via}, which is not to be trusted: ")?,
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
            // The directory of everybody is to stay so.
            Blame::Writable { mode } if mode & 0o1000 != 0 => write!(
                f,
                "{path} can be written by others than its owner (mode {mode:04o}): put the file elsewhere"
            ),
            Blame::Writable { mode } => write!(
                f,
                "{path} can be written by others than its owner (mode {mode:04o}): chmod go-w"
            ),
            Blame::Acl => write!(f, "{path} has an access control list: setfacl -b"),
            Blame::Links => write!(f, "{path} is reached through too many symbolic links"),
            Blame::Unknown => write!(f, "where that is only the dynamic linker knows"),
            Blame::Untold(name) => write!(
                f,
                "{path} needs {}, and where that comes from was not told when it was looked into",
                name.to_string_lossy()
            ),
            Blame::Io(error) => write!(f, "{path} cannot be looked at: {error}"),
        }
    }
}

impl std::error::Error for Distrust {}

/// Makes sure that all that the module in `file` brings into a process is as much to be trusted as the file itself: the
/// libraries that are found where the module, or one of them, has them looked for; and `objects`, which a process
/// mapped that has loaded it.
///
/// # Errors
///
/// The first thing that speaks against it.
pub fn check_libraries(file: &Path, objects: &[PathBuf]) -> Result<(), Distrust> {
    let mut all = vec![file.to_owned()];
    // Before they are read: a file that cannot be trusted may be a pipe.
    for object in objects {
        check_library(object)?;
        all.push(object.clone());
    }
    let handles = family(&all).map_err(|(path, error)| Distrust {
        via: (path != *file).then(|| Via::Library(path.clone())),
        path,
        blame: Blame::Io(error),
    })?;
    let mut names = BTreeSet::new();
    for (path, linking) in &handles {
        if path != file {
            check_library(path)?;
        }
        for place in &linking.search {
            check_place(place, path)?;
        }
        for name in &linking.needed {
            if is_path(name) {
                check_path(name, path)?;
            } else {
                names.insert(name.as_os_str());
            }
        }
    }
    check_environment(&names)?;
    if objects.is_empty() {
        return Ok(());
    }
    check_told(&handles, &all)
}

/// A library may be reached through links, by way of directories that nobody else can write to.
fn check_library(path: &Path) -> Result<(), Distrust> {
    let via = || Some(Via::Library(path.to_owned()));
    let blamed = |distrust: Distrust| Distrust {
        via: via(),
        ..distrust
    };
    let blame = |blame| Distrust {
        via: via(),
        path: path.to_owned(),
        blame,
    };
    let found = walk(path).map_err(blamed)?;
    let found = found.ok_or_else(|| blame(Blame::Io(Errno::NOENT.into())))?;
    let metadata = fs::symlink_metadata(&found).map_err(|error| blame(Blame::Io(error)))?;
    if metadata.is_file() {
        Ok(())
    } else {
        Err(blame(Blame::NotAFile))
    }
}

/// Nobody else may be able to put a library into a directory where it would be looked for, also if none is there yet.
fn check_place(place: &OsStr, object: &Path) -> Result<(), Distrust> {
    let via = Some(Via::Search {
        place: place.to_owned(),
        object: object.to_owned(),
    });
    let Some(found) = walk_expanded(place, object, via.clone())? else {
        return Ok(());
    };
    for directory in searched(&found) {
        walk(&directory).map_err(|distrust| Distrust {
            via: via.clone(),
            ..distrust
        })?;
    }
    Ok(())
}

/// As [`check_place`], for a library that is needed by its path.
fn check_path(name: &OsStr, object: &Path) -> Result<(), Distrust> {
    let via = Some(Via::Library(name.into()));
    walk_expanded(name, object, via).map(drop)
}

fn walk_expanded(
    place: &OsStr,
    object: &Path,
    via: Option<Via>,
) -> Result<Option<PathBuf>, Distrust> {
    match expanded(place, object) {
        Some(path) => walk(&path).map_err(|distrust| Distrust { via, ..distrust }),
        None => Err(Distrust {
            via,
            path: place.into(),
            blame: Blame::Unknown,
        }),
    }
}

/// A daemon that was started with `LD_LIBRARY_PATH` has libraries looked for there, too.
fn check_environment(names: &BTreeSet<&OsStr>) -> Result<(), Distrust> {
    let Some(places) = std::env::var_os("LD_LIBRARY_PATH") else {
        return Ok(());
    };
    for place in places.as_bytes().split(|byte| b":;".contains(byte)) {
        let place = Path::new(OsStr::from_bytes(place));
        // An empty one is the directory that the daemon is in.
        let place = std::path::absolute(Path::new(".").join(place)).unwrap_or_default();
        for directory in searched(&place) {
            for name in names {
                let library = directory.join(name);
                if library.exists() {
                    check_library(&library)?;
                }
            }
        }
    }
    Ok(())
}

/// Makes sure that nothing is missing in what a process told: a library that runs in it can leave itself out.
fn check_told(handles: &[(PathBuf, Linking)], told: &[PathBuf]) -> Result<(), Distrust> {
    // The C library of musl has other names than its file.
    if cfg!(target_env = "musl") {
        return Ok(());
    }
    let here = mapped();
    let mut known: BTreeSet<&OsStr> = here.iter().filter_map(|path| path.file_name()).collect();
    known.extend(told.iter().filter_map(|path| path.file_name()));
    known.extend(
        handles
            .iter()
            .filter_map(|(_, linking)| linking.soname.as_deref()),
    );
    for (path, linking) in handles.iter().filter(|(path, _)| told.contains(path)) {
        for name in &linking.needed {
            if !is_path(name) && !known.contains(name.as_os_str()) {
                return Err(Distrust {
                    via: None,
                    path: path.clone(),
                    blame: Blame::Untold(name.clone()),
                });
            }
        }
    }
    Ok(())
}

/// Goes to a file or directory as the kernel does, through links as well, and makes sure that on the whole way nobody
/// else can write. `None` if there is nothing, and nobody else could put something there.
fn walk(path: &Path) -> Result<Option<PathBuf>, Distrust> {
    let blame = |path: &Path, blame| Distrust {
        via: None,
        path: path.to_owned(),
        blame,
    };
    if !path.is_absolute() {
        return Err(blame(path, Blame::NotAbsolute));
    }
    let mut here = PathBuf::new();
    let mut ahead = reversed(path);
    let mut links = 0;
    while let Some(part) = ahead.pop() {
        match part.as_bytes() {
            b"." => continue,
            b".." => {
                here.pop();
                continue;
            }
            _ => {}
        }
        let next = here.join(&part);
        let metadata = match next.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(blame(&next, Blame::Io(error))),
        };
        if metadata.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                return Err(blame(path, Blame::Links));
            }
            let target = fs::read_link(&next).map_err(|error| blame(&next, Blame::Io(error)))?;
            ahead.extend(reversed(&target));
            continue;
        }
        only_ours(&next, &metadata)?;
        if !metadata.is_dir() && !ahead.is_empty() {
            return Err(blame(&next, Blame::NotADirectory));
        }
        here = next;
    }
    Ok(Some(here))
}

/// The parts of a path, the last one first. That of an absolute one leads back to the root.
fn reversed(path: &Path) -> Vec<OsString> {
    let parts = path.components().map(Component::as_os_str);
    parts.rev().map(OsStr::to_owned).collect()
}

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
        via: None,
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
        via: None,
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

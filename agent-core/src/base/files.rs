//! Opens, reads and replaces the files that the daemon keeps for itself, and those that it writes for others.
//!
//! No link is followed, no pipe is waited for, nothing but a regular file is read, and no more of it than a bound. A
//! file is replaced in one step: whoever reads it sees the old content or the new one, also after a loss of power.

mod directory;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, IoSlice, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fchmod, fsync, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::base::clock;

pub(crate) use directory::{Untrusted, make, make_private, trusted};

/// The beginning and the end of the name of a file that is not complete yet. No reader looks at such a file: it is
/// hidden, and has none of the endings that people and collectors look for.
const BEGINNING: &str = ".adaptivemmd.";
const END: &str = ".new";
/// The number of random names that are tried.
const ATTEMPTS: usize = 16;
/// The depth of the directories within the state directory: incidents, an incident, its raw files.
const DEEPEST: usize = 3;
/// The age of a temporary file that nobody writes any more: a command that writes a file needs less than a second.
const ABANDONED: Duration = Duration::from_secs(3600);
/// The flags of every open: links are not followed, and a pipe or a device is not waited for.
const CAREFUL: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Opens a regular file to read it.
///
/// # Errors
///
/// If it cannot be opened, or is anything but a regular file (then of the kind `InvalidData`).
pub(crate) fn open(path: &Path) -> io::Result<File> {
    regular(openat(CWD, path, OFlags::RDONLY | CAREFUL, Mode::empty()))
}

/// Opens a regular file to read and change it, and makes it if need be. With `OFlags::APPEND`, all is written at its end.
///
/// # Errors
///
/// As for [`open`].
pub(crate) fn open_or_make(path: &Path, mode: u32, also: OFlags) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | also | CAREFUL;
    regular(openat(CWD, path, flags, Mode::from_raw_mode(mode)))
}

/// Opens a file that somebody asked for, empty: a new one, or one of the same user, whose content is lost.
///
/// # Errors
///
/// As for [`open`]; if it belongs to another user, who would have what is written.
pub(crate) fn open_empty(path: &Path, mode: u32) -> io::Result<File> {
    let file = open_or_make(path, mode, OFlags::empty())?;
    let owner = file.metadata()?.uid();
    if owner != geteuid().as_raw() {
        return Err(senseless(&format!("it belongs to user {owner}")));
    }
    file.set_len(0)?;
    Ok(file)
}

/// Reads a regular file that has at most `longest` bytes.
///
/// # Errors
///
/// As for [`open`]; a longer file is of the kind `InvalidData`, too.
pub(crate) fn read(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?
        .take(longest.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > longest {
        return Err(senseless(&format!("it has more than {longest} bytes")));
    }
    Ok(bytes)
}

/// Replaces a file, or makes it, with exactly this mode, whatever the umask is. The content comes in pieces.
///
/// # Errors
///
/// If it cannot be written; then the old file is as it was.
pub(crate) fn replace(path: &Path, mode: u32, content: &[&[u8]]) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let directory = parent(path);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // From here on it is this directory, wherever somebody moves it and whatever is put in its place.
    let directory = File::from(openat(CWD, directory, flags, Mode::empty())?);
    let (temporary, mut file) = make_new(&directory)?;
    let replaced = fill(&mut file, mode, content)
        .and_then(|()| Ok(renameat(&directory, &temporary, &directory, name)?));
    if let Err(error) = replaced {
        // Half a file, as on a full disk, is of no use to anybody.
        let _left = unlinkat(&directory, &temporary, AtFlags::empty());
        return Err(error);
    }
    match fsync(&directory) {
        // Some file systems cannot sync a directory.
        Ok(()) | Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Removes a file. One that is not there is no error.
///
/// # Errors
///
/// If it stays.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what a daemon left of the files that it was about to replace when it was killed. Only for directories of our
/// own: whatever ends in `.new` goes.
pub(crate) fn remove_leftovers(directory: &Path) {
    remove_leftovers_within(directory, DEEPEST);
}

fn remove_leftovers_within(directory: &Path, deeper: usize) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        // The type of the entry itself: a link is not followed.
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_directory && deeper > 0 {
            remove_leftovers_within(&entry.path(), deeper - 1);
        } else if !is_directory && has_end(&entry.file_name()) {
            // A file that cannot be removed does no harm.
            let _left = fs::remove_file(entry.path());
        }
    }
}

/// Removes what commands that were killed left beside a file that they write for others. Another command may be writing
/// just now, so what is younger than an hour stays.
pub(crate) fn remove_abandoned(path: &Path) {
    let Ok(now) = u64::try_from(clock::time_of_day().as_second()) else {
        return;
    };
    for entry in fs::read_dir(parent(path)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_ours = name.as_encoded_bytes().starts_with(BEGINNING.as_bytes()) && has_end(&name);
        let Some(metadata) = entry.metadata().ok().filter(|_| is_ours) else {
            continue;
        };
        let age = now.saturating_sub(u64::try_from(metadata.mtime()).unwrap_or_default());
        if metadata.is_file() && metadata.uid() == geteuid().as_raw() && age > ABANDONED.as_secs() {
            // A file that cannot be removed does no harm.
            let _left = fs::remove_file(entry.path());
        }
    }
}

fn has_end(name: &OsStr) -> bool {
    name.as_encoded_bytes().ends_with(END.as_bytes())
}

/// True if a file could be read and is not what it should be, so that trying again will not help.
pub(crate) fn is_senseless(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}

/// An error for a file that is not what it should be.
pub(crate) fn senseless(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

fn parent(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

fn regular(opened: Result<impl Into<File>, Errno>) -> io::Result<File> {
    let file: File = match opened {
        Ok(file) => file.into(),
        Err(Errno::LOOP) => return Err(senseless("it is a symbolic link")),
        // A directory, a socket, and a device without a driver, in this order.
        Err(Errno::ISDIR | Errno::NXIO | Errno::NODEV) => {
            return Err(senseless("it is not a regular file"));
        }
        Err(errno) => return Err(errno.into()),
    };
    if !file.metadata()?.is_file() {
        return Err(senseless("it is not a regular file"));
    }
    Ok(file)
}

/// A new file in a directory, which nobody else can read yet. Its name is random: where others may write, too, they
/// cannot know it before.
fn make_new(directory: &File) -> io::Result<(OsString, File)> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | CAREFUL;
    let mut last = Errno::EXIST;
    for attempt in 0..ATTEMPTS {
        let random = RandomState::new().hash_one(attempt);
        let name = format!("{BEGINNING}{random:016x}{END}");
        match openat(directory, name.as_str(), flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => return Ok((name.into(), file.into())),
            Err(Errno::EXIST) => {}
            Err(errno) => {
                last = errno;
                break;
            }
        }
    }
    Err(last.into())
}

fn fill(file: &mut File, mode: u32, content: &[&[u8]]) -> io::Result<()> {
    let mut pieces: Vec<IoSlice<'_>> = content.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut left = pieces.as_mut_slice();
    // Skips empty pieces, so that the loop ends if there is nothing to write.
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    fchmod(&*file, Mode::from_raw_mode(mode))?;
    file.sync_all()
}

#[cfg(test)]
mod tests;

//! The decision log on the disk: one JSON object per line, and one older file of the same kind.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::Deserialize;

use crate::base::files;

use super::record::Record;

/// A file that would become larger is set aside, and the one before it is forgotten.
const MAX_SIZE: u64 = 1 << 20;
/// The largest size of a file.
const MAX_READ: u64 = 16 << 20;

/// The file that is written.
#[must_use]
pub fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("decisions.jsonl")
}

/// The older one.
fn older(state_dir: &Path) -> PathBuf {
    state_dir.join("decisions.1.jsonl")
}

/// Makes the directory, if need be, and sees whether the file can be written.
pub(super) fn prepare(state_dir: &Path) -> io::Result<()> {
    files::make(state_dir)?;
    open(state_dir).map(|_| ())
}

fn open(state_dir: &Path) -> io::Result<File> {
    // Everybody may ask why.
    files::open_or_make(&path(state_dir), 0o644, OFlags::APPEND)
}

/// Appends one line, and sees to it that it survives a loss of power: the last decisions before a machine died
/// are those that will be asked for. The file is opened each time, so that it may be moved away.
pub(super) fn append(state_dir: &Path, line: &str) -> io::Result<()> {
    let mut file = match open(state_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            prepare(state_dir)?;
            open(state_dir)?
        }
        file => file?,
    };
    let mut size = file.metadata()?.len();
    if size > 0 && size.saturating_add(line.len() as u64) >= MAX_SIZE {
        fs::rename(path(state_dir), older(state_dir))?;
        file = open(state_dir)?;
        size = 0;
    }
    // A line that was cut off, as the disk was full or the machine died, is not to spoil the next one.
    let mut last = [b'\n'];
    if size > 0 {
        file.read_exact_at(&mut last, size - 1)?;
    }
    let separator = if last == [b'\n'] { "" } else { "\n" };
    file.write_all(format!("{separator}{line}\n").as_bytes())?;
    file.sync_data()
}

/// Returns all records, the oldest first. Lines that make no sense are left out: one that was cut off, or one of a later
/// version.
///
/// # Errors
///
/// If a file is there and cannot be read.
pub fn read(state_dir: &Path) -> io::Result<Vec<Record>> {
    let mut records = Vec::new();
    for path in [older(state_dir), path(state_dir)] {
        let text = text(&path)?;
        let lines = text.split(|byte| *byte == b'\n');
        records.extend(lines.filter_map(|line| serde_json::from_slice(line).ok()));
    }
    Ok(records)
}

/// The largest number that was ever given, as far as is known; 0 if none was.
pub(super) fn last_id(state_dir: &Path) -> io::Result<u64> {
    #[derive(Deserialize)]
    struct Numbered {
        id: u64,
    }
    let mut last = 0;
    for path in [older(state_dir), path(state_dir)] {
        let text = text(&path)?;
        let lines = text.split(|byte| *byte == b'\n');
        let numbered = lines.filter_map(|line| serde_json::from_slice::<Numbered>(line).ok());
        last = numbered.fold(last, |last, numbered| last.max(numbered.id));
    }
    Ok(last)
}

fn text(path: &Path) -> io::Result<Vec<u8>> {
    let file = match files::open(path) {
        // Somebody may have put something else there, which the daemon says when it cannot write.
        Err(error) if error.kind() == io::ErrorKind::NotFound || files::is_senseless(&error) => {
            return Ok(Vec::new());
        }
        file => file?,
    };
    let mut text = Vec::new();
    file.take(MAX_READ).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn line(id: u64, more: &str) -> String {
        format!(r#"{{"kind":"decision","id":{id},"more":"{more}"}}"#)
    }

    fn size(path: &Path) -> u64 {
        fs::metadata(path).map_or(0, |metadata| metadata.len())
    }

    #[test]
    fn the_directory_is_made_and_everybody_may_read() {
        let home = tempfile::tempdir().unwrap();
        let state_dir = home.path().join("lib/adaptivemmd");

        append(&state_dir, &line(1, "")).unwrap();

        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o755;
        assert_eq!((mode(&state_dir), mode(&path(&state_dir))), (0o755, 0o644));
        assert_eq!(last_id(&state_dir).unwrap(), 1);
    }

    #[test]
    fn a_full_file_is_set_aside_and_there_are_never_more_than_two() {
        let home = tempfile::tempdir().unwrap();
        let long = "x".repeat(100_000);

        for id in 1..=40 {
            append(home.path(), &line(id, &long)).unwrap();
        }

        let sizes = [older(home.path()), path(home.path())].map(|path| size(&path));
        assert!(
            sizes.iter().all(|size| *size > 0 && *size <= MAX_SIZE),
            "{sizes:?}"
        );
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
        assert_eq!(last_id(home.path()).unwrap(), 40);
    }

    #[test]
    fn numbers_go_on_when_the_newer_file_is_gone() {
        let home = tempfile::tempdir().unwrap();
        fs::write(older(home.path()), line(12, "")).unwrap();

        assert_eq!(last_id(home.path()).unwrap(), 12);
    }

    #[test]
    fn a_line_that_was_cut_off_does_not_spoil_the_next_one() {
        let home = tempfile::tempdir().unwrap();
        append(home.path(), &line(1, "")).unwrap();
        let whole = fs::read(path(home.path())).unwrap();
        fs::write(
            path(home.path()),
            [&whole[..], br#"{"kind":"deci"#].concat(),
        )
        .unwrap();

        append(home.path(), &line(2, "")).unwrap();

        let text = fs::read_to_string(path(home.path())).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines, [&line(1, ""), r#"{"kind":"deci"#, &line(2, "")]);
        assert_eq!(last_id(home.path()).unwrap(), 2);
    }

    #[test]
    fn nothing_but_a_regular_file_is_written_to_or_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let victim = home.path().join("victim");
        fs::write(&victim, "secret").unwrap();
        for name in [path(home.path()), older(home.path())] {
            for is_link in [true, false] {
                if is_link {
                    symlink(&victim, &name).unwrap();
                } else {
                    mknodat(CWD, &name, FileType::Fifo, Mode::RWXU, 0).unwrap();
                }

                assert_eq!(last_id(home.path()).unwrap(), 0);
                assert_eq!(read(home.path()).unwrap(), []);
                if name == path(home.path()) {
                    let error = append(home.path(), &line(1, "")).unwrap_err();
                    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
                }
                fs::remove_file(&name).unwrap();
            }
        }
        assert_eq!(fs::read(&victim).unwrap(), b"secret");
    }
}

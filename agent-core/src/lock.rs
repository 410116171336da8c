//! One instance at a time.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::sampler::Root;

/// Where adaptivemm 2.1 leaves its number.
const PREDECESSOR: &str = "/run/adaptivemmd.pid";

/// Held as long as the daemon runs; the kernel takes it back when the daemon ends, however it ends.
///
/// Its file has the number of the process, as a PID file has. A daemon that ends well takes it out: a script of an init
/// system can then tell one that was stopped from one that died.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Why the daemon must not start.
#[derive(Debug)]
pub enum NotAlone {
    /// Another one runs.
    Running {
        /// Its process number, if it can be told.
        pid: Option<u32>,
    },
    /// An adaptivemm 2.1 runs.
    Predecessor {
        /// Its process number.
        pid: u32,
    },
    /// The lock cannot be taken.
    Io {
        /// The lock file or its directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

impl fmt::Display for NotAlone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running { pid: Some(pid) } => {
                write!(f, "another one is already running, as process {pid}")
            }
            Self::Running { pid: None } => f.write_str("another one is already running"),
            Self::Predecessor { pid } => {
                write!(
                    f,
                    "adaptivemm 2.1 is running, as process {pid}: stop it first"
                )
            }
            Self::Io { path, .. } => write!(
                f,
                "cannot lock {} (as root? else choose another `runtime-dir`, or try `-s`, which needs no lock)",
                path.display()
            ),
        }
    }
}

impl std::error::Error for NotAlone {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Running { .. } | Self::Predecessor { .. } => None,
        }
    }
}

impl Lock {
    /// Makes sure that no adaptivemm 2.1 runs.
    ///
    /// # Errors
    ///
    /// If one does.
    pub fn alone() -> Result<(), NotAlone> {
        let pid = predecessor(&Root::live());
        pid.map_or(Ok(()), |pid| Err(NotAlone::Predecessor { pid }))
    }

    /// Takes the lock in the runtime directory, which is made if need be.
    ///
    /// # Errors
    ///
    /// If another daemon holds it, or the directory is not ours to write to.
    pub fn take(runtime_dir: &Path) -> Result<Self, NotAlone> {
        Self::alone()?;
        let path = runtime_dir.join("lock");
        let failed = |source| NotAlone::Io {
            path: path.clone(),
            source,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(runtime_dir)
            .map_err(failed)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .open(&path)
            .map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                let _unknown = file.read_to_string(&mut holder);
                return Err(NotAlone::Running {
                    pid: holder.trim().parse().ok(),
                });
            }
            Err(errno) => return Err(failed(errno.into())),
        }
        // For people and for scripts; the lock itself is what counts.
        let number = format!("{}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.write_all(number.as_bytes()))
            .map_err(failed)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Before the lock is free: the next holder writes his own number.
        let _stays_as_if_it_had_died = self.file.set_len(0);
    }
}

/// The process number of a running adaptivemm 2.1. Its file outlives it, so the process must be looked at.
fn predecessor(root: &Root) -> Option<u32> {
    let pid = String::from_utf8(root.read(PREDECESSOR).ok()?)
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let name = root.read(&format!("/proc/{pid}/comm")).ok()?;
    (name == b"adaptivemmd\n" && pid != std::process::id()).then_some(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_is_told_who_holds_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let runtime_dir = directory.path().join("run/adaptivemmd");

        let _first = Lock::take(&runtime_dir).unwrap();
        let second = Lock::take(&runtime_dir).unwrap_err();

        let pid = std::process::id();
        assert_eq!(
            second.to_string(),
            format!("another one is already running, as process {pid}")
        );
    }

    #[test]
    fn a_lock_is_free_again_when_its_holder_is_gone() {
        let directory = tempfile::tempdir().unwrap();

        drop(Lock::take(directory.path()).unwrap());

        assert!(Lock::take(directory.path()).is_ok());
    }

    #[test]
    fn the_file_has_the_number_of_the_holder_until_he_lets_go() {
        let directory = tempfile::tempdir().unwrap();
        let content = || fs::read_to_string(directory.path().join("lock")).unwrap();

        let lock = Lock::take(directory.path()).unwrap();
        let held = content();
        let _refused = Lock::take(directory.path()).unwrap_err();
        let still_held = content();
        drop(lock);

        let number = format!("{}\n", std::process::id());
        assert_eq!(
            (held, still_held, content()),
            (number.clone(), number, String::new())
        );
    }

    #[test]
    fn the_predecessor_is_found_by_its_process_not_by_its_file_alone() {
        let files = |comm: &str| {
            let files = [("run/adaptivemmd.pid", "77\n"), ("proc/77/comm", comm)];
            Root::Recorded(
                files
                    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
                    .into(),
            )
        };

        assert_eq!(predecessor(&files("adaptivemmd\n")), Some(77));
        assert_eq!(predecessor(&files("bash\n")), None);
    }
}

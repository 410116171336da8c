//! One instance at a time.

mod holders;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::after;
use rustix::fs::{FlockOperation, Mode, OFlags, fchmod, flock};
use rustix::io::Errno;

use crate::base::files::{self, Untrusted};
use crate::kernel::Root;

use holders::Holders;

/// The PID file of adaptivemm 2.1.
const PREDECESSOR: &str = "/run/adaptivemmd.pid";

/// Only who runs the daemon may open the lock file: a lock needs no right to write.
const MODE: u32 = 0o600;
/// The bits of a mode that say that others may open a file.
const OTHERS: u32 = 0o077;
/// The longest number of a process, and a line feed.
const LONGEST: u64 = 32;
/// The number of attempts to take the lock; whoever takes it at the same time needs far less.
const PATIENCE: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// The lock that is held as long as the daemon runs; the kernel takes it back when the daemon ends, however it ends.
///
/// Its file has the number of the process, as a PID file has. A daemon that ends well takes it out: a script of an init
/// system can then tell one that was stopped from one that died.
///
/// Nobody else may open it, as whoever can open a file can lock it. Where an older version has left one that everybody may
/// open, or somebody holds one that is no daemon and may not do so, another file takes its place. That no two processes do
/// so at a time is what a second file is for, `lock.guard`, which is held while the lock is taken.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// The reason why the daemon must not start.
#[derive(Debug)]
pub enum NotAlone {
    /// The daemon is running already.
    Running {
        /// Its process ID, if it can be told.
        pid: Option<u32>,
    },
    /// The lock file is held, and not by a daemon of which anything is known.
    Held {
        /// The file.
        path: PathBuf,
        /// The processes, as far as the kernel tells.
        pids: Vec<u32>,
    },
    /// Others could put another lock file in the place of ours.
    Untrusted(Untrusted),
    /// An adaptivemm 2.1 runs.
    Predecessor {
        /// Its process ID.
        pid: u32,
    },
    /// The lock cannot be taken.
    Io {
        /// The lock file or its directory.
        path: PathBuf,
        /// The error of the kernel.
        source: io::Error,
    },
}

impl fmt::Display for NotAlone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running { pid: Some(pid) } => {
                write!(f, "the daemon is already running as process {pid}")
            }
            Self::Running { pid: None } => f.write_str("the daemon is already running"),
            Self::Held { path, pids } => {
                let path = path.display();
                match pids.as_slice() {
                    [] => write!(f, "{path} is locked, and not by the daemon")?,
                    [pid] => write!(
                        f,
                        "{path} is locked by process {pid}, which is not the daemon"
                    )?,
                    [pid, ..] => write!(
                        f,
                        "{path} is locked by process {pid} and others, none of them the daemon"
                    )?,
                }
                write!(f, ": `fuser -v {path}` and `lslocks` show by whom")
            }
            Self::Untrusted(error) => write!(f, "the runtime-dir cannot be trusted: {error}"),
            Self::Predecessor { pid } => {
                write!(
                    f,
                    "adaptivemm 2.1 is running as process {pid}: stop it first"
                )
            }
            Self::Io { path, .. } => write!(
                f,
                "cannot lock {} (run as root, choose another `runtime-dir`, or try `-s`, which needs no lock)",
                path.display()
            ),
        }
    }
}

impl std::error::Error for NotAlone {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Running { .. }
            | Self::Held { .. }
            | Self::Untrusted(_)
            | Self::Predecessor { .. } => None,
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
        files::trusted(runtime_dir).map_err(|error| {
            if error.is_dangerous() {
                NotAlone::Untrusted(error)
            } else {
                cannot_lock(runtime_dir)(io::Error::other(error))
            }
        })?;
        let guard = runtime_dir.join("lock.guard");
        let _guard = hold(&guard)?;
        let path = runtime_dir.join("lock");
        let failed = cannot_lock(&path);
        let mut file = files::open_or_make(&path, MODE, OFlags::empty()).map_err(&failed)?;
        let is_open_to_others = file.metadata().map_err(&failed)?.mode() & OTHERS != 0;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            // Somebody may have it open still, and would hold it when the next daemon starts.
            Ok(()) if is_open_to_others => file = another(&path).map_err(&failed)?,
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                if let Some(refusal) = refusal(&path, &file) {
                    return Err(refusal);
                }
                file = another(&path).map_err(&failed)?;
            }
            Err(errno) => return Err(failed(errno.into())),
        }
        // For people and for scripts; the lock itself is what counts.
        let number = format!("{}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.write_all(number.as_bytes()))
            .map_err(&failed)?;
        Ok(Self { file })
    }
}

fn cannot_lock(path: &Path) -> impl Fn(io::Error) -> NotAlone {
    |source| NotAlone::Io {
        path: path.to_owned(),
        source,
    }
}

/// Holds the guard. Who has it gives it back at once, unless he was stopped.
fn hold(path: &Path) -> Result<File, NotAlone> {
    let failed = cannot_lock(path);
    let file = files::open_or_make(path, MODE, OFlags::empty()).map_err(&failed)?;
    for _ in 0..PATIENCE {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(Errno::WOULDBLOCK) => {
                let _waited = after(PAUSE).recv();
            }
            Err(errno) => return Err(failed(errno.into())),
        }
    }
    let pids = Holders::find(&file).map_or_else(Vec::new, |holders| holders.pids());
    Err(NotAlone::Held {
        path: path.to_owned(),
        pids,
    })
}

/// Returns why a lock that somebody holds cannot be had. `None` if only those hold it who may not: users who opened the file
/// of an older version, which everybody could.
fn refusal(path: &Path, file: &File) -> Option<NotAlone> {
    let mut noted = String::new();
    let _unknown = file.take(LONGEST).read_to_string(&mut noted);
    let noted: Option<u32> = noted.trim().parse().ok();
    let Some(holders) = Holders::find(file) else {
        // This kernel does not tell who it is.
        let alive = noted.filter(|pid| Path::new("/proc").join(pid.to_string()).exists());
        return Some(match alive {
            Some(pid) => NotAlone::Running { pid: Some(pid) },
            None => NotAlone::Held {
                path: path.to_owned(),
                pids: Vec::new(),
            },
        });
    };
    let pids = holders.pids();
    if noted.is_some_and(|noted| pids.contains(&noted)) {
        return Some(NotAlone::Running { pid: noted });
    }
    (!holders.are_all_strangers()).then(|| NotAlone::Held {
        path: path.to_owned(),
        pids,
    })
}

/// Puts another lock file in the place of one that others have open, and holds it. The guard is held.
fn another(path: &Path) -> io::Result<File> {
    let new = path.with_extension("new");
    files::remove(&new)?;
    let file = files::open_or_make(&new, MODE, OFlags::EXCL)?;
    fchmod(&file, Mode::from_raw_mode(MODE))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    fs::rename(new, path)?;
    Ok(file)
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
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;
    use crate::skip::skip;

    #[test]
    fn a_second_daemon_is_told_who_holds_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let runtime_dir = directory.path().join("run/adaptivemmd");

        let _first = Lock::take(&runtime_dir).unwrap();
        let second = Lock::take(&runtime_dir).unwrap_err();

        let pid = std::process::id();
        assert_eq!(
            second.to_string(),
            format!("the daemon is already running as process {pid}")
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

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    /// A file as an older version made it, which somebody has open.
    fn open_to_all(path: &Path) -> File {
        let file = File::create(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        file
    }

    #[test]
    fn nobody_else_can_open_the_lock() {
        let directory = tempfile::tempdir().unwrap();

        let _lock = Lock::take(directory.path()).unwrap();

        let modes = ["lock", "lock.guard"].map(|name| mode(&directory.path().join(name)));
        assert_eq!(modes, [0o600; 2]);
    }

    #[test]
    fn a_file_that_everybody_could_open_is_exchanged_for_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let old = open_to_all(&path);

        let lock = Lock::take(directory.path()).unwrap();
        flock(&old, FlockOperation::NonBlockingLockExclusive).unwrap();
        drop(lock);
        let again = Lock::take(directory.path());

        assert!(again.is_ok(), "{again:?}");
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn somebody_who_may_not_hold_the_lock_does_not_keep_the_daemon_from_starting() {
        if !rustix::process::geteuid().is_root() {
            skip("only root can start a process of another user");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let path = directory.path().join("lock");
        drop(open_to_all(&path));
        fs::write(&path, "4194304\n").unwrap();
        // He opened it while he could, and it was only then that the mode was changed.
        let mut stranger = std::process::Command::new("flock")
            .args(["--no-fork", "--shared"])
            .arg(&path)
            .args(["sh", "-c", "echo; exec sleep 600"])
            .uid(65534)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let holds = stranger.stdout.as_mut().unwrap().read_exact(&mut [0]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

        let lock = Lock::take(directory.path());
        let second = Lock::take(directory.path()).map(drop);
        stranger.kill().unwrap();
        stranger.wait().unwrap();

        assert!(holds.is_ok() && lock.is_ok(), "{lock:?}");
        assert!(
            matches!(second, Err(NotAlone::Running { .. })),
            "{second:?}"
        );
    }

    #[test]
    fn whoever_holds_the_lock_and_is_no_daemon_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let file = files::open_or_make(&path, MODE, OFlags::empty()).unwrap();
        fs::write(&path, "4194304\n").unwrap();
        flock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();

        let refused = Lock::take(directory.path()).unwrap_err();

        let (path, pid) = (path.display(), std::process::id());
        assert_eq!(
            refused.to_string(),
            format!(
                "{path} is locked by process {pid}, which is not the daemon: `fuser -v {path}` and `lslocks` show by whom"
            )
        );
    }

    #[test]
    fn a_link_and_a_pipe_are_no_lock_file() {
        for is_link in [true, false] {
            let directory = tempfile::tempdir().unwrap();
            let [path, victim] = ["lock", "victim"].map(|name| directory.path().join(name));
            fs::write(&victim, "secret").unwrap();
            if is_link {
                std::os::unix::fs::symlink(&victim, &path).unwrap();
            } else {
                mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
            }

            let refused = Lock::take(directory.path()).unwrap_err();

            assert!(matches!(refused, NotAlone::Io { .. }), "{refused:?}");
            assert_eq!(fs::read(&victim).unwrap(), b"secret");
        }
    }

    #[test]
    fn a_runtime_directory_that_others_can_write_to_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();

        let refused = Lock::take(directory.path()).unwrap_err();

        let text = format!(
            "the runtime-dir cannot be trusted: {} can be written by others (mode 0777)",
            directory.path().display()
        );
        assert!(refused.to_string().starts_with(&text), "{refused}");
    }

    #[test]
    fn of_many_that_start_at_a_time_one_has_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        drop(open_to_all(&path.join("lock")));

        let taken: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| Lock::take(path).ok()))
                .collect();
            all.into_iter()
                .filter_map(|one| one.join().unwrap())
                .collect()
        });

        assert_eq!(taken.len(), 1);
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

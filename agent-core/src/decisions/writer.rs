//! Writes the decision log in a thread of its own: a slow or full disk never holds up a scan.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::file;
use crate::base::news::News;

/// The most lines that wait to be written; what comes then is lost.
const WAITING: usize = 256;
/// The time that the daemon waits at its end until all is written.
const LONGEST_END: Duration = Duration::from_secs(2);

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    lines: Sender<String>,
    ended: Receiver<()>,
    health: Arc<Mutex<Health>>,
    /// The health that was last told.
    told: Health,
}

/// The health of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Health {
    /// The reason why nothing can be written.
    problem: Option<String>,
    /// The number of records that were never written.
    lost: u64,
}

impl Writer {
    /// Writes to this directory from now on.
    pub(super) fn start(state_dir: &Path) -> io::Result<Self> {
        let (lines, to_write) = bounded(WAITING);
        let (end, ended) = bounded(0);
        let health = Arc::new(Mutex::new(Health::default()));
        note(&health, file::prepare(state_dir), 0);
        let (directory, shared) = (state_dir.to_owned(), Arc::clone(&health));
        thread::Builder::new()
            .name("decision-log".to_owned())
            .spawn(move || {
                // Dropped with the thread, which tells that it has ended.
                let _end: Sender<()> = end;
                write_all(&directory, &to_write, &shared);
            })?;
        Ok(Self {
            path: file::path(state_dir),
            lines,
            ended,
            health,
            told: Health::default(),
        })
    }

    /// Hands over a line; without waiting.
    pub(super) fn write(&self, line: String) {
        if self.lines.try_send(line).is_err() {
            lock(&self.health).lost += 1;
        }
    }

    /// Returns what has changed since the last call: that it cannot be written, or that it can be again.
    pub(super) fn news(&mut self) -> Option<News> {
        let health = lock(&self.health).clone();
        let Health { problem, lost } = &health;
        let path = self.path.display();
        let was_bad = self.told.problem.is_some();
        let more = lost.saturating_sub(self.told.lost);
        let news = match problem {
            Some(problem) if !was_bad => News {
                is_bad: true,
                text: format!(
                    "cannot write decisions to {path}; `adaptivemmd explain` will not know them: {problem}"
                ),
            },
            None if was_bad || more > 0 => News {
                is_bad: false,
                text: format!("decisions are written to {path} again; records lost: {more}"),
            },
            _ => return None,
        };
        let lost = if news.is_bad { self.told.lost } else { *lost };
        let problem = health.problem;
        self.told = Health { problem, lost };
        Some(news)
    }

    /// Waits until all is written, but not for long.
    pub(super) fn end(self) {
        let Self { lines, ended, .. } = self;
        drop(lines);
        let _over_or_too_slow = ended.recv_timeout(LONGEST_END);
    }
}

fn write_all(directory: &Path, to_write: &Receiver<String>, health: &Mutex<Health>) {
    for line in to_write {
        note(health, file::append(directory, &line), 1);
    }
}

/// The result for so many records.
fn note(health: &Mutex<Health>, result: io::Result<()>, records: u64) {
    let mut health = lock(health);
    match result {
        Ok(()) => health.problem = None,
        Err(error) => {
            health.problem = Some(error.to_string());
            health.lost += records;
        }
    }
}

fn lock(health: &Mutex<Health>) -> MutexGuard<'_, Health> {
    health.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Waits until the thread has written what it was given.
    fn end(writer: Writer) {
        writer.end();
    }

    #[test]
    fn what_was_handed_over_is_on_the_disk_at_the_end() {
        let home = tempfile::tempdir().unwrap();
        let writer = Writer::start(home.path()).unwrap();

        for id in 1..=20 {
            writer.write(format!("{{\"id\":{id}}}"));
        }
        end(writer);

        assert_eq!(file::last_id(home.path()).unwrap(), 20);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_told_once_and_at_the_start() {
        let mut writer = Writer::start(std::path::Path::new("/proc/adaptivemmd")).unwrap();

        let news = [writer.news(), writer.news()];

        let text = "cannot write decisions to /proc/adaptivemmd/decisions.jsonl; `adaptivemmd explain` will not know them: \
                    No such file or directory (os error 2)";
        let told = News {
            is_bad: true,
            text: text.to_owned(),
        };
        assert_eq!(news, [Some(told), None]);
        end(writer);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told_once_and_so_is_its_end() {
        let home = tempfile::tempdir().unwrap();
        let path = file::path(home.path());
        fs::create_dir(&path).unwrap();
        let mut writer = Writer::start(home.path()).unwrap();
        let told = |writer: &mut Writer, is_bad| {
            for _ in 0..2000 {
                match writer.news() {
                    Some(news) if news.is_bad == is_bad => return news.text,
                    Some(news) => panic!("{news:?}"),
                    None => std::thread::sleep(Duration::from_millis(5)),
                }
            }
            panic!("nothing was told");
        };

        writer.write("{\"id\":1}".to_owned());
        let full = told(&mut writer, true);
        writer.write("{\"id\":2}".to_owned());
        while lock(&writer.health).lost < 2 {
            std::thread::sleep(Duration::from_millis(5));
        }
        fs::remove_dir(&path).unwrap();
        writer.write("{\"id\":3}".to_owned());
        let again = told(&mut writer, false);

        assert!(full.ends_with(": it is not a regular file"), "{full}");
        assert!(again.ends_with(" again; records lost: 2"), "{again}");
        assert_eq!(writer.news(), None);
        end(writer);
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"id\":3}\n");
    }

    #[test]
    fn a_disk_that_hangs_costs_records_and_no_time() {
        let home = tempfile::tempdir().unwrap();
        let mut writer = Writer::start(home.path()).unwrap();
        let (lines, _nobody_reads) = bounded(2);
        writer.lines = lines;

        for _ in 0..5 {
            writer.write(String::new());
        }

        assert_eq!(lock(&writer.health).lost, 3);
    }
}

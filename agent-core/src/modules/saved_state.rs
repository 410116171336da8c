//! The state of modules, kept across restarts.
//!
//! A module hands over bytes, and the next instance of it has them back: after a reload, or when the daemon was
//! started anew. They count as long as the machine runs; after a boot everything is new.

mod file;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use adaptivemm_module_api::units::Uptime;

use crate::base::news::News;
use file::{Found, Stamp};
use writer::{StateQueue, Writer};

/// Files are written no more often.
const PAUSE: Duration = Duration::from_secs(300);

/// The states of all modules.
#[derive(Debug, Default)]
pub struct SavedStates {
    queue: Arc<StateQueue>,
    place: Option<Place>,
    writer: Option<Writer>,
    /// The time at which files were last written, or might have been.
    passed: Option<Uptime>,
    news: Vec<News>,
}

/// The place where states are kept.
#[derive(Debug)]
struct Place {
    state_dir: PathBuf,
    boot_id: String,
}

impl SavedStates {
    /// States outlive a module and not the daemon: for replays and simulations.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// States are kept below this directory, for as long as this boot lasts.
    #[must_use]
    pub fn kept(state_dir: &Path, boot_id: &str) -> Self {
        Self {
            place: Some(Place {
                state_dir: state_dir.to_owned(),
                boot_id: boot_id.to_owned(),
            }),
            ..Self::default()
        }
    }

    /// Returns what a module kept last; empty if it did not. A file that makes no sense is set aside.
    pub(crate) fn for_module(&mut self, module: &str) -> Arc<[u8]> {
        if let Some(state) = self.queue.state(module) {
            return state;
        }
        let Some(place) = &self.place else {
            return Arc::default();
        };
        match file::read(&place.state_dir, module) {
            Ok(Found::State(stamp, state)) if stamp.boot_id == place.boot_id => state.into(),
            // A state of another boot is replaced by the next one.
            Ok(Found::State(..) | Found::Nothing) => Arc::default(),
            Ok(Found::Broken(why)) => {
                let path = file::path(&place.state_dir, module);
                file::set_aside(&path);
                self.tell(&format!(
                    "module {module} starts without its saved state, as {} is damaged: {why}; the file is set aside",
                    path.display()
                ));
                Arc::default()
            }
            Err(error) => {
                let path = file::path(&place.state_dir, module);
                self.tell(&format!(
                    "module {module} starts without its saved state, as {} cannot be read: {error}",
                    path.display()
                ));
                Arc::default()
            }
        }
    }

    /// Takes what a module keeps, in exchange for another buffer. Nothing at all is to be forgotten.
    pub(crate) fn keep(&mut self, module: &str, version: &str, state: &mut Vec<u8>) {
        self.queue.put(module, version, state);
    }

    /// Lets time pass: what is new is written now and then, by a thread that nobody waits for.
    pub(crate) fn pass(&mut self, now: Uptime) {
        let passed = *self.passed.get_or_insert(now);
        if now.since(passed) < PAUSE || !self.queue.has_news() {
            return;
        }
        self.passed = Some(now);
        if let Some(writer) = self.writer() {
            writer.wake();
        }
    }

    /// Returns what has changed since this was last asked.
    pub(crate) fn news(&mut self) -> Vec<News> {
        let mut news = std::mem::take(&mut self.news);
        if let Some(writer) = &mut self.writer {
            news.extend(writer.news());
        }
        news
    }

    /// Writes what is new, and waits for that, but not for long.
    pub(crate) fn end(mut self) {
        if self.queue.has_news() {
            // Without a thread the states are lost; a daemon that gets none has other worries.
            let _started = self.writer();
        }
        if let Some(writer) = self.writer {
            writer.end();
        }
    }

    /// Started with the first state: most modules have none.
    fn writer(&mut self) -> Option<&Writer> {
        if let (None, Some(Place { state_dir, boot_id })) = (&self.writer, &self.place) {
            let stamp = Stamp {
                boot_id: boot_id.clone(),
                version: String::new(),
            };
            self.writer = Writer::start(state_dir, &stamp, Arc::clone(&self.queue)).ok();
        }
        self.writer.as_ref()
    }

    fn tell(&mut self, text: &str) {
        self.news.push(News {
            is_bad: true,
            text: text.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests;

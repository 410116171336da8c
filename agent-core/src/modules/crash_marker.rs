//! Which module was running when the daemon died: a file that outlives it says so.
//!
//! A segmentation fault, or an `exit` in a module, ends the daemon without a word. But every thread notes in
//! memory that is also a file when it enters a module and when it leaves it, and the next daemon reads that.
//! Others may have been at work at that time: [`listen`] has the thread itself say whose end it was, and only
//! where none could, because all were killed, is everybody a suspect.
#![expect(
    unsafe_code,
    reason = "maps a file, and changes its bytes from several threads"
)]

mod last_word;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::fs::{FallocateFlags, OFlags, fallocate};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use crate::base::files;

pub use last_word::listen;

/// A module that was at work at so many deaths of the daemon is believed to be to blame.
pub const TOO_MANY: u8 = 2;

/// A module that is not at work, that is, and that ended the daemon.
const IDLE: u8 = 0;
const AT_WORK: u8 = 1;
const DIED: u8 = 2;

/// One module's part of the file: whether it is at work, at how many deaths it was, and its name.
const SLOT: usize = 80;
/// More modules than there ever are.
const SLOTS: usize = 256;
const SIZE: usize = SLOT * SLOTS;

/// The file in the runtime directory.
#[derive(Debug)]
pub struct CrashMarker {
    map: Arc<Map>,
    path: PathBuf,
    /// Whose slots are taken, in their order.
    names: Vec<String>,
    /// At how many deaths of the daemon a module was at work.
    deaths: BTreeMap<String, u8>,
}

/// One module's place in the file.
#[derive(Debug, Clone)]
pub struct Slot {
    map: Arc<Map>,
    start: usize,
}

impl CrashMarker {
    /// Takes over the file from the daemon before, and makes it anew.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn take_over(runtime_dir: &Path) -> io::Result<Self> {
        let path = runtime_dir.join("at-work");
        let old = files::read(&path, SIZE as u64);
        let deaths = old.map_or_else(|_| BTreeMap::new(), |old| deaths(&old));
        // Another file: the old one may still be mapped by whoever reads it.
        let _none_there = fs::remove_file(&path);
        let file = files::open_or_make(&path, 0o600, OFlags::EXCL)?;
        Ok(Self {
            map: Arc::new(Map::of(&file)?),
            path,
            names: Vec::new(),
            deaths,
        })
    }

    /// At how many deaths of the daemon the module was at work.
    #[must_use]
    pub fn deaths(&self, module: &str) -> u8 {
        self.deaths.get(module).copied().unwrap_or_default()
    }

    /// All modules that were at work at a death of the daemon, and at how many.
    pub fn suspects(&self) -> impl Iterator<Item = (&str, u8)> {
        self.deaths
            .iter()
            .map(|(name, deaths)| (name.as_str(), *deaths))
    }

    /// Gives a module another chance: one more death, and it is not started again.
    pub fn forgive(&mut self, module: &str) {
        if let Some(deaths) = self.deaths.get_mut(module) {
            *deaths = (*deaths).min(TOO_MANY - 1);
        }
    }

    /// The module's place; `None` if there are too many modules, or its name is too long.
    pub fn slot(&mut self, module: &str) -> Option<Slot> {
        let known = self.names.iter().position(|name| name == module);
        let index = known.unwrap_or(self.names.len());
        // The name is ended by a zero.
        if index >= SLOTS || module.len() > SLOT - 3 {
            return None;
        }
        if known.is_none() {
            self.names.push(module.to_owned());
        }
        let start = index * SLOT;
        self.map.set(start + 1, self.deaths(module));
        for (offset, byte) in module.bytes().enumerate() {
            self.map.set(start + 2 + offset, byte);
        }
        let map = Arc::clone(&self.map);
        Some(Slot { map, start })
    }

    /// Blames nobody who is at work now: the daemon ends, but not of them. Earlier deaths are remembered.
    pub fn excuse(&self) {
        for index in 0..self.names.len() {
            self.map.set(index * SLOT, IDLE);
        }
    }

    /// Forgets everything: the daemon ends because it was told to.
    pub fn remove(self) {
        // What cannot be removed speaks for itself.
        let _left_behind = fs::remove_file(&self.path);
    }
}

/// What the slots of an old file say.
fn deaths(old: &[u8]) -> BTreeMap<String, u8> {
    let slots = || old.chunks_exact(SLOT).take(SLOTS);
    let is_known = slots().any(|slot| slot[0] == DIED);
    let least = if is_known { DIED } else { AT_WORK };
    let death = |slot: &[u8]| {
        let (to_blame, before) = (u8::from(slot[0] >= least), slot[1]);
        let name = slot[2..].split(|&byte| byte == 0).next()?;
        let name = std::str::from_utf8(name)
            .ok()
            .filter(|name| !name.is_empty())?;
        let deaths = before.saturating_add(to_blame);
        (deaths > 0).then(|| (name.to_owned(), deaths))
    };
    slots().filter_map(death).collect()
}

impl Slot {
    /// This thread enters the module, and leaves it when what it gets is dropped.
    #[must_use]
    pub fn enter(&self) -> Visit<'_> {
        self.map.set(self.start, AT_WORK);
        last_word::is_in(Some(self.map.at(self.start)));
        Visit(self)
    }
}

/// A thread is in a module.
#[derive(Debug)]
pub struct Visit<'a>(&'a Slot);

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        last_word::is_in(None);
        self.0.map.set(self.0.start, IDLE);
    }
}

/// The bytes of the file.
#[derive(Debug)]
struct Map(NonNull<AtomicU8>);

// SAFETY: its bytes are atomics.
unsafe impl Send for Map {}
// SAFETY: as above.
unsafe impl Sync for Map {}

impl Map {
    fn of(file: &File) -> io::Result<Self> {
        let length = u64::try_from(SIZE).map_err(io::Error::other)?;
        // On a full disk this fails; writing to the mapping would end us.
        fallocate(file, FallocateFlags::empty(), 0, length)?;
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a mapping at an address of the kernel's choice overlaps nothing.
        let start = unsafe { mmap(ptr::null_mut(), SIZE, protection, MapFlags::SHARED, file, 0) }?;
        NonNull::new(start.cast())
            .map(Self)
            .ok_or_else(|| io::Error::other("mapped at 0"))
    }

    fn at(&self, at: usize) -> &AtomicU8 {
        assert!(at < SIZE, "a slot lies outside of the file");
        // SAFETY: `at` is within the mapping, which lives as long as we do.
        let cell = unsafe { self.0.add(at) };
        // SAFETY: an atomic byte has no alignment, any value, and is never borrowed mutably.
        unsafe { cell.as_ref() }
    }

    fn set(&self, at: usize, byte: u8) {
        self.at(at).store(byte, Ordering::Relaxed);
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: whoever has a slot holds this map, so nobody has one any more.
        let _still_mapped = unsafe { munmap(self.0.as_ptr().cast(), SIZE) };
    }
}

#[cfg(test)]
mod tests {
    use std::mem::forget;

    use super::*;

    #[test]
    fn a_module_that_was_at_work_at_a_death_is_a_suspect_of_the_next_daemon() {
        let directory = tempfile::tempdir().unwrap();
        let mut first = CrashMarker::take_over(directory.path()).unwrap();
        let slots = ["calm", "wild"].map(|name| first.slot(name).unwrap());
        drop(slots[0].enter());
        forget(slots[1].enter());
        // The first dies here: nothing is removed.
        let mut second = CrashMarker::take_over(directory.path()).unwrap();
        let suspects: Vec<_> = second
            .suspects()
            .map(|(name, deaths)| (name.to_owned(), deaths))
            .collect();
        forget(second.slot("wild").unwrap().enter());

        let mut third = CrashMarker::take_over(directory.path()).unwrap();
        let before = third.deaths("wild");
        third.forgive("wild");
        third.slot("wild").unwrap();
        let after = CrashMarker::take_over(directory.path())
            .unwrap()
            .deaths("wild");

        assert_eq!(
            (suspects, before, after),
            (vec![("wild".to_owned(), 1)], 2, 1)
        );
    }

    #[test]
    fn whoever_said_that_he_ended_the_daemon_is_the_only_suspect() {
        let directory = tempfile::tempdir().unwrap();
        let mut first = CrashMarker::take_over(directory.path()).unwrap();
        let slots = ["calm", "wild"].map(|name| first.slot(name).unwrap());
        for slot in &slots {
            forget(slot.enter());
        }
        slots[1].map.set(slots[1].start, DIED);

        let second = CrashMarker::take_over(directory.path()).unwrap();

        assert_eq!((second.deaths("calm"), second.deaths("wild")), (0, 1));
    }

    #[test]
    fn an_end_that_was_asked_for_leaves_no_suspects() {
        let directory = tempfile::tempdir().unwrap();
        let mut marker = CrashMarker::take_over(directory.path()).unwrap();
        forget(marker.slot("hung").unwrap().enter());
        marker.remove();

        let next = CrashMarker::take_over(directory.path()).unwrap();

        assert_eq!(next.suspects().count(), 0);
    }

    #[test]
    fn a_daemon_that_does_not_start_blames_nobody_and_forgets_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let mut first = CrashMarker::take_over(directory.path()).unwrap();
        forget(first.slot("wild").unwrap().enter());
        let mut second = CrashMarker::take_over(directory.path()).unwrap();
        for name in ["hung", "wild"] {
            forget(second.slot(name).unwrap().enter());
        }
        second.excuse();

        let third = CrashMarker::take_over(directory.path()).unwrap();

        assert_eq!((third.deaths("hung"), third.deaths("wild")), (0, 1));
    }

    #[test]
    fn a_file_that_somebody_else_wrote_names_nobody_by_mistake() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("at-work"), [0xff; 3 * SLOT + 7]).unwrap();

        let marker = CrashMarker::take_over(directory.path()).unwrap();

        assert_eq!(marker.suspects().count(), 0);
    }
}

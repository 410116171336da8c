//! The only code that writes to the machine.

mod ledger;

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use crate::sampler::Root;
use crate::tunables::{self, Knob};
use crate::words::Action;

pub use ledger::{Entry, Ledger, LedgerError};

/// Whether actions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    Live,
    /// They are only said: nothing is written, by anyone.
    Simulate,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The tunable was changed, or the node is compacted.
    Done {
        /// The value before; `None` where there is none.
        before: Option<String>,
    },
    /// It would have been.
    Simulated {
        /// The value that stays.
        before: Option<String>,
    },
    /// The tunable has this value already.
    AlreadySo,
    /// Somebody else changed the tunable after us: it is theirs.
    Yielded {
        /// The value that they gave it.
        found: String,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done {
                before: Some(before),
            } => write!(f, "done, was {before}"),
            Self::Done { before: None } => f.write_str("done"),
            Self::Simulated {
                before: Some(before),
            } => write!(f, "not done in a simulation, stays {before}"),
            Self::Simulated { before: None } => f.write_str("not done in a simulation"),
            Self::AlreadySo => f.write_str("it is so already"),
            Self::Yielded { found } => write!(f, "left alone, somebody else set it to {found}"),
        }
    }
}

/// An action that could not be carried out.
#[derive(Debug)]
pub enum ActionFailed {
    /// The kernel does not take it.
    Write {
        /// The kernel's file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The original value cannot be noted, so it was not even tried.
    Ledger(LedgerError),
}

impl fmt::Display for ActionFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { path, source } => write!(f, "cannot write {}: {source}", path.display()),
            Self::Ledger(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for ActionFailed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Write { source, .. } => Some(source),
            Self::Ledger(error) => std::error::Error::source(error),
        }
    }
}

/// What became of a tunable that was to get its original value back.
#[derive(Debug)]
pub struct Restored {
    /// Its name.
    pub tunable: String,
    /// The value before our first change.
    pub original: String,
    /// Whether it has that again; `false` if somebody else has changed it, and it is left alone.
    pub result: Result<bool, ActionFailed>,
}

impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tunable, original, ..
        } = self;
        match &self.result {
            Ok(true) => write!(f, "{tunable} = {original}: given back"),
            Ok(false) => write!(
                f,
                "{tunable} is left alone, as somebody else has changed it (it was {original})"
            ),
            Err(error) => write!(f, "{tunable} cannot be given its {original} back: {error}"),
        }
    }
}

/// Carries out what was decided, and gives everything back.
#[derive(Debug)]
pub struct Actuator {
    root: Root,
    mode: Mode,
    ledger: Ledger,
}

impl Actuator {
    /// Writes below `root`, or nowhere. What the ledger holds already is given back with the rest.
    #[must_use]
    pub fn new(root: Root, mode: Mode, ledger: Ledger) -> Self {
        Self { root, mode, ledger }
    }

    /// Carries out one action.
    ///
    /// # Errors
    ///
    /// If the kernel refuses it, or does not have what is to be changed.
    pub fn carry_out(&mut self, action: &Action) -> Result<Outcome, ActionFailed> {
        match action {
            Action::Set { tunable, value } => match tunables::find(tunable) {
                Some(knob) => self.set(knob, &value.to_string()),
                None => Err(ActionFailed::Write {
                    path: tunable.into(),
                    source: io::ErrorKind::Unsupported.into(),
                }),
            },
            Action::CompactNode { node } => self.compact(*node),
        }
    }

    fn set(&mut self, knob: &'static Knob, value: &str) -> Result<Outcome, ActionFailed> {
        let path = self.path(knob.path);
        let failed = |source| ActionFailed::Write {
            path: path.clone(),
            source,
        };
        let found = self.value(knob).map_err(failed)?;
        let entry = self.ledger.entry(knob.name);
        if entry.is_some_and(|entry| !entry.is_ours(&found)) {
            return Ok(Outcome::Yielded { found });
        }
        if found == value {
            return Ok(Outcome::AlreadySo);
        }
        let before = Some(found);
        if self.mode == Mode::Simulate {
            return Ok(Outcome::Simulated { before });
        }
        let found = before.as_deref().unwrap_or_default();
        self.ledger
            .note(knob.name, found, value)
            .map_err(ActionFailed::Ledger)?;
        write(&path, value).map_err(failed)?;
        Ok(Outcome::Done { before })
    }

    fn compact(&self, node: u32) -> Result<Outcome, ActionFailed> {
        let path = self.path(&format!("/sys/devices/system/node/node{node}/compact"));
        if self.mode == Mode::Simulate {
            return Ok(Outcome::Simulated { before: None });
        }
        match write(&path, "1") {
            Ok(()) => Ok(Outcome::Done { before: None }),
            Err(source) => Err(ActionFailed::Write { path, source }),
        }
    }

    /// Gives every tunable that still has our value its original one back. One that cannot be given back
    /// stays in the ledger.
    pub fn restore(&mut self) -> Vec<Restored> {
        let entries: Vec<(String, Entry)> = self
            .ledger
            .entries()
            .map(|(name, entry)| (name.to_owned(), entry.clone()))
            .collect();
        let restored = entries.into_iter().map(|(tunable, entry)| {
            let result = self.give_back(&tunable, &entry);
            Restored {
                tunable,
                original: entry.original,
                result,
            }
        });
        restored.collect()
    }

    fn give_back(&mut self, tunable: &str, entry: &Entry) -> Result<bool, ActionFailed> {
        let given_back = match tunables::find(tunable) {
            Some(knob) => {
                let path = self.path(knob.path);
                let failed = |source| ActionFailed::Write {
                    path: path.clone(),
                    source,
                };
                let ours = entry.is_ours(&self.value(knob).map_err(failed)?);
                if ours {
                    write(&path, &entry.original).map_err(failed)?;
                }
                ours
            }
            // A ledger of another version, or one that somebody has written: it says where nothing is ours.
            None => false,
        };
        self.ledger.forget(tunable).map_err(ActionFailed::Ledger)?;
        Ok(given_back)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.locate(path).unwrap_or_else(|| path.into())
    }

    fn value(&self, knob: &Knob) -> io::Result<String> {
        let text = self.root.read(knob.path)?;
        Ok(String::from_utf8_lossy(&text).trim_end().to_owned())
    }
}

#[expect(clippy::disallowed_methods, reason = "the one writer")]
fn write(path: &std::path::Path, value: &str) -> io::Result<()> {
    // `fs::write` would make a file where the kernel has none.
    if path.exists() {
        fs::write(path, value)
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const WSF: &str = "proc/sys/vm/watermark_scale_factor";

    fn machine() -> (tempfile::TempDir, Root) {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir_all(tree.path().join("proc/sys/vm")).unwrap();
        fs::write(tree.path().join(WSF), "10\n").unwrap();
        let root = Root::Directory(tree.path().to_owned());
        (tree, root)
    }

    fn scale(value: i64) -> Action {
        Action::Set {
            tunable: "vm.watermark_scale_factor".to_owned(),
            value,
        }
    }

    fn found(tree: &tempfile::TempDir) -> String {
        fs::read_to_string(tree.path().join(WSF)).unwrap()
    }

    #[test]
    fn a_change_is_written_and_given_back_at_the_end() {
        let (tree, root) = machine();
        let mut actuator = Actuator::new(root, Mode::Live, Ledger::in_memory());

        let first = actuator.carry_out(&scale(20)).unwrap();
        let second = actuator.carry_out(&scale(40)).unwrap();
        let changed = found(&tree);
        let restored = actuator.restore();

        assert_eq!(
            first,
            Outcome::Done {
                before: Some("10".to_owned())
            }
        );
        assert_eq!(
            second,
            Outcome::Done {
                before: Some("20".to_owned())
            }
        );
        assert_eq!(
            (changed.as_str(), found(&tree).as_str(), restored.len()),
            ("40", "10", 1)
        );
        assert_eq!(actuator.restore().len(), 0);
    }

    #[test]
    fn a_simulation_writes_nothing() {
        let (tree, root) = machine();
        let mut actuator = Actuator::new(root, Mode::Simulate, Ledger::in_memory());

        let outcome = actuator.carry_out(&scale(20)).unwrap();

        assert_eq!(outcome.to_string(), "not done in a simulation, stays 10");
        assert_eq!(found(&tree), "10\n");
    }

    #[test]
    fn a_value_that_somebody_else_set_is_left_alone() {
        let (tree, root) = machine();
        let mut actuator = Actuator::new(root, Mode::Live, Ledger::in_memory());
        actuator.carry_out(&scale(20)).unwrap();
        fs::write(tree.path().join(WSF), "35\n").unwrap();

        let outcome = actuator.carry_out(&scale(40)).unwrap();
        let restored = actuator.restore();

        assert_eq!(
            outcome,
            Outcome::Yielded {
                found: "35".to_owned()
            }
        );
        assert!(matches!(restored[0].result, Ok(false)));
        assert_eq!(found(&tree), "35\n");
    }

    #[test]
    fn a_tunable_that_the_kernel_lacks_is_an_error_that_names_the_file() {
        let (tree, root) = machine();
        let mut actuator = Actuator::new(root, Mode::Live, Ledger::in_memory());

        let error = actuator
            .carry_out(&Action::CompactNode { node: 7 })
            .unwrap_err();

        let path = tree.path().join("sys/devices/system/node/node7/compact");
        assert_eq!(
            error.to_string(),
            format!("cannot write {}: entity not found", path.display())
        );
    }

    #[test]
    fn what_a_daemon_that_died_had_changed_is_given_back_by_the_next_one() {
        let (tree, root) = machine();
        let runtime_dir = tempfile::tempdir().unwrap();
        let actuator = || {
            let ledger = Ledger::open(runtime_dir.path(), "this-boot").0;
            Actuator::new(root.clone(), Mode::Live, ledger)
        };
        let mut first = actuator();
        first.carry_out(&scale(20)).unwrap();
        first.carry_out(&scale(40)).unwrap();
        drop(first);

        let restored = actuator().restore();

        assert_eq!(
            (
                restored[0].tunable.as_str(),
                restored[0].original.as_str(),
                found(&tree).as_str()
            ),
            ("vm.watermark_scale_factor", "10", "10")
        );
        assert!(matches!(restored[0].result, Ok(true)));
        assert_eq!(actuator().restore().len(), 0);
    }

    #[test]
    fn nothing_is_changed_whose_original_value_cannot_be_noted() {
        let (tree, root) = machine();
        let ledger = Ledger::open(Path::new("/nowhere"), "this-boot").0;
        let mut actuator = Actuator::new(root, Mode::Live, ledger);

        let error = actuator.carry_out(&scale(20)).unwrap_err();

        assert!(matches!(error, ActionFailed::Ledger(_)), "{error}");
        assert_eq!(found(&tree), "10\n");
    }
}

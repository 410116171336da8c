//! The only code that writes to the machine.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use crate::sampler::Root;
use crate::tunables;
use crate::words::Action;

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
pub struct ActionFailed {
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for ActionFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write {}: {}", self.path.display(), self.source)
    }
}

impl std::error::Error for ActionFailed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Carries out what was decided, and remembers how things were.
#[derive(Debug)]
pub struct Actuator {
    root: Root,
    mode: Mode,
    changed: BTreeMap<&'static str, Change>,
}

/// A tunable that we changed.
#[derive(Debug)]
struct Change {
    path: PathBuf,
    original: String,
    ours: String,
}

impl Actuator {
    /// Writes below `root`, or nowhere.
    #[must_use]
    pub fn new(root: Root, mode: Mode) -> Self {
        Self {
            root,
            mode,
            changed: BTreeMap::new(),
        }
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
                None => Err(ActionFailed {
                    path: tunable.into(),
                    source: io::ErrorKind::Unsupported.into(),
                }),
            },
            Action::CompactNode { node } => self.compact(*node),
        }
    }

    fn set(&mut self, knob: &'static tunables::Knob, value: &str) -> Result<Outcome, ActionFailed> {
        let path = self
            .root
            .locate(knob.path)
            .unwrap_or_else(|| knob.path.into());
        let failed = |source| ActionFailed {
            path: path.clone(),
            source,
        };
        let text = self.root.read(knob.path).map_err(failed)?;
        let found = String::from_utf8_lossy(&text).trim_end().to_owned();
        if self
            .changed
            .get(knob.name)
            .is_some_and(|change| change.ours != found)
        {
            return Ok(Outcome::Yielded { found });
        }
        if found == value {
            return Ok(Outcome::AlreadySo);
        }
        if self.mode == Mode::Simulate {
            return Ok(Outcome::Simulated {
                before: Some(found),
            });
        }
        write(&path, value).map_err(failed)?;
        let original = self
            .changed
            .remove(knob.name)
            .map_or_else(|| found.clone(), |change| change.original);
        self.changed.insert(
            knob.name,
            Change {
                path,
                original,
                ours: value.to_owned(),
            },
        );
        Ok(Outcome::Done {
            before: Some(found),
        })
    }

    fn compact(&self, node: u32) -> Result<Outcome, ActionFailed> {
        let name = format!("/sys/devices/system/node/node{node}/compact");
        let path = self.root.locate(&name).unwrap_or_else(|| name.into());
        if self.mode == Mode::Simulate {
            return Ok(Outcome::Simulated { before: None });
        }
        match write(&path, "1") {
            Ok(()) => Ok(Outcome::Done { before: None }),
            Err(source) => Err(ActionFailed { path, source }),
        }
    }

    /// Gives every tunable that still has our value its original one back. What could not be restored
    /// is returned: its name and why.
    pub fn restore(&mut self) -> Vec<(&'static str, ActionFailed)> {
        let mut failures = Vec::new();
        for (
            name,
            Change {
                path,
                original,
                ours,
            },
        ) in std::mem::take(&mut self.changed)
        {
            let knob = tunables::find(name).map_or(name, |knob| knob.path);
            let found = self.root.read(knob).unwrap_or_default();
            if String::from_utf8_lossy(&found).trim_end() == ours {
                if let Err(source) = write(&path, &original) {
                    failures.push((name, ActionFailed { path, source }));
                }
            }
        }
        failures
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
        let mut actuator = Actuator::new(root, Mode::Live);

        let first = actuator.carry_out(&scale(20)).unwrap();
        let second = actuator.carry_out(&scale(40)).unwrap();
        let changed = found(&tree);
        let failures = actuator.restore();

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
            (changed.as_str(), found(&tree).as_str(), failures.len()),
            ("40", "10", 0)
        );
    }

    #[test]
    fn a_simulation_writes_nothing() {
        let (tree, root) = machine();
        let mut actuator = Actuator::new(root, Mode::Simulate);

        let outcome = actuator.carry_out(&scale(20)).unwrap();

        assert_eq!(outcome.to_string(), "not done in a simulation, stays 10");
        assert_eq!(found(&tree), "10\n");
    }

    #[test]
    fn a_value_that_somebody_else_set_is_left_alone() {
        let (tree, root) = machine();
        let mut actuator = Actuator::new(root, Mode::Live);
        actuator.carry_out(&scale(20)).unwrap();
        fs::write(tree.path().join(WSF), "35\n").unwrap();

        let outcome = actuator.carry_out(&scale(40)).unwrap();
        let failures = actuator.restore();

        assert_eq!(
            outcome,
            Outcome::Yielded {
                found: "35".to_owned()
            }
        );
        assert_eq!((found(&tree).as_str(), failures.len()), ("35\n", 0));
    }

    #[test]
    fn a_tunable_that_the_kernel_lacks_is_an_error_that_names_the_file() {
        let (tree, root) = machine();
        let mut actuator = Actuator::new(root, Mode::Live);

        let error = actuator
            .carry_out(&Action::CompactNode { node: 7 })
            .unwrap_err();

        let path = tree.path().join("sys/devices/system/node/node7/compact");
        assert_eq!(
            error.to_string(),
            format!("cannot write {}: entity not found", path.display())
        );
    }
}

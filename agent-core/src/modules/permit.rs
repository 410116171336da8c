//! The requests that a module may make, and the answer that it gets at once.

use std::fmt;

use adaptivemm_module_api::abi;
use serde::{Deserialize, Serialize};

use crate::kernel::tunables;
use crate::modules::output::Action;

/// The action that modules declare to be allowed to ask for compaction.
pub const COMPACT_NODE: &str = abi::ACTION_COMPACT_NODE;

/// The requests that one module may make: what it declared, less what the administrator does not allow.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Permit {
    writes: Vec<String>,
    allow: Option<Vec<String>>,
}

/// The answer that a module gets at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The request will be decided upon.
    Taken,
    /// The module did not declare it, or the administrator does not allow it.
    Denied,
    /// The daemon cannot change it.
    Unsupported,
    /// The kernel would not accept it, or it would do harm.
    OutOfRange,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Taken => "taken",
            Self::Denied => "not declared in `writes`, or not allowed",
            Self::Unsupported => "not supported by the daemon",
            Self::OutOfRange => "out of range",
        })
    }
}

impl Permit {
    /// Creates the permit of a module that declared `writes`; `allow` is the administrator's list, if there is one.
    #[must_use]
    pub fn new(writes: &[String], allow: Option<&[String]>) -> Self {
        Self {
            writes: writes.to_vec(),
            allow: allow.map(<[String]>::to_vec),
        }
    }

    /// The tunables that it allows to be changed, each once. What the daemon cannot change is not among them.
    pub(crate) fn tunables(&self) -> Vec<&str> {
        let mut tunables: Vec<&str> = Vec::new();
        for write in &self.writes {
            let is_allowed = self
                .allow
                .as_ref()
                .is_none_or(|allow| allow.contains(write));
            if is_allowed && tunables::find(write).is_some() && !tunables.contains(&write.as_str())
            {
                tunables.push(write);
            }
        }
        tunables
    }

    /// Returns the answer to a request by itself. It depends on nothing before, so that a module can be told during the
    /// call.
    #[must_use]
    pub fn answer(&self, action: &Action) -> Answer {
        let name = match action {
            Action::Set { tunable, .. } => tunable.as_str(),
            Action::CompactNode { .. } => COMPACT_NODE,
        };
        let is_declared = contains(&self.writes, name);
        let is_allowed = self
            .allow
            .as_deref()
            .is_none_or(|allow| contains(allow, name));
        if !is_declared || !is_allowed {
            return Answer::Denied;
        }
        match action {
            Action::CompactNode { .. } => Answer::Taken,
            Action::Set { tunable, value } => match tunables::find(tunable) {
                None => Answer::Unsupported,
                Some(knob) if (knob.min..=knob.max).contains(value) => Answer::Taken,
                Some(_) => Answer::OutOfRange,
            },
        }
    }
}

fn contains(names: &[String], name: &str) -> bool {
    names.iter().any(|each| each == name)
}

#[cfg(test)]
mod tests {
    use super::Answer::{Denied, OutOfRange, Taken, Unsupported};
    use super::*;

    const WSF: &str = "vm.watermark_scale_factor";

    fn set(tunable: &str, value: i64) -> Action {
        Action::Set {
            tunable: tunable.to_owned(),
            value,
        }
    }

    fn permit(writes: &[&str], allow: Option<&[&str]>) -> Permit {
        let owned = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        Permit::new(&owned(writes), allow.map(owned).as_deref())
    }

    #[test]
    fn only_what_was_declared_and_is_allowed_is_taken() {
        let declared = permit(&[WSF, "vm.swappiness"], None);

        let answers = [
            set(WSF, 20),
            set(WSF, 0),
            set(WSF, 3001),
            set("vm.swappiness", 1),
            set("vm.other", 1),
        ]
        .map(|action| declared.answer(&action));

        assert_eq!(
            answers,
            [Taken, OutOfRange, OutOfRange, Unsupported, Denied]
        );
        assert_eq!(
            permit(&[WSF], Some(&["compact-node"])).answer(&set(WSF, 20)),
            Denied
        );
        assert_eq!(
            permit(&[], None).answer(&Action::CompactNode { node: 0 }),
            Denied
        );
    }
}

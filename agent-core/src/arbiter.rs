//! Decides what becomes of requests: who may ask for what, and whether it is done or only said.

use std::collections::BTreeMap;
use std::fmt;

use adaptivemm_module_api::abi;
use serde::{Deserialize, Serialize};

use crate::config::ModuleMode;
use crate::tunables;
use crate::words::{Action, Request};

/// The action that modules declare to be allowed to ask for compaction.
pub(crate) const COMPACT_NODE: &str = abi::ACTION_COMPACT_NODE;

/// What one module may ask for: what it declared, less what the administrator does not allow.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Permit {
    writes: Vec<String>,
    allow: Option<Vec<String>>,
}

/// The answer that a module gets at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It will be decided upon.
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
            Self::Unsupported => "nothing that the daemon can do",
            Self::OutOfRange => "out of range",
        })
    }
}

impl Permit {
    /// For a module that declared `writes`; `allow` is the administrator's list, if there is one.
    #[must_use]
    pub fn new(writes: &[String], allow: Option<&[String]>) -> Self {
        Self {
            writes: writes.to_vec(),
            allow: allow.map(<[String]>::to_vec),
        }
    }

    /// What a request is worth by itself. Has no memory, so that a module can be told during the call.
    #[must_use]
    pub fn answer(&self, action: &Action) -> Answer {
        let name = match action {
            Action::Set { tunable, .. } => tunable.as_str(),
            Action::CompactNode { .. } => COMPACT_NODE,
        };
        let named = |list: &[String]| list.iter().any(|allowed| allowed == name);
        if !named(&self.writes) || self.allow.as_deref().is_some_and(|allow| !named(allow)) {
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

/// What is to become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The actuator carries it out.
    CarryOut,
    /// The module only advises: it is said, and not done.
    Advise,
    /// Another module owns this tunable.
    NotOwner,
}

/// Two modules want to change the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// What both declared.
    pub action: String,
    /// The modules.
    pub modules: [String; 2],
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = &self.modules;
        write!(
            f,
            "modules {first} and {second} both change {}: switch one off, or take it out of its `allow`",
            self.action
        )
    }
}

impl std::error::Error for Clash {}

/// Knows the owner of every tunable and the mode of every module.
#[derive(Debug, Default)]
pub struct Arbiter {
    owners: BTreeMap<String, String>,
    advisers: Vec<String>,
}

impl Arbiter {
    /// For these modules: name, permit, mode.
    ///
    /// # Errors
    ///
    /// If two of them may change the same tunable. A node may be compacted for several of them.
    pub fn new<'a>(
        modules: impl Iterator<Item = (&'a str, &'a Permit, ModuleMode)>,
    ) -> Result<Self, Clash> {
        let mut arbiter = Self::default();
        for (name, permit, mode) in modules {
            match mode {
                ModuleMode::Advise => arbiter.advisers.push(name.to_owned()),
                ModuleMode::Active => {}
            }
            let allowed = |write: &&String| {
                permit
                    .allow
                    .as_ref()
                    .is_none_or(|allow| allow.contains(write))
            };
            for write in permit
                .writes
                .iter()
                .filter(allowed)
                .filter(|write| *write != COMPACT_NODE)
            {
                if let Some(owner) = arbiter.owners.insert(write.clone(), name.to_owned()) {
                    return Err(Clash {
                        action: write.clone(),
                        modules: [owner, name.to_owned()],
                    });
                }
            }
        }
        Ok(arbiter)
    }

    /// Whether there is a module that changes this tunable, and does not only advise.
    #[must_use]
    pub fn is_changed(&self, tunable: &str) -> bool {
        let adviser = |owner: &str| self.advisers.iter().any(|adviser| adviser == owner);
        self.owner(tunable).is_some_and(|owner| !adviser(owner))
    }

    /// The module that may change this tunable.
    #[must_use]
    pub fn owner(&self, tunable: &str) -> Option<&str> {
        self.owners.get(tunable).map(String::as_str)
    }

    /// Decides on one request of a module.
    #[must_use]
    pub fn decide(&self, module: &str, request: &Request) -> Decision {
        let owned = match &request.action {
            Action::Set { tunable, .. } => self.owner(tunable) == Some(module),
            Action::CompactNode { .. } => true,
        };
        if !owned {
            Decision::NotOwner
        } else if self.advisers.iter().any(|adviser| adviser == module) {
            Decision::Advise
        } else {
            Decision::CarryOut
        }
    }
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

    #[test]
    fn two_owners_of_a_tunable_are_an_error_that_names_both() {
        let (a, b) = (
            permit(&[WSF, "compact-node"], None),
            permit(&[WSF, "compact-node"], None),
        );

        let clash = Arbiter::new(
            [("a", &a, ModuleMode::Active), ("b", &b, ModuleMode::Active)].into_iter(),
        );

        assert_eq!(
            clash.unwrap_err().to_string(),
            "modules a and b both change vm.watermark_scale_factor: switch one off, or take it out of its `allow`"
        );
    }

    #[test]
    fn a_module_that_may_not_ask_does_not_clash() {
        let (a, b) = (permit(&[WSF], None), permit(&[WSF], Some(&[])));
        let request = Request {
            action: set(WSF, 20),
            reason: String::new(),
            details: String::new(),
            numbers: Vec::new(),
        };

        let arbiter = Arbiter::new(
            [("a", &a, ModuleMode::Advise), ("b", &b, ModuleMode::Active)].into_iter(),
        )
        .unwrap();

        assert_eq!(arbiter.decide("a", &request), Decision::Advise);
        assert_eq!(arbiter.decide("b", &request), Decision::NotOwner);
    }
}

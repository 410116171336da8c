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

    /// The tunables that it allows to be changed, each once. What the daemon cannot change is not among them.
    fn tunables(&self) -> Vec<&str> {
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

/// A module wants to change what others change: it is not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// Who is not run.
    pub module: String,
    /// Each tunable, with the module that owns it.
    pub owned: Vec<(String, String)>,
}

impl Clash {
    /// What can be done about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        let mut owners: Vec<&str> = self.owned.iter().map(|(_, owner)| owner.as_str()).collect();
        owners.sort_unstable();
        owners.dedup();
        let module = &self.module;
        format!(
            "to use it instead, set `enabled = false` in [modules.{}]; to keep both, set `mode = \"advise\"` in \
             [modules.{module}], or an `allow` without what it does not own",
            owners.join("] and [modules.")
        )
    }
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owned: Vec<String> = self
            .owned
            .iter()
            .map(|(tunable, owner)| format!("the module {owner} owns {tunable}"))
            .collect();
        f.write_str(&owned.join(", and "))
    }
}

/// Knows the owner of every tunable and the mode of every module.
#[derive(Debug, Default)]
pub struct Arbiter {
    owners: BTreeMap<String, String>,
    advisers: Vec<String>,
}

impl Arbiter {
    /// For these modules: name, permit, mode. The first that may change a tunable owns it, and a later one that
    /// may change it as well is returned: it is not to be run, and owns nothing. A module that only advises owns
    /// nothing either. A node may be compacted for several modules.
    pub fn new<'a>(
        modules: impl Iterator<Item = (&'a str, &'a Permit, ModuleMode)>,
    ) -> (Self, Vec<Clash>) {
        let mut arbiter = Self::default();
        let mut clashes = Vec::new();
        for (name, permit, mode) in modules {
            if mode == ModuleMode::Advise {
                arbiter.advisers.push(name.to_owned());
                continue;
            }
            let mut owned = Vec::new();
            for tunable in permit.tunables() {
                if let Some(owner) = arbiter.owner(tunable) {
                    owned.push((tunable.to_owned(), owner.to_owned()));
                }
            }
            if owned.is_empty() {
                for tunable in permit.tunables() {
                    arbiter.owners.insert(tunable.to_owned(), name.to_owned());
                }
            } else {
                clashes.push(Clash {
                    module: name.to_owned(),
                    owned,
                });
            }
        }
        (arbiter, clashes)
    }

    /// The module that changes this tunable; none if modules only advise on it.
    #[must_use]
    pub fn owner(&self, tunable: &str) -> Option<&str> {
        self.owners.get(tunable).map(String::as_str)
    }

    /// Decides on one request of a module.
    #[must_use]
    pub fn decide(&self, module: &str, request: &Request) -> Decision {
        let is_owned = match &request.action {
            Action::Set { tunable, .. } => self.owner(tunable) == Some(module),
            Action::CompactNode { .. } => true,
        };
        if self.advisers.iter().any(|adviser| adviser == module) {
            Decision::Advise
        } else if !is_owned {
            Decision::NotOwner
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

    fn clashes(clashes: &[Clash]) -> Vec<(&str, String)> {
        let clashes = clashes.iter();
        clashes
            .map(|clash| (clash.module.as_str(), clash.to_string()))
            .collect()
    }

    #[test]
    fn the_first_owns_a_tunable_and_a_later_one_owns_nothing() {
        const CACHE: &str = "vm.vfs_cache_pressure";
        let a = permit(&[WSF, WSF, "compact-node"], None);
        let b = permit(&[CACHE, WSF, "compact-node"], None);
        let c = permit(&[CACHE], None);
        let active = ModuleMode::Active;

        let (arbiter, found) =
            Arbiter::new([("a", &a, active), ("b", &b, active), ("c", &c, active)].into_iter());

        let text = "the module a owns vm.watermark_scale_factor".to_owned();
        assert_eq!(clashes(&found), [("b", text)]);
        assert_eq!(
            (arbiter.owner(WSF), arbiter.owner(CACHE)),
            (Some("a"), Some("c"))
        );
        assert_eq!(
            found[0].remedy(),
            "to use it instead, set `enabled = false` in [modules.a]; to keep both, set `mode = \"advise\"` in \
             [modules.b], or an `allow` without what it does not own"
        );
    }

    #[test]
    fn what_the_daemon_cannot_change_has_no_owner() {
        let (a, b) = (
            permit(&["vm.swappiness"], None),
            permit(&["vm.swappiness"], None),
        );

        let (arbiter, found) = Arbiter::new(
            [("a", &a, ModuleMode::Active), ("b", &b, ModuleMode::Active)].into_iter(),
        );

        assert_eq!((arbiter.owner("vm.swappiness"), found), (None, vec![]));
    }

    #[test]
    fn advisers_and_modules_that_may_not_ask_own_nothing() {
        let (all, none) = (permit(&[WSF], None), permit(&[WSF], Some(&[])));
        let request = Request {
            action: set(WSF, 20),
            reason: String::new(),
            details: String::new(),
            numbers: Vec::new(),
        };

        let (arbiter, found) = Arbiter::new(
            [
                ("a", &all, ModuleMode::Advise),
                ("b", &none, ModuleMode::Active),
                ("c", &all, ModuleMode::Active),
                ("d", &all, ModuleMode::Advise),
            ]
            .into_iter(),
        );

        assert_eq!(found, []);
        assert_eq!(
            ["a", "b", "c", "d"].map(|module| arbiter.decide(module, &request)),
            [
                Decision::Advise,
                Decision::NotOwner,
                Decision::CarryOut,
                Decision::Advise
            ]
        );
    }
}

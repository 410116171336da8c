//! Decides on requests: which module may ask for what, and if it is carried out or only logged.

use std::collections::BTreeMap;
use std::fmt;

use crate::config::ModuleMode;
use crate::modules::output::{Action, Request};
use crate::modules::permit::Permit;

/// The decision on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// The actuator carries it out.
    CarryOut,
    /// The module only advises: the request is logged, and not carried out.
    Advise,
    /// Another module owns this tunable.
    NotOwner,
}

/// A module that is not run, as it would change tunables that others own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The module that is not run.
    pub module: String,
    /// Each tunable, with the module that owns it.
    pub owned: Vec<(String, String)>,
}

impl Clash {
    /// The advice for the administrator.
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

/// The owner of every tunable, and the modules that only advise.
#[derive(Debug, Default)]
pub struct Policy {
    owners: BTreeMap<String, String>,
    advisers: Vec<String>,
}

impl Policy {
    /// Makes the policy for these modules: name, permit, mode. The first that may change a tunable owns it, and a later
    /// one that may change it as well is returned: it is not to be run, and owns nothing. A module that only advises owns
    /// nothing either. A node may be compacted for several modules.
    pub fn new<'a>(
        modules: impl Iterator<Item = (&'a str, &'a Permit, ModuleMode)>,
    ) -> (Self, Vec<Clash>) {
        let mut policy = Self::default();
        let mut clashes = Vec::new();
        for (name, permit, mode) in modules {
            if mode == ModuleMode::Advise {
                policy.advisers.push(name.to_owned());
                continue;
            }
            let mut owned = Vec::new();
            for tunable in permit.tunables() {
                if let Some(owner) = policy.owner(tunable) {
                    owned.push((tunable.to_owned(), owner.to_owned()));
                }
            }
            if owned.is_empty() {
                for tunable in permit.tunables() {
                    policy.owners.insert(tunable.to_owned(), name.to_owned());
                }
            } else {
                clashes.push(Clash {
                    module: name.to_owned(),
                    owned,
                });
            }
        }
        (policy, clashes)
    }

    /// The module that changes this tunable; none if modules only advise on it.
    #[must_use]
    pub fn owner(&self, tunable: &str) -> Option<&str> {
        self.owners.get(tunable).map(String::as_str)
    }

    /// Decides on one request of a module.
    #[must_use]
    pub fn decide(&self, module: &str, request: &Request) -> Ruling {
        let is_owned = match &request.action {
            Action::Set { tunable, .. } => self.owner(tunable) == Some(module),
            Action::CompactNode { .. } => true,
        };
        if self.advisers.iter().any(|adviser| adviser == module) {
            Ruling::Advise
        } else if !is_owned {
            Ruling::NotOwner
        } else {
            Ruling::CarryOut
        }
    }
}

#[cfg(test)]
mod tests {
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

        let (policy, found) =
            Policy::new([("a", &a, active), ("b", &b, active), ("c", &c, active)].into_iter());

        let text = "the module a owns vm.watermark_scale_factor".to_owned();
        assert_eq!(clashes(&found), [("b", text)]);
        assert_eq!(
            (policy.owner(WSF), policy.owner(CACHE)),
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

        let (policy, found) =
            Policy::new([("a", &a, ModuleMode::Active), ("b", &b, ModuleMode::Active)].into_iter());

        assert_eq!((policy.owner("vm.swappiness"), found), (None, vec![]));
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

        let (policy, found) = Policy::new(
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
            ["a", "b", "c", "d"].map(|module| policy.decide(module, &request)),
            [
                Ruling::Advise,
                Ruling::NotOwner,
                Ruling::CarryOut,
                Ruling::Advise
            ]
        );
    }
}

//! A module that is enabled and not run, although it does not break down.

use std::fmt;

use crate::actions::policy::Clash;

/// The reason why a module is idle until a reload. No other module is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idle {
    /// The name of the module.
    pub module: String,
    /// The reason.
    pub reason: String,
    /// The remedy.
    pub remedy: String,
}

impl Idle {
    pub(super) fn clashing(clash: &Clash) -> Self {
        Self {
            module: clash.module.clone(),
            reason: clash.to_string(),
            remedy: clash.remedy(),
        }
    }

    /// Makes the entry of a module that refuses options which the administrator has not set.
    pub(super) fn refusing(module: &str, problems: &[(String, String)]) -> Self {
        let problems: Vec<String> = problems
            .iter()
            .map(|(key, text)| match key.as_str() {
                "" => text.clone(),
                key => format!("{key}: {text}"),
            })
            .collect();
        Self {
            module: module.to_owned(),
            reason: format!("it refuses its own defaults: {}", problems.join("; ")),
            remedy: format!(
                "set other values in [modules.{module}.config], set `enabled = false` in [modules.{module}], or install \
                 another version of it"
            ),
        }
    }
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.reason, self.remedy)
    }
}

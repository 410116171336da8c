//! A tunable as it stands: what it is, what it was, and whose it is.

use serde::{Deserialize, Serialize};

/// A tunable that some module may change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TunableState {
    /// The name, as sysctl has it.
    pub name: String,
    /// The current value; `None` if this kernel has no such tunable.
    pub value: Option<i64>,
    /// The original value, if the daemon has changed it.
    pub original: Option<i64>,
    /// The module that may change it.
    pub owner: Option<String>,
    /// True if its tuning is paused, as it was changed externally.
    pub yielded: bool,
}

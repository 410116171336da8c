//! A tunable as it stands: what it is, what it was, and whose it is.

use serde::{Deserialize, Serialize};

/// A tunable that some module may change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TunableState {
    /// As sysctl names it.
    pub name: String,
    /// What it is now; nothing if this kernel has none.
    pub value: Option<i64>,
    /// What it gets back, if the daemon has changed it.
    pub original: Option<i64>,
    /// The module that may change it.
    pub owner: Option<String>,
    /// Whether it is left alone, as somebody else has set it.
    pub yielded: bool,
}

//! What is known of each trace: `labels.toml`, which says itself what its fields mean.

use std::fs;
use std::path::Path;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Labels {
    trace: Vec<Label>,
}

/// What happens in a trace.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Label {
    pub(crate) file: String,
    pub(crate) kind: Kind,
    pub(crate) class: String,
    /// Empty unless it is a leak.
    #[serde(default)]
    pub(crate) speed: String,
    /// By how much to multiply its times, each in turn.
    #[serde(default = "as_recorded")]
    pub(crate) stretch: Vec<u64>,
    /// Of a leak, at the end.
    #[serde(default)]
    pub(crate) lost_kib: u64,
    /// As recorded.
    pub(crate) begins_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Leak,
    Benign,
}

fn as_recorded() -> Vec<u64> {
    vec![1]
}

/// The labels of a directory of traces.
pub(crate) fn read(directory: &Path) -> Vec<Label> {
    let path = directory.join("labels.toml");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let labels: Labels =
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    labels.trace
}

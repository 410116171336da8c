//! How well the leak detection does on labelled traces: what was found, when, and what was said in vain.
//!
//! A benchmark prints it for all of them, and a test holds a few of them to it.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![allow(clippy::disallowed_methods, reason = "labels are no kernel file")]

mod judged;
mod labels;
mod replayed;
mod table;

use std::path::Path;

pub(crate) use judged::{Judged, Score};
pub(crate) use labels::Label;
pub(crate) use table::{classes, runs};

/// Each trace that is `wanted` of a directory, at each of its paces.
pub(crate) fn evaluate(directory: &Path, wanted: impl Fn(&Label) -> bool) -> Vec<Judged> {
    let labels = labels::read(directory);
    let mut judged = Vec::new();
    for label in labels.into_iter().filter(|label| wanted(label)) {
        for &stretch in &label.stretch {
            let said = replayed::said(&directory.join(&label.file), stretch);
            judged.push(Judged::of(&label, stretch, &said));
        }
    }
    judged
}

//! Recorded machines whose tunables get the values that modules ask for: what a module did changes what it sees
//! next, and nothing else.

use std::collections::BTreeMap;

use crate::kernel::trace::Frame;
use crate::kernel::tunables;

/// The values of the tunables in the trace, whatever was asked for since.
#[derive(Debug, Default)]
pub(super) struct Rehearsal {
    recorded: BTreeMap<String, Option<String>>,
}

impl Rehearsal {
    /// Takes the tunables from the files of the machine as it is at the beginning.
    pub(super) fn from_files<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Self {
        let tunables = files.filter(|(path, _)| tunables::at(path).is_some());
        Self {
            recorded: tunables
                .map(|(path, bytes)| {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    (path.to_owned(), Some(text))
                })
                .collect(),
        }
    }

    /// The frame without those tunables that are recorded to be as before: a trace may repeat them, but only a
    /// change is somebody's doing.
    pub(super) fn news(&mut self, frame: &Frame) -> Frame {
        let mut news = frame.clone();
        news.files.retain(|path, content| {
            tunables::at(path).is_none()
                || self.recorded.insert(path.clone(), content.clone()).as_ref() != Some(content)
        });
        news
    }
}

/// A frame that gives tunables these values: each a path, and a number.
pub(super) fn frame(values: impl Iterator<Item = (&'static str, i64)>) -> Frame {
    let file = |(path, value): (&str, i64)| {
        let path = path.trim_start_matches('/').to_owned();
        (path, Some(format!("{value}\n")))
    };
    Frame {
        t_ms: 0,
        files: values.map(file).collect(),
    }
}

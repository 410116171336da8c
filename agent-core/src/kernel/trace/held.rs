//! Limits how much of a machine a trace may hold. A trace comes with a report of a stranger, and a hundred compressed KiB can
//! be gigabytes of files.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserializer;
use serde::de::{Error, MapAccess, Visitor};

use super::Frame;

/// The most bytes of all files together (those of 64 nodes with 512 CPUs are 6 MB).
pub(super) const MAX_HELD: usize = 64 << 20;
/// The most files that a frame may name: more than a machine with a thousand nodes has.
const MAX_FILES: usize = 65_536;
/// The bytes that keeping a file costs beside its text and its name.
const OVERHEAD: usize = 128;
/// The number of copies of a name: ours, that of the recorded machine, and that of the search for gaps.
const COPIES_OF_NAME: usize = 3;

/// The sizes of the files of a recorded machine.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// The sizes by name, also of files that are gone.
    files: BTreeMap<String, usize>,
    sum: usize,
}

impl Held {
    /// Takes over what changed. Returns false if there is no room for it.
    pub(super) fn apply(&mut self, frame: &Frame) -> bool {
        for (path, text) in &frame.files {
            let size = text.as_ref().map_or(0, String::len);
            let before = if let Some(before) = self.files.get_mut(path) {
                std::mem::replace(before, size)
            } else {
                self.files.insert(path.clone(), size);
                self.sum += OVERHEAD + COPIES_OF_NAME * path.len();
                0
            };
            self.sum = self.sum - before + size;
        }
        self.sum <= MAX_HELD
    }
}

impl Frame {
    /// The memory that the frame takes, approximately.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let mut bytes = OVERHEAD;
        for (path, text) in &self.files {
            bytes += OVERHEAD + path.len() + text.as_ref().map_or(0, String::len);
        }
        bytes
    }
}

type Files = BTreeMap<String, Option<String>>;

/// Reads the files of a frame, if their names alone do not take too much memory.
pub(super) fn few_files<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Files, D::Error> {
    struct Few;

    impl<'de> Visitor<'de> for Few {
        type Value = Files;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("files by their paths")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Files, A::Error> {
            let mut files = Files::new();
            while let Some((path, text)) = map.next_entry()? {
                if files.len() == MAX_FILES {
                    return Err(A::Error::custom(format_args!(
                        "more than {MAX_FILES} files"
                    )));
                }
                files.insert(path, text);
            }
            Ok(files)
        }
    }

    deserializer.deserialize_map(Few)
}

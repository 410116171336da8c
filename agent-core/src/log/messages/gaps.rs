//! The files that modules need and a trace does not contain. Nobody knows whether that machine had them, so a gap is neither a
//! fact of its kernel nor an error of a module.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::trace::Frame;
use crate::kernel::tunables;
use crate::modules::abi::Description;
use crate::modules::catalogue::Registration;

/// The files that a trace has named so far, and what modules need.
#[derive(Debug, Default)]
pub struct Gaps {
    named: BTreeSet<String>,
    /// The files that each module needs, without the leading slash.
    needs: BTreeMap<String, Vec<String>>,
    is_asked: bool,
}

impl Gaps {
    /// Creates the gaps for these modules, whose needs nothing has met yet. Whoever asked for them by name wants to know why
    /// one says nothing.
    #[must_use]
    pub fn new<'a>(modules: impl IntoIterator<Item = &'a Registration>, is_asked: bool) -> Self {
        let needs = |module: &Registration| {
            let Description { needs, writes, .. } = &module.description;
            let tunables = writes.iter().filter_map(|name| tunables::find(name));
            let paths = tunables
                .map(|knob| knob.path)
                .chain(needs.iter().map(String::as_str));
            paths.map(|path| bare(path).to_owned()).collect()
        };
        let modules = modules.into_iter();
        Self {
            named: BTreeSet::new(),
            needs: modules
                .map(|module| (module.name().to_owned(), needs(module)))
                .collect(),
            is_asked,
        }
    }

    /// Takes over which files a frame names. One that it says not to exist is no gap.
    pub fn close(&mut self, frame: &Frame) {
        for path in frame.files.keys() {
            if !self.named.contains(path) {
                self.named.insert(path.clone());
            }
        }
    }

    /// Returns true if the trace names neither this file nor any in the directory of this name.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let path = bare(path);
        let below = format!("{path}/");
        let next = self.named.range(below.clone()..).next();
        !self.named.contains(path) && !next.is_some_and(|next| next.starts_with(&below))
    }

    /// Returns true if modules were asked for by name.
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// Returns the files that a module needs and the trace does not contain, with the leading slash.
    #[must_use]
    pub fn missing(&self, module: &str) -> Vec<String> {
        let needs = self.needs.get(module).into_iter().flatten();
        needs
            .filter(|path| self.has(path))
            .map(|path| format!("/{path}"))
            .collect()
    }
}

/// A path as a trace has it.
fn bare(path: &str) -> &str {
    path.trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(files: &[(&str, Option<&str>)]) -> Frame {
        let file =
            |(path, text): &(&str, Option<&str>)| ((*path).to_owned(), text.map(str::to_owned));
        Frame {
            t_ms: 0,
            files: files.iter().map(file).collect(),
        }
    }

    #[test]
    fn a_file_that_no_frame_names_is_a_gap() {
        let mut gaps = Gaps::default();
        gaps.close(&frame(&[
            ("proc/meminfo", Some("")),
            ("proc/vmstat-of-old", Some("")),
        ]));

        assert!(gaps.has("/proc/vmstat"));
        assert!(!gaps.has("/proc/meminfo"));

        gaps.close(&frame(&[("proc/vmstat", Some(""))]));

        assert!(!gaps.has("/proc/vmstat"));
    }

    #[test]
    fn a_file_that_is_said_not_to_exist_is_none() {
        let mut gaps = Gaps::default();
        gaps.close(&frame(&[("proc/pressure/memory", None)]));

        assert!(!gaps.has("/proc/pressure/memory"));
    }

    #[test]
    fn a_directory_is_none_if_something_in_it_is_named() {
        let mut gaps = Gaps::default();
        gaps.close(&frame(&[
            ("sys/kernel/mm/hugepages-old", None),
            ("sys/kernel/mm/hugepages/x/nr", None),
        ]));

        assert!(!gaps.has("/sys/kernel/mm/hugepages"));
        assert!(gaps.has("/sys/kernel/mm/huge"));
    }
}

//! The set of kernel files that somebody wants.

use adaptivemm_module_api::abi;

use super::module_files::{FileBudget, ModuleFiles};
use super::tunables::{self, Knob};

/// The files to read: the sum of what the enabled modules need, and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of files")]
pub struct Wanted {
    /// True for `/proc/meminfo`.
    pub meminfo: bool,
    /// True for `/proc/vmstat`.
    pub vmstat: bool,
    /// True for `/proc/zoneinfo`.
    pub zoneinfo: bool,
    /// True for `/proc/buddyinfo`.
    pub buddyinfo: bool,
    /// True for the pools of huge pages.
    pub hugepages: bool,
    /// True for the `meminfo` of each node.
    pub node_meminfo: bool,
    /// Other files, by path.
    pub(crate) files: Vec<String>,
    /// The modules that name those files, and the budget of each.
    pub(crate) modules: Vec<ModuleFiles>,
    /// Tunables that some module may change.
    pub tunables: Vec<&'static Knob>,
}

impl Wanted {
    /// Asks for everything that the core knows how to read: for a recording, which serves modules yet unknown.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            meminfo: true,
            vmstat: true,
            zoneinfo: true,
            buddyinfo: true,
            hugepages: true,
            node_meminfo: true,
            files: Vec::new(),
            modules: Vec::new(),
            tunables: tunables::KNOBS.iter().collect(),
        }
    }

    /// Adds a kernel file, by its path on a live machine.
    pub fn add_file(&mut self, path: &str) {
        match path {
            abi::NEED_MEMINFO => self.meminfo = true,
            abi::NEED_VMSTAT => self.vmstat = true,
            abi::NEED_ZONEINFO => self.zoneinfo = true,
            abi::NEED_BUDDYINFO => self.buddyinfo = true,
            abi::NEED_HUGEPAGES => self.hugepages = true,
            abi::NEED_NODE_MEMINFO => self.node_meminfo = true,
            other => {
                if !self.files.iter().any(|path| path == other) {
                    self.files.push(other.to_owned());
                }
            }
        }
    }

    /// Adds everything that a module needs and may change. `budget` is for its files in a scan.
    pub fn add_module(
        &mut self,
        module: &str,
        needs: &[String],
        writes: &[String],
        budget: FileBudget,
    ) {
        let mut own = Self::default();
        for path in needs {
            self.add_file(path);
            own.add_file(path);
        }
        for name in writes {
            self.add_tunable(name);
        }
        self.modules.push(ModuleFiles {
            module: module.to_owned(),
            paths: own.files,
            budget,
        });
    }

    /// Adds a tunable by its name; one that the core does not know is left out, and cannot be changed.
    pub fn add_tunable(&mut self, name: &str) {
        if let Some(knob) = tunables::find(name).filter(|knob| !self.tunables.contains(knob)) {
            self.tunables.push(knob);
        }
    }

    /// True if this file is wanted. Not for huge pages, the memory of nodes and tunables, which are wanted all or not at
    /// all.
    pub(crate) fn names(&self, path: &str) -> bool {
        match path {
            abi::NEED_MEMINFO => self.meminfo,
            abi::NEED_VMSTAT => self.vmstat,
            abi::NEED_ZONEINFO => self.zoneinfo,
            abi::NEED_BUDDYINFO => self.buddyinfo,
            other => self.files.iter().any(|path| path == other),
        }
    }

    pub(crate) fn is_more_than_meminfo(&self) -> bool {
        self.vmstat || self.zoneinfo || self.buddyinfo || self.hugepages || self.node_meminfo
    }
}

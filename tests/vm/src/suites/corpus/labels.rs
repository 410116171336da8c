//! `labels.toml`: what happens in each trace of the corpus. Kept as text, one block for each trace, so that one can be
//! recorded again without the others.

use std::collections::BTreeMap;
use std::path::Path;

use crate::files;
use crate::problem::Result;

const BLOCK: &str = "[[trace]]\n";

const HEADER: &str = "\
# What happens in each trace of the corpus. Written by `cargo vm corpus`; the traces are beside this file.
#
#   file       the trace
#   kind       leak: memory is lost from begins_ms to the end. benign: memory is used, and given back after 10 s
#   class      of a leak: what is lost (pages-orderN: pages of that order; refs: pages that are cut off from their file while
#              somebody holds a reference; kmalloc: slab; vmalloc; percpu; pipes; packet-ring). Else the name of the load
#   speed      of a leak: slow (an exponential: more than a tenth more in each frame), fast (all at once), steps, noise
#              (a rate that varies by 90 %), constant
#   owner      of a leak: the module of the kernel or the process that loses memory
#   stretch    by how much to multiply t_ms, the period and begins_ms before replay, each of these in turn. 200 makes
#              scans every 30 s of the usual 150 ms between two frames; 4000 makes scans every 600 s
#   lost_kib   of a leak: how much is lost at the end
#   begins_ms  when it begins, in t_ms as recorded, to within two frames
#   kernel     what `uname -r` says; 1 node of 1024 MiB with 2 processors, emulated, unless the name of the trace
#              begins with `live`, which is the machine that called the command
#   command    records it again
#
# What the detectors cannot find by design is in here too: a number that says how much is found must not leave it out.
";

/// The labels, by the names of the traces.
#[derive(Debug, Default)]
pub(super) struct Labels(BTreeMap<String, String>);

impl Labels {
    /// Those of a file, none if it is not there.
    pub(super) fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = files::read(path)?;
        let block = |block: &str| {
            let name = block.strip_prefix("file = \"")?.split_once('"')?.0;
            Some((name.to_owned(), block.trim_end().to_owned() + "\n"))
        };
        Ok(Self(text.split(BLOCK).skip(1).filter_map(block).collect()))
    }

    pub(super) fn put(&mut self, name: &str, label: String) {
        self.0.insert(name.to_owned(), label);
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let blocks: Vec<String> = self
            .0
            .values()
            .map(|block| format!("\n{BLOCK}{block}"))
            .collect();
        files::write(path, &(HEADER.to_owned() + &blocks.concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_are_read_and_written_stay_as_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("labels.toml");
        let mut labels = Labels::read(&path).unwrap();
        labels.put("b", "file = \"b\"\nkind = \"leak\"\n".to_owned());
        labels.put("a", "file = \"a\"\nkind = \"benign\"\n".to_owned());
        labels.write(&path).unwrap();
        let once = files::read(&path).unwrap();
        let labels = Labels::read(&path).unwrap();
        assert_eq!(labels.count(), 2);
        labels.write(&path).unwrap();
        assert_eq!(files::read(&path).unwrap(), once);
        assert!(once.ends_with(
            "\n[[trace]]\nfile = \"a\"\nkind = \"benign\"\n\n[[trace]]\nfile = \"b\"\nkind = \"leak\"\n"
        ));
    }
}

//! Reads large things, now and then: directories, links, files in parts.

use std::fs;
use std::io::{self, Read};
use std::ops::ControlFlow;

use super::root::{Root, open};

impl Root {
    /// The names of the directories in a directory, sorted; none if it does not exist.
    ///
    /// # Errors
    ///
    /// If it exists and cannot be read.
    pub fn directories(&self, path: &str) -> io::Result<Vec<String>> {
        let mut names = match self {
            Self::Directory(_) => self.listed_directories(path)?,
            Self::Recorded(files) => {
                let prefix = format!("{}/", path.trim_start_matches('/'));
                let below = files.keys().filter_map(|file| file.strip_prefix(&prefix));
                below
                    .filter_map(|rest| Some(rest.split_once('/')?.0.to_owned()))
                    .collect()
            }
        };
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn listed_directories(&self, path: &str) -> io::Result<Vec<String>> {
        let Some(directory) = self.locate(path) else {
            return Ok(Vec::new());
        };
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        Ok(names)
    }

    /// The target of a symbolic link, in the words of the kernel: `pipe:[42]`. In a recording, the text that is
    /// recorded under its name.
    ///
    /// # Errors
    ///
    /// If it is not a link, or cannot be read.
    pub fn link(&self, path: &str) -> io::Result<String> {
        match self.locate(path) {
            Some(path) => Ok(fs::read_link(path)?.to_string_lossy().into_owned()),
            None => Ok(String::from_utf8_lossy(&self.read(path)?).trim().to_owned()),
        }
    }

    /// Hands out a file from its beginning, in parts that fit into `buffer`, until `take` has enough.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or not to its end.
    pub fn parts(
        &self,
        path: &str,
        buffer: &mut [u8],
        mut take: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let Some(located) = self.locate(path) else {
            let whole = self.read(path)?;
            let _stopped = whole.chunks(buffer.len().max(1)).try_for_each(take);
            return Ok(());
        };
        let mut file = open(&located)?;
        loop {
            match file.read(buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => {
                    if take(&buffer[..read]).is_break() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::kernel::Recorded;

    fn both() -> (tempfile::TempDir, [Root; 2]) {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir_all(tree.path().join("proc/7/fd")).unwrap();
        fs::create_dir_all(tree.path().join("proc/7/net")).unwrap();
        fs::write(tree.path().join("proc/7/net/packet"), "0123456789").unwrap();
        fs::write(tree.path().join("proc/7/maps"), "").unwrap();
        symlink("pipe:[42]", tree.path().join("proc/7/fd/3")).unwrap();
        let recorded: Recorded = [
            ("proc/7/net/packet", "0123456789"),
            ("proc/7/maps", ""),
            ("proc/7/fd/3", "pipe:[42]"),
        ]
        .map(|(path, text)| (path.to_owned(), text.into()))
        .into();
        let directory = Root::Directory(tree.path().into());
        (tree, [directory, Root::Recorded(recorded)])
    }

    #[test]
    fn directories_are_told_from_files() {
        let (_tree, roots) = both();

        for root in roots {
            assert_eq!(root.directories("/proc/7").unwrap(), ["fd", "net"]);
            assert_eq!(root.directories("/proc/8").unwrap(), [""; 0]);
        }
    }

    #[test]
    fn a_link_says_where_it_leads() {
        let (_tree, roots) = both();

        for root in roots {
            assert_eq!(root.link("/proc/7/fd/3").unwrap(), "pipe:[42]");
            assert!(root.link("/proc/7/fd/4").is_err());
        }
    }

    #[test]
    fn a_file_comes_in_parts_until_there_is_enough() {
        let (_tree, roots) = both();

        for root in roots {
            let mut parts = Vec::new();
            let path = "/proc/7/net/packet";
            let result = root.parts(path, &mut [0; 4], |part| {
                parts.push(String::from_utf8_lossy(part).into_owned());
                if parts.len() == 2 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            assert!(result.is_ok());
            assert_eq!(parts, ["0123", "4567"]);
        }
    }
}

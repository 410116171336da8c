//! Kernel files in a directory.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

/// A kernel file of this machine.
pub(crate) fn live(path: &str) -> String {
    String::from_utf8(fs::read(Path::new("/").join(path)).unwrap()).unwrap()
}

/// Writes a file of a tree. One that is there already keeps its inode, as kernel files do.
pub(crate) fn put(tree: &Path, path: &str, text: &str) {
    let path = tree.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
}

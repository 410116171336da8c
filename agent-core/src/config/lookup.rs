//! Finds the files of the configuration, as UAPI.6 says.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::diagnostic::Diagnostic;
use super::document::Place;
use super::merge::Layer;

/// The directories of the configuration; the first that has a file wins.
const DIRECTORIES: [(&str, Layer); 4] = [
    ("etc", Layer::Native),
    ("run", Layer::Native),
    ("usr/local/lib", Layer::Vendor),
    ("usr/lib", Layer::Vendor),
];

/// The largest size of a configuration file; a device or a log named by mistake is larger.
const LARGEST: u64 = 256 * 1024;

/// A TOML file that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) layer: Layer,
}

/// The reason why a file cannot be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// The kernel did not give it out.
    Io(io::Error),
    /// It is a directory, a pipe or a socket.
    NotAFile,
    /// It is larger than any configuration.
    TooLarge,
}

/// The TOML files below `root` that count; a later one overrules those before it.
///
/// `candidate` is judged as if it were among the drop-ins of the
/// administrator, under its own base name.
pub(crate) fn native_files(root: &Path, candidate: Option<&Path>) -> (Vec<Found>, Vec<Diagnostic>) {
    let (mut drop_ins, diagnostics) = drop_ins(root);
    if let Some(path) = candidate {
        let name = path.file_name().unwrap_or(OsStr::new("")).to_owned();
        let layer = Layer::Native;
        let path = path.to_owned();
        drop_ins.insert(name, Found { path, layer });
    }
    let mut files: Vec<Found> = main_file(root).into_iter().collect();
    files.extend(drop_ins.into_values());
    files.retain(|file| !is_mask(&file.path));
    (files, diagnostics)
}

fn main_file(root: &Path) -> Option<Found> {
    DIRECTORIES
        .map(|(directory, layer)| {
            let path = root.join(directory).join("adaptivemmd/adaptivemmd.toml");
            Found { path, layer }
        })
        .into_iter()
        .find(|file| fs::symlink_metadata(&file.path).is_ok())
}

fn drop_ins(root: &Path) -> (BTreeMap<OsString, Found>, Vec<Diagnostic>) {
    let mut found = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for (directory, layer) in DIRECTORIES {
        let directory = root.join(directory).join("adaptivemmd/adaptivemmd.toml.d");
        let names = match names(&directory) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                let message = format!("cannot list this directory: {error}");
                let error = Diagnostic::error(Place::file(&directory), &message);
                diagnostics.push(layer.weighed(error));
                continue;
            }
        };
        for name in names.into_iter().filter(|name| is_drop_in(name)) {
            let path = directory.join(&name);
            found.entry(name).or_insert(Found { path, layer });
        }
    }
    (found, diagnostics)
}

fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect()
}

fn is_drop_in(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.ends_with(b".toml") && !name.starts_with(b".")
}

/// True if the file only hides those of the same name further down: it is
/// empty, or a link to `/dev/null`.
fn is_mask(path: &Path) -> bool {
    // The link is looked at, not followed: in a recorded tree it would lead
    // out of the tree.
    fs::read_link(path).is_ok_and(|target| target == Path::new("/dev/null"))
        || fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() == 0)
}

/// The file of adaptivemm 2.1 below `root`, if there is one.
#[must_use]
pub fn legacy_path(root: &Path) -> Option<PathBuf> {
    ["etc/sysconfig/adaptivemmd", "etc/default/adaptivemmd"]
        .into_iter()
        .map(|path| root.join(path))
        .find(|path| fs::symlink_metadata(path).is_ok())
}

/// The content of a configuration file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Unreadable> {
    // The type is asked for before opening, because opening a pipe would wait for a writer.
    // `-c /dev/null` is a good way to say “no configuration”.
    let kind = fs::metadata(path).map_err(Unreadable::Io)?.file_type();
    if !kind.is_file() && !kind.is_char_device() {
        return Err(Unreadable::NotAFile);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Unreadable::Io)?;
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(Unreadable::Io)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Unreadable::TooLarge);
    }
    Ok(bytes)
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot read this file: {error}"),
            Self::NotAFile => f.write_str("cannot read this file: it is not a regular file"),
            Self::TooLarge => write!(
                f,
                "cannot read this file: it is larger than {LARGEST} bytes"
            ),
        }
    }
}

//! The files that the process of a module may read while its library is loaded: libraries, and nothing else.
//!
//! A user without capabilities may set this up for itself (Landlock). Where the process of a module cannot become
//! `nobody`, nothing else keeps the constructor of a library from what belongs to root.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

/// The newest that is asked for; an older kernel does what it knows of it.
const NEWEST: ABI = ABI::V6;
/// The directories in which the dynamic linker looks whatever it is told.
const LIBRARIES: [&str; 11] = [
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libx32",
    "/usr/local/lib",
    "/usr/local/lib32",
    "/usr/local/lib64",
];
/// The linker's list of all libraries, as glibc has it.
const CACHE: &str = "/etc/ld.so.cache";
/// The file in which an administrator names other directories of libraries.
const SETTINGS: &str = "/etc/ld.so.conf";
const MORE_SETTINGS: &str = "/etc/ld.so.conf.d";

/// From now on this thread reads libraries and `files` only, connects to nobody and signals nobody but itself. Returns
/// true if the kernel sees to that.
///
/// # Errors
///
/// Returns an error if the kernel has Landlock, and this does not work.
pub(super) fn libraries_only(files: &[PathBuf]) -> io::Result<bool> {
    restrict_to(&readable(files)).map_err(io::Error::other)
}

fn restrict_to(readable: &[PathBuf]) -> Result<bool, RulesetError> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(readable, AccessFs::ReadFile))?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// Returns the files to be read. There are none for a module that is linked in.
fn readable(files: &[PathBuf]) -> Vec<PathBuf> {
    if files.is_empty() {
        return Vec::new();
    }
    let musl = format!("/etc/ld-musl-{}.path", std::env::consts::ARCH);
    let mut readable: Vec<PathBuf> = LIBRARIES.iter().map(PathBuf::from).collect();
    readable.extend(named_in(Path::new(SETTINGS)));
    for entry in fs::read_dir(MORE_SETTINGS).into_iter().flatten().flatten() {
        readable.extend(named_in(&entry.path()));
    }
    readable.extend(named_in(Path::new(&musl)));
    readable.extend([CACHE.into(), musl.into()]);
    readable.extend_from_slice(files);
    readable
}

/// The directories that a file of settings names, one per line or between colons. What else may be there is not a path.
#[expect(
    clippy::disallowed_methods,
    reason = "a file of this machine, and none of the kernel"
)]
fn named_in(settings: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(settings).unwrap_or_default();
    let paths = text.split(['\n', ':']).map(str::trim);
    paths
        .filter(|path| path.starts_with('/') && *path != "/")
        .map(PathBuf::from)
        .collect()
}

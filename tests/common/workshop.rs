//! Where tests build modules: the daemon loads none from where others could put one, and a clone may be anywhere.
#![allow(dead_code, reason = "each crate of tests uses a part of it")]
#![allow(clippy::disallowed_methods, reason = "no kernel files in here")]

use std::fs::{self, Metadata, Permissions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

const TARGET: &str = env!("CARGO_TARGET_TMPDIR");

/// An empty directory of a test.
pub(crate) fn workshop(test: &str) -> PathBuf {
    let base = fit_directory();
    let _was_not_there = fs::remove_dir_all(base.join(test));
    make(base, Path::new(test))
}

/// A directory from which the daemon loads modules: Cargo's, where it is fit, or else one in a cache.
pub(crate) fn fit_directory() -> PathBuf {
    let mut reasons = Vec::new();
    for (base, name) in candidates() {
        match unfit(&base) {
            None => return make(base, &name),
            Some(reason) => reasons.push(reason),
        }
    }
    panic!(
        "modules are loaded only from where nobody else can put a file, and no such directory was found; clone into one, \
         or name one in ADAPTIVEMMD_TEST_DIR: {}",
        reasons.join("; ")
    );
}

/// Directories that may be fit, and the name in each that keeps two clones apart.
fn candidates() -> Vec<(PathBuf, PathBuf)> {
    let mut hasher = DefaultHasher::new();
    TARGET.hash(&mut hasher);
    let apart = format!("{:016x}", hasher.finish());
    let below = |base: PathBuf, name: &str| (base, Path::new(name).join(&apart));
    let from = |variable| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let mut all = Vec::new();
    all.extend(from("ADAPTIVEMMD_TEST_DIR").map(|base| below(base, "")));
    all.push((TARGET.into(), PathBuf::new()));
    if is_root() {
        all.push(below("/var/cache".into(), "adaptivemmd/tests"));
    }
    let home = from("HOME");
    let cache = from("XDG_CACHE_HOME").or_else(|| home.as_ref().map(|home| home.join(".cache")));
    all.extend(cache.map(|base| below(base, "adaptivemmd/tests")));
    all.extend(home.map(|base| below(base, ".adaptivemmd-tests")));
    all
}

fn is_root() -> bool {
    user() == 0
}

/// Who runs this.
fn user() -> u32 {
    fs::metadata("/proc/self").expect("there is /proc").uid()
}

/// What speaks against a directory, if anything does: the rules of the daemon, and that the process of a module, which is
/// nobody's if root started it, gets there.
pub(crate) fn unfit(directory: &Path) -> Option<String> {
    let canonical = match fs::canonicalize(directory) {
        Ok(canonical) => canonical,
        Err(error) => return Some(format!("{}: {error}", directory.display())),
    };
    let owner = fs::metadata(&canonical).map_or(0, |metadata| metadata.uid());
    if owner != user() && !is_root() {
        return Some(format!("{} is not ours", canonical.display()));
    }
    canonical
        .ancestors()
        .find_map(|part| match fs::metadata(part) {
            Ok(metadata) => blame(&metadata).map(|blame| format!("{} {blame}", part.display())),
            Err(error) => Some(format!("{}: {error}", part.display())),
        })
}

fn blame(metadata: &Metadata) -> Option<String> {
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if owner != 0 && owner != user() {
        Some(format!("belongs to user {owner}"))
    } else if mode & 0o022 != 0 {
        Some(format!("can be written by others (mode {mode:04o})"))
    } else if is_root() && mode & 0o001 == 0 {
        Some(format!("is closed to the user nobody (mode {mode:04o})"))
    } else {
        None
    }
}

/// Makes directories below one, each of which others can see and not write to, whatever the umask.
fn make(mut directory: PathBuf, names: &Path) -> PathBuf {
    for name in names {
        directory.push(name);
        // Another test may be making it.
        if fs::create_dir(&directory).is_ok() {
            fs::set_permissions(&directory, Permissions::from_mode(0o755)).expect("it is ours");
        }
    }
    assert!(directory.is_dir(), "{} cannot be made", directory.display());
    directory
}

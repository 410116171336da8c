//! Programs of a newer Debian, unpacked beside the C library that they need: each is replaced by a script that runs it with that
//! library.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::files;
use crate::problem::{Problem, Result};

const LOADER: &str = "usr/lib64/ld-linux-x86-64.so.2";
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// Programs that only find another one, by a path that is theirs once they are installed: the other is taken.
const STANDING_FOR: [(&str, &str); 2] = [
    ("modpost", "modpost.real-lsb-64"),
    ("objtool", "objtool.real-x86"),
];

/// Lets the build tools below `root` run, if a C library for them came with them.
pub(crate) fn bind_tools(root: &Path) -> Result<()> {
    if !root.join(LOADER).exists() {
        return Ok(());
    }
    let library = root.join("usr/lib");
    for name in files::names(&library)? {
        if name.starts_with("linux-kbuild-") {
            bind_all(root, &library.join(name))?;
        }
    }
    Ok(())
}

fn bind_all(root: &Path, directory: &Path) -> Result<()> {
    for name in files::names(directory)? {
        let path = directory.join(&name);
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            bind_all(root, &path)?;
        } else if !name.contains(".real-") && is_program(&path) {
            bind(root, &path, &name)?;
        }
    }
    Ok(())
}

/// Puts a script in the place of a program.
fn bind(root: &Path, path: &Path, name: &str) -> Result<()> {
    let other = STANDING_FOR.iter().find(|(standing, _)| *standing == name);
    let program: PathBuf = match other {
        Some((_, other)) => path.with_file_name(other),
        None => path.with_file_name(format!("{name}.real-program")),
    };
    if other.is_none() {
        fs::rename(path, &program).map_err(|error| Problem::with(path, "rename", error))?;
    } else {
        fs::remove_file(path).map_err(|error| Problem::with(path, "remove", error))?;
    }
    let script = format!(
        "#!/bin/sh\nexec '{}' --library-path '{}' '{}' \"$@\"\n",
        root.join(LOADER).display(),
        root.join(LIBRARIES).display(),
        program.display()
    );
    files::write(path, &script)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .map_err(|error| Problem::with(path, "make executable", error))
}

fn is_program(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut magic))
        .is_ok_and(|()| magic == *b"\x7fELF")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_runs_with_the_library_that_came_with_it() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for (path, text) in [
            (LOADER, "#!/bin/sh\necho \"$3\""),
            ("usr/lib/linux-kbuild-9/scripts/fixdep", "\x7fELF"),
            ("usr/lib/linux-kbuild-9/scripts/modpost", "\x7fELF"),
            (
                "usr/lib/linux-kbuild-9/scripts/modpost.real-lsb-64",
                "\x7fELF",
            ),
            ("usr/lib/linux-kbuild-9/scripts/link.sh", "#!/bin/sh"),
        ] {
            files::make_directory(at(path).parent().unwrap()).unwrap();
            files::write(&at(path), text).unwrap();
        }
        bind_tools(root.path()).unwrap();
        let script =
            |name: &str| files::read(&at("usr/lib/linux-kbuild-9/scripts").join(name)).unwrap();
        assert!(script("fixdep").contains("/scripts/fixdep.real-program' \"$@\""));
        assert!(script("modpost").contains("/scripts/modpost.real-lsb-64' \"$@\""));
        assert_eq!(script("fixdep.real-program"), "\x7fELF");
        assert_eq!(script("link.sh"), "#!/bin/sh");
    }
}

//! The file system that a machine starts with, and that is all it has.

use std::path::{Path, PathBuf};

use crate::cache::Tree;
use crate::files;
use crate::modules;
use crate::problem::{Problem, Result};
use crate::tools::{self, Tool};
use crate::workshop::Workshop;

/// Modules of the kernel that every machine loads, where they are not built in.
const MODULES: [&str; 6] = ["virtio_pci", "virtio_blk", "ext4", "lzo_rle", "lz4", "zram"];

/// Those that a job loads when it wants to: one adds memory to a machine that runs, one is a file system.
const LATE: [&str; 2] = ["virtio_mem", "xfs"];

/// Programs that are taken along where this machine has them.
const BORROWED: [&str; 1] = ["mkfs.xfs"];

/// What the first process of a machine finds.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    /// The script in `guest` that is the job.
    pub(crate) script: &'a str,
    /// Variables of the shell for it.
    pub(crate) settings: Vec<(String, String)>,
    /// Configuration of the suite for the daemon.
    pub(crate) config: String,
    /// Configuration of whoever called, which counts more.
    pub(crate) extra: Option<PathBuf>,
}

/// Packs the initramfs for one run of a job.
pub(crate) fn pack(workshop: &Workshop, tree: &Tree, job: &Job<'_>, to: &Path) -> Result<()> {
    let root = tempfile::tempdir()
        .map_err(|error| Problem::new(format!("cannot make a temporary directory: {error}")))?;
    let root = root.path();
    programs(workshop, root)?;
    kernel_modules(workshop, tree, root)?;
    scripts(workshop, job, root)?;
    let pack = "find . | cpio --quiet -o -H newc >\"$0\"";
    Tool::new("sh")
        .args(["-c", pack])
        .arg(to)
        .within(root)
        .run()
        .map(|_| ())
}

fn programs(workshop: &Workshop, root: &Path) -> Result<()> {
    let busybox = tools::find("busybox").ok_or_else(|| Problem::new("no busybox"))?;
    files::copy(&busybox, &root.join("bin/busybox"))?;
    let bin = root.join("vm/bin");
    for name in files::names(&workshop.programs())? {
        files::copy(&workshop.programs().join(&name), &bin.join(&name))?;
    }
    with_libraries(&workshop.daemon, "adaptivemmd", root)?;
    for name in BORROWED {
        if let Some(program) = tools::find(name) {
            with_libraries(&program, name, root)?;
        }
    }
    Ok(())
}

/// Takes a program along, and the libraries that it needs.
fn with_libraries(program: &Path, name: &str, root: &Path) -> Result<()> {
    files::copy(program, &root.join("vm/bin").join(name))?;
    let needs = Tool::new("ldd").arg(program).text()?;
    for library in libraries(&needs) {
        let path = Path::new(library);
        let inside = path.strip_prefix("/").unwrap_or(path);
        files::copy(path, &root.join(inside))?;
    }
    Ok(())
}

/// The files that `ldd` names.
fn libraries(ldd: &str) -> impl Iterator<Item = &str> {
    ldd.lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
}

fn kernel_modules(workshop: &Workshop, tree: &Tree, root: &Path) -> Result<()> {
    let place = root.join("vm/modules");
    files::make_directory(&place.join("late"))?;
    let dependencies = files::read(&tree.modules().join("modules.dep"))?;
    let take = |wanted: &[&str], directory: &Path| -> Result<String> {
        let mut names = String::new();
        for file in &modules::in_order(&dependencies, wanted) {
            let name = format!("{}.ko", modules::name_of(file));
            unpack(&tree.modules().join(file), &directory.join(&name))?;
            names = names + &name + "\n";
        }
        Ok(names)
    };
    files::write(&place.join("order"), &take(&MODULES, &place)?)?;
    for name in LATE {
        let late = place.join("late");
        files::write(&late.join(name), &take(&[name], &late)?)?;
    }
    let ours = workshop.built_modules(tree);
    for name in files::names(&ours)? {
        if is_ending(&name, "ko") {
            let to = place.join("extra").join(&name);
            files::copy(&ours.join(&name), &to)?;
            Tool::new("strip").arg("--strip-debug").arg(&to).run()?;
        }
    }
    Ok(())
}

/// Copies a module, as the kernel's own loader wants it: not compressed.
fn unpack(from: &Path, to: &Path) -> Result<()> {
    if !is_ending(&from.display().to_string(), "xz") {
        return files::copy(from, to);
    }
    if let Some(directory) = to.parent() {
        files::make_directory(directory)?;
    }
    let plain = Tool::new("xz").arg("-dc").arg(from).run()?;
    std::fs::write(to, plain).map_err(|error| Problem::with(to, "write", error))
}

fn is_ending(file: &str, end: &str) -> bool {
    Path::new(file)
        .extension()
        .is_some_and(|found| found == end)
}

fn scripts(workshop: &Workshop, job: &Job<'_>, root: &Path) -> Result<()> {
    let guest = workshop.sources.join("guest");
    let vm = root.join("vm");
    files::copy(&guest.join("init"), &root.join("init"))?;
    for name in ["lib.sh", "loads.sh", job.script] {
        files::copy(&guest.join(name), &vm.join(name))?;
    }
    let job_line = format!("JOB='{}'\n", job.script);
    let settings = job.settings.iter();
    let lines: Vec<String> = settings
        .map(|(name, value)| format!("{name}='{value}'\n"))
        .collect();
    files::write(&vm.join("settings"), &(job_line + &lines.concat()))?;
    files::write(&vm.join("config.toml"), &job.config)?;
    if let Some(extra) = &job.extra {
        files::copy(extra, &vm.join("extra.toml"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_the_absolute_paths_that_ldd_names() {
        let ldd = "\tlinux-vdso.so.1 (0x00007fab)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x0)\n\t/lib64/ld-linux-x86-64.so.2 (0x1)\n";
        let found: Vec<&str> = libraries(ldd).collect();
        assert_eq!(
            found,
            [
                "/lib/x86_64-linux-gnu/libc.so.6",
                "/lib64/ld-linux-x86-64.so.2"
            ]
        );
    }
}

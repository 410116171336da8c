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

/// Those that a job loads when it wants to: this one adds memory to a machine that runs.
const LATE: &str = "virtio_mem";

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
    files::copy(&workshop.daemon, &bin.join("adaptivemmd"))?;
    let needs = Tool::new("ldd").arg(&workshop.daemon).text()?;
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
    let dependencies = files::read(&tree.modules().join("modules.dep"))?;
    let order = modules::in_order(&dependencies, &MODULES);
    let mut names = String::new();
    for file in &order {
        let name = format!("{}.ko", modules::name_of(file));
        unpack(&tree.modules().join(file), &place.join(&name))?;
        names = names + &name + "\n";
    }
    files::write(&place.join("order"), &names)?;
    if let Some(file) = modules::in_order(&dependencies, &[LATE]).last() {
        unpack(
            &tree.modules().join(file),
            &place.join(format!("late/{LATE}.ko")),
        )?;
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
    files::copy(&guest.join("lib.sh"), &vm.join("lib.sh"))?;
    files::copy(&guest.join(job.script), &vm.join("suite").join(job.script))?;
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

//! What is fetched or built once and kept outside of the source tree.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::debian::Apt;
use crate::files;
use crate::foreign;
use crate::kernels::{self, Kernel};
use crate::problem::{Problem, Result};
use crate::source;
use crate::tools::Tool;

/// The directory of the cache.
#[derive(Debug)]
pub(crate) struct Cache(PathBuf);

/// A kernel that is unpacked: below `root` is what its packages would install below `/`.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) kernel: Kernel,
    pub(crate) root: PathBuf,
}

impl Cache {
    /// `$XDG_CACHE_HOME`, `/var/cache` for root, else `~/.cache`.
    pub(crate) fn open() -> Result<Self> {
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let base = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| {
                rustix::process::geteuid()
                    .is_root()
                    .then(|| PathBuf::from("/var/cache"))
            })
            .or_else(home)
            .ok_or_else(|| Problem::new("no directory for the cache: set XDG_CACHE_HOME"))?;
        let directory = base.join("adaptivemmd/vm");
        files::make_directory(&directory)?;
        Ok(Self(directory))
    }

    /// Waits until no other machine runs: two would disturb each other's numbers.
    pub(crate) fn turn(&self) -> Result<File> {
        files::lock(&self.0.join("turn"))
    }

    /// The kernel, fetched if it is not there yet.
    pub(crate) fn tree(&self, kernel: &Kernel) -> Result<Tree> {
        let _lock = files::lock(&self.0.join("lock"))?;
        let root = self.0.join("kernels").join(&kernel.abi);
        let name = root.join("abi");
        if !name.exists() {
            let there = self.fetch(kernel, &root)?;
            files::write(&name, &there.abi)?;
        }
        let abi = files::read(&name)?;
        if abi != kernel.abi {
            println!(
                "kernel {} is no longer on the mirror: {abi} takes its place",
                kernel.abi
            );
        }
        let kernel = kernel.with_abi(&abi);
        Ok(Tree { kernel, root })
    }

    /// The kernel that counts who allocated what, built if that has not been done with this configuration.
    pub(crate) fn profiled(&self, configuration: &Path) -> Result<Tree> {
        let _lock = files::lock(&self.0.join("lock"))?;
        let root = self.0.join("kernels/profiled");
        let (name, built_with) = (root.join("abi"), root.join("kernel.config"));
        let wanted = files::read(configuration)?;
        if files::read(&built_with).ok().as_ref() != Some(&wanted) {
            let apt = Apt::update(self.0.join("apt"))?;
            files::write(&name, &source::build(&apt, configuration, &root)?)?;
            files::write(&built_with, &wanted)?;
        }
        let kernel = kernels::profiled().with_abi(&files::read(&name)?);
        Ok(Tree { kernel, root })
    }

    fn fetch(&self, kernel: &Kernel, root: &Path) -> Result<Kernel> {
        println!("fetching kernel {} from Debian", kernel.abi);
        let apt = Apt::update(self.0.join("apt"))?;
        let names = apt.names("linux-")?;
        let there = if names.contains(&kernel.image()) {
            kernel.clone()
        } else {
            kernel
                .newest(names.iter().map(String::as_str))
                .ok_or_else(|| {
                    Problem::new(format!(
                        "no kernel {} on the mirrors of src/kernels.rs: name a newer series there",
                        kernel.series
                    ))
                })?
        };
        files::make_anew(root)?;
        apt.unpack(&there.packages(), root)?;
        settle(&there, root)?;
        Ok(there)
    }
}

/// Makes the unpacked packages work where they are, as they are not installed.
fn settle(kernel: &Kernel, root: &Path) -> Result<()> {
    if !root.join("lib").exists() {
        std::os::unix::fs::symlink("usr/lib", root.join("lib"))
            .map_err(|error| Problem::with(&root.join("lib"), "make a link", error))?;
    }
    foreign::bind_tools(root)?;
    Tool::new("depmod")
        .arg("-b")
        .arg(root)
        .arg(kernel.release())
        .run()?;
    let headers = root.join(format!("usr/src/linux-headers-{}", kernel.release()));
    let makefile = headers.join("Makefile");
    let text =
        files::read(&makefile)?.replace("/usr/src/", &format!("{}/usr/src/", root.display()));
    files::write(&makefile, &text)?;
    // With it, building a module would take `pahole`, for type information that nobody reads here.
    match std::fs::remove_file(headers.join("vmlinux")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Problem::with(&headers.join("vmlinux"), "remove", error))
        }
        _ => Ok(()),
    }
}

impl Tree {
    /// The image that is booted.
    pub(crate) fn image(&self) -> PathBuf {
        let in_boot = self
            .root
            .join(format!("boot/vmlinuz-{}", self.kernel.release()));
        if in_boot.exists() {
            in_boot
        } else {
            self.modules().join("vmlinuz")
        }
    }

    /// Where its modules are.
    pub(crate) fn modules(&self) -> PathBuf {
        self.root.join("lib/modules").join(self.kernel.release())
    }

    /// What modules are built against.
    pub(crate) fn headers(&self) -> PathBuf {
        self.root
            .join(format!("usr/src/linux-headers-{}", self.kernel.release()))
    }
}

//! Builds what goes into the machines: the daemon, the load makers, the kernel modules.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::cache::{Cache, Tree};
use crate::files;
use crate::kernels::{self, Kernel};
use crate::problem::{Problem, Result};
use crate::tools::{self, Tool};

/// Everything that is built, and where runs leave their results.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) cache: Cache,
    /// The sources of this crate.
    pub(crate) sources: PathBuf,
    /// Where it builds, and where results go.
    pub(crate) target: PathBuf,
    pub(crate) daemon: PathBuf,
}

impl Workshop {
    /// Builds the daemon, unless another is given, and the load makers.
    pub(crate) fn open(daemon: Option<PathBuf>) -> Result<Self> {
        let missing = tools::missing_packages();
        if !missing.is_empty() {
            return Err(Problem::new(format!(
                "packages are missing: apt-get install --no-install-recommends {}",
                missing.join(" ")
            )));
        }
        let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let beside = std::env::current_exe()
            .ok()
            .and_then(|exe| Some(exe.parent()?.to_path_buf()))
            .ok_or_else(|| Problem::new("cannot tell where this program is"))?;
        let target = beside.parent().unwrap_or(&beside).join("vm");
        files::make_directory(&target.join("bin"))?;
        let daemon = match daemon {
            Some(daemon) => daemon,
            None => build_daemon(&sources, &beside)?,
        };
        let workshop = Self {
            cache: Cache::open()?,
            sources,
            target,
            daemon,
        };
        let lock = workshop.lock()?;
        workshop.build_loads()?;
        drop(lock);
        Ok(workshop)
    }

    /// The kernel of a series, with our modules built for it.
    pub(crate) fn kernel(&self, series: &str) -> Result<Tree> {
        let kernel = kernels::all()
            .into_iter()
            .find(|kernel| kernel.series == series)
            .ok_or_else(|| Problem::new(format!("there is no kernel {series}")))?;
        let tree = self.cache.tree(&kernel)?;
        let _lock = self.lock()?;
        self.build_modules(&tree)?;
        Ok(tree)
    }

    /// The kernel that counts who allocated what, with our modules built for it.
    pub(crate) fn profiled_kernel(&self) -> Result<Tree> {
        let configuration = self.sources.join("profiled/kernel.config");
        let tree = self.cache.profiled(&configuration)?;
        let _lock = self.lock()?;
        self.build_modules(&tree)?;
        Ok(tree)
    }

    /// Our kernel modules, as files that can be loaded.
    pub(crate) fn built_modules(&self, tree: &Tree) -> PathBuf {
        self.target.join("kernel").join(&tree.kernel.abi)
    }

    /// The programs that run beside the daemon.
    pub(crate) fn programs(&self) -> PathBuf {
        self.target.join("bin")
    }

    fn lock(&self) -> Result<File> {
        files::lock(&self.target.join("lock"))
    }

    fn build_loads(&self) -> Result<()> {
        let sources = self.sources.join("load");
        for name in files::names(&sources)? {
            let Some(program) = name.strip_suffix(".c") else {
                continue;
            };
            Tool::new("gcc")
                .args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-static", "-o"])
                .arg(self.programs().join(program))
                .arg(sources.join(&name))
                .run()?;
        }
        Ok(())
    }

    fn build_modules(&self, tree: &Tree) -> Result<()> {
        let place = self.built_modules(tree);
        files::make_directory(&place)?;
        let sources = self.sources.join("kernel");
        for name in files::names(&sources)? {
            refresh(&sources.join(&name), &place.join(&name))?;
        }
        Tool::new("make")
            .arg("-s")
            .arg("-C")
            .arg(tree.headers())
            .arg(format!("M={}", place.display()))
            .args(compiler(&tree.kernel))
            .arg("modules")
            .run()
            .map(|_| ())
    }
}

/// Copies a file only if it differs, so that `make` does not build again what is built.
fn refresh(from: &Path, to: &Path) -> Result<()> {
    let text = files::read(from)?;
    if to.exists() && files::read(to)? == text {
        return Ok(());
    }
    files::write(to, &text)
}

/// The headers ask for the very compiler that built the kernel. Without it, the one that is there will do, if it is not
/// asked for what an older one does not know.
fn compiler(kernel: &Kernel) -> &'static [&'static str] {
    if tools::find(kernel.compiler).is_some() {
        &[]
    } else {
        &["CC=gcc", "CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT="]
    }
}

/// The daemon with all its modules, as it is released. `beside` is where this program was built.
fn build_daemon(sources: &Path, beside: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = beside.parent().unwrap_or(beside);
    Tool::new(&cargo.to_string_lossy())
        .args(["build", "--quiet", "--release", "--package", "adaptivemmd"])
        .args(["--bin", "adaptivemmd", "--all-features", "--target-dir"])
        .arg(target)
        .within(sources)
        .run()?;
    Ok(target.join("release/adaptivemmd"))
}

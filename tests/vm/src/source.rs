//! A kernel that is built from its source.

use std::path::Path;

use crate::debian::Apt;
use crate::files;
use crate::kernels;
use crate::problem::{Problem, Result};
use crate::tools::{self, Tool};

/// What it takes beside what every suite needs; the packages of Debian have the same names.
const NEEDED: [&str; 3] = ["flex", "bison", "bc"];

/// Builds the kernel that counts who allocated what, below `root` as its packages would be, and says its version.
pub(crate) fn build(apt: &Apt, configuration: &Path, root: &Path) -> Result<String> {
    let mut missing = NEEDED.to_vec();
    missing.retain(|program| tools::find(program).is_none());
    if !missing.is_empty() {
        return Err(Problem::new(format!(
            "packages are missing: apt-get install --no-install-recommends libelf-dev {}",
            missing.join(" ")
        )));
    }
    println!("building a kernel from source, which takes some minutes of two processors");
    files::make_anew(root)?;
    let kernel = kernels::profiled();
    apt.unpack(&[kernel.image()], root)?;
    let place = root.join("usr/src");
    Tool::new("tar")
        .arg("-xf")
        .arg(place.join(format!("{}.tar.xz", kernel.image())))
        .within(&place)
        .run()?;
    let source = place.join(kernel.image());
    make(&source, &["allnoconfig"], Some(configuration))?;
    make(&source, &["bzImage", "modules"], None)?;
    let version = make(&source, &["--no-print-directory", "kernelversion"], None)?;
    let kernel = kernel.with_abi(version.trim());
    lay_out(&source, &kernel.release(), root)?;
    Ok(kernel.abi)
}

/// Makes it look like a kernel that was unpacked: the image, no modules of its own, and what others are built against.
fn lay_out(source: &Path, release: &str, root: &Path) -> Result<()> {
    let image = root.join(format!("boot/vmlinuz-{release}"));
    files::copy(&source.join("arch/x86/boot/bzImage"), &image)?;
    let modules = root.join("lib/modules").join(release);
    files::make_directory(&modules)?;
    files::write(&modules.join("modules.dep"), "")?;
    let headers = root.join(format!("usr/src/linux-headers-{release}"));
    std::os::unix::fs::symlink(source, &headers)
        .map_err(|error| Problem::with(&headers, "make a link", error))
}

fn make(source: &Path, targets: &[&str], configuration: Option<&Path>) -> Result<String> {
    let tool = Tool::new("nice")
        .args(["-n", "10", "make", "-s", "-j2", "-C"])
        .arg(source)
        .args(targets);
    match configuration {
        Some(file) => tool.with("KCONFIG_ALLCONFIG", &file.display().to_string()),
        None => tool,
    }
    .text()
}

//! Which kernels there are: the only place that names their versions.

/// A kernel of Debian, in its flavour for virtual machines: small, and with all that matters here. Or one that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kernel {
    /// The version as people say it.
    pub(crate) series: &'static str,
    /// The part of the names of its packages.
    pub(crate) abi: String,
    /// What comes after `abi` in its name.
    flavour: &'static str,
    /// Beginning and end of `abi` for all kernels of this series. What is between are numbers.
    pattern: (&'static str, &'static str),
    /// The package that tells whether there is such a kernel.
    image: &'static str,
    /// All others: to boot it, and to build modules for it.
    others: &'static [&'static str],
    /// What it was built with.
    pub(crate) compiler: &'static str,
}

/// The suites of Debian that have them.
pub(crate) const SOURCES: [(&str, &str); 5] = [
    ("http://deb.debian.org/debian", "bookworm"),
    ("http://deb.debian.org/debian-security", "bookworm-security"),
    ("http://deb.debian.org/debian", "bookworm-backports"),
    ("http://deb.debian.org/debian", "trixie"),
    ("http://deb.debian.org/debian", "trixie-backports"),
];

/// All kernels, the oldest first.
///
/// 6.1 is the oldest that is widely used. 6.12 has the generations of pages (`CONFIG_LRU_GEN_ENABLED`), which reclaim
/// otherwise. The newest there is, whatever its number, shows what changes under us: at the time of writing `Balloon`
/// and `GPUActive` in `/proc/meminfo`, a slab without `CONFIG_SLUB_CPU_PARTIAL`, lazy preemption. No kernel of Debian has
/// `CONFIG_MEM_ALLOC_PROFILING` or `CONFIG_PAGE_OWNER`, which would tell whose a page is: for these see [`profiled`].
pub(crate) fn all() -> Vec<Kernel> {
    vec![
        Kernel {
            series: "6.1",
            abi: "6.1.0-56".to_owned(),
            flavour: "cloud-amd64",
            pattern: ("6.1.0-", ""),
            image: "linux-image-RELEASE",
            others: &[
                "linux-headers-RELEASE",
                "linux-headers-ABI-common",
                "linux-kbuild-6.1",
            ],
            compiler: "gcc-12",
        },
        Kernel {
            series: "6.12",
            abi: "6.12.117+deb12".to_owned(),
            flavour: "cloud-amd64",
            pattern: ("6.12.", "+deb12"),
            image: "linux-image-RELEASE",
            others: &[
                "linux-headers-RELEASE",
                "linux-headers-ABI-common",
                "linux-kbuild-ABI",
            ],
            compiler: "gcc-12",
        },
        Kernel {
            series: "7",
            abi: "7.3.4+deb13".to_owned(),
            flavour: "cloud-amd64",
            pattern: ("7.", "+deb13"),
            image: "linux-binary-RELEASE",
            others: &[
                "linux-modules-RELEASE",
                "linux-base-RELEASE",
                "linux-headers-RELEASE",
                "linux-headers-ABI-common",
                "linux-kbuild-ABI",
                // Its build tools need a newer C library than that of an older Debian: see `foreign.rs`.
                "libc6/trixie",
                "libelf1t64/trixie",
                "libssl3t64/trixie",
                "libzstd1/trixie",
                "zlib1g/trixie",
            ],
            compiler: "gcc-14",
        },
    ]
}

/// The one that counts who allocated what: built from the source that Debian has, with `profiled/kernel.config`.
pub(crate) fn profiled() -> Kernel {
    Kernel {
        series: "6.12-profiled",
        abi: "6.12".to_owned(),
        flavour: "profiled",
        pattern: ("6.12.", ""),
        image: "linux-source-6.12",
        others: &[],
        compiler: "gcc",
    }
}

impl Kernel {
    /// What `uname -r` says.
    pub(crate) fn release(&self) -> String {
        format!("{}-{}", self.abi, self.flavour)
    }

    /// The package of the kernel.
    pub(crate) fn image(&self) -> String {
        self.package(self.image)
    }

    /// All packages.
    pub(crate) fn packages(&self) -> Vec<String> {
        let others = self.others.iter().map(|name| self.package(name));
        std::iter::once(self.image()).chain(others).collect()
    }

    fn package(&self, name: &str) -> String {
        name.replace("RELEASE", &self.release())
            .replace("ABI", &self.abi)
    }

    /// The newest kernel of the same series, of those whose packages are named.
    pub(crate) fn newest<'a>(&self, packages: impl Iterator<Item = &'a str>) -> Option<Self> {
        packages
            .filter_map(|package| self.number_in(package))
            .max_by(|a, b| a.0.cmp(&b.0))
            .map(|(_, abi)| self.with_abi(abi))
    }

    /// Another kernel of the same series.
    pub(crate) fn with_abi(&self, abi: &str) -> Self {
        Self {
            abi: abi.to_owned(),
            ..self.clone()
        }
    }

    /// The numbers that grow from version to version, and the `abi`, of the package of an image.
    fn number_in<'a>(&self, package: &'a str) -> Option<(Vec<u64>, &'a str)> {
        let abi = package
            .strip_prefix(self.image.trim_end_matches("RELEASE"))?
            .strip_suffix("-cloud-amd64")?;
        let numbers = abi
            .strip_prefix(self.pattern.0)?
            .strip_suffix(self.pattern.1)?;
        let numbers: Option<Vec<u64>> = numbers.split('.').map(|n| n.parse().ok()).collect();
        Some((numbers?, abi))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_a_series_is_the_one_with_the_largest_number() {
        let packages = [
            "linux-image-6.1.0-9-cloud-amd64",
            "linux-image-6.1.0-56-cloud-amd64",
            "linux-image-6.1.0-57-cloud-amd64-unsigned",
            "linux-image-6.12.9+deb12-cloud-amd64",
            "linux-image-6.12.117+deb12-cloud-amd64",
            "linux-image-6.12-cloud-amd64",
            "linux-binary-7.2.13+deb13-cloud-amd64",
            "linux-binary-7.10.1+deb13-cloud-amd64",
            "linux-binary-7.11.1+deb14-cloud-amd64",
        ];
        let newest: Vec<String> = all()
            .iter()
            .filter_map(|kernel| kernel.newest(packages.into_iter()))
            .map(|kernel| kernel.abi)
            .collect();
        assert_eq!(newest, ["6.1.0-56", "6.12.117+deb12", "7.10.1+deb13"]);
    }

    #[test]
    fn each_series_names_its_own_build_tools() {
        let kbuild: Vec<String> = all()
            .iter()
            .flat_map(Kernel::packages)
            .filter(|name| name.starts_with("linux-kbuild"))
            .collect();
        assert_eq!(
            kbuild,
            [
                "linux-kbuild-6.1",
                "linux-kbuild-6.12.117+deb12",
                "linux-kbuild-7.3.4+deb13"
            ]
        );
    }
}

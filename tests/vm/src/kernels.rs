//! Which kernels there are: the only place that names their versions.

/// A kernel of Debian, in its flavour for virtual machines: small, and with all that matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kernel {
    /// The version as people say it.
    pub(crate) series: &'static str,
    /// The part of the names of its packages.
    pub(crate) abi: String,
    /// Beginning and end of `abi` for all kernels of this series.
    pattern: (&'static str, &'static str),
    /// The package of its build tools, without the `linux-kbuild-`, if that is not `abi`.
    kbuild: Option<&'static str>,
}

/// The suites of Debian that have them.
pub(crate) const SOURCES: [(&str, &str); 3] = [
    ("http://deb.debian.org/debian", "bookworm"),
    ("http://deb.debian.org/debian-security", "bookworm-security"),
    ("http://deb.debian.org/debian", "bookworm-backports"),
];

/// All kernels, the oldest first.
pub(crate) fn all() -> Vec<Kernel> {
    vec![
        Kernel {
            series: "6.1",
            abi: "6.1.0-56".to_owned(),
            pattern: ("6.1.0-", ""),
            kbuild: Some("6.1"),
        },
        Kernel {
            series: "6.12",
            abi: "6.12.117+deb12".to_owned(),
            pattern: ("6.12.", "+deb12"),
            kbuild: None,
        },
    ]
}

impl Kernel {
    /// What `uname -r` says.
    pub(crate) fn release(&self) -> String {
        format!("{}-cloud-amd64", self.abi)
    }

    /// The package of the kernel and its modules.
    pub(crate) fn image(&self) -> String {
        format!("linux-image-{}", self.release())
    }

    /// All packages: to boot it, and to build modules for it.
    pub(crate) fn packages(&self) -> Vec<String> {
        vec![
            self.image(),
            format!("linux-headers-{}", self.release()),
            format!("linux-headers-{}-common", self.abi),
            format!("linux-kbuild-{}", self.kbuild.unwrap_or(&self.abi)),
        ]
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

    /// The number that grows from version to version, and the `abi`, of the package of an image.
    fn number_in<'a>(&self, package: &'a str) -> Option<(u64, &'a str)> {
        let abi = package
            .strip_prefix("linux-image-")?
            .strip_suffix("-cloud-amd64")?;
        let number = abi
            .strip_prefix(self.pattern.0)?
            .strip_suffix(self.pattern.1)?;
        Some((number.parse().ok()?, abi))
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
        ];
        let newest: Vec<String> = all()
            .iter()
            .filter_map(|kernel| kernel.newest(packages.into_iter()))
            .map(|kernel| kernel.abi)
            .collect();
        assert_eq!(newest, ["6.1.0-56", "6.12.117+deb12"]);
    }

    #[test]
    fn each_series_names_its_own_build_tools() {
        let kbuild: Vec<String> = all()
            .iter()
            .filter_map(|kernel| kernel.packages().pop())
            .collect();
        assert_eq!(kbuild, ["linux-kbuild-6.1", "linux-kbuild-6.12.117+deb12"]);
    }
}

//! Packages of Debian, fetched and unpacked, never installed. `apt` runs with lists and sources of its own.

use std::path::{Path, PathBuf};

use crate::files;
use crate::kernels::SOURCES;
use crate::problem::{Problem, Result};
use crate::tools::Tool;

const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// An `apt` that leaves the one of the system alone.
#[derive(Debug)]
pub(crate) struct Apt {
    directory: PathBuf,
}

impl Apt {
    /// Fetches the lists of packages.
    pub(crate) fn update(directory: PathBuf) -> Result<Self> {
        if !Path::new(KEYS).exists() {
            return Err(Problem::new(format!(
                "{KEYS} is not there: install the package debian-archive-keyring"
            )));
        }
        let apt = Self { directory };
        files::make_directory(&apt.directory.join("lists/partial"))?;
        files::make_directory(&apt.directory.join("archives/partial"))?;
        files::write(&apt.directory.join("status"), "")?;
        let sources: Vec<String> = SOURCES
            .iter()
            .map(|(mirror, suite)| format!("deb [signed-by={KEYS}] {mirror} {suite} main\n"))
            .collect();
        files::write(&apt.directory.join("sources.list"), &sources.concat())?;
        apt.tool("apt-get").arg("update").run()?;
        Ok(apt)
    }

    /// The names of all packages that begin so.
    pub(crate) fn names(&self, beginning: &str) -> Result<Vec<String>> {
        let text = self
            .tool("apt-cache")
            .args(["pkgnames", beginning])
            .text()?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Fetches packages and unpacks them below `root`.
    pub(crate) fn unpack(&self, packages: &[String], root: &Path) -> Result<()> {
        let debs = root.join("debs");
        files::make_anew(&debs)?;
        self.tool("apt-get")
            .arg("download")
            .args(packages)
            .within(&debs)
            .run()?;
        for name in files::names(&debs)? {
            Tool::new("dpkg-deb")
                .arg("-x")
                .arg(debs.join(name))
                .arg(root)
                .run()?;
        }
        std::fs::remove_dir_all(&debs).map_err(|error| Problem::with(&debs, "remove", error))
    }

    fn tool(&self, program: &str) -> Tool {
        let at = |name: &str| self.directory.join(name).display().to_string();
        let settings = [
            format!("Dir::State={}", at("")),
            format!("Dir::State::status={}", at("status")),
            format!("Dir::State::Lists={}", at("lists")),
            format!("Dir::Cache={}", at("")),
            format!("Dir::Etc::SourceList={}", at("sources.list")),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            "APT::Architecture=amd64".to_owned(),
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=3".to_owned(),
            "APT::Update::Post-Invoke-Success::=true".to_owned(),
        ];
        settings
            .iter()
            .fold(Tool::new(program), |tool, setting| {
                tool.arg("-o").arg(setting)
            })
            .arg("--quiet")
    }
}

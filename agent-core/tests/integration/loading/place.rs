//! Where a test has its modules: a directory that nobody else can write to, and a configuration.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use agent_core::modules::abi::check_trust;
use serde_json::Value;

use crate::cc;
use crate::daemon::process::{Home, Running};

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// No other module runs, and the daemon scans often.
const CORE: &str = "period-secs = 0.1\nlog-target = \"stderr\"";

/// A macro of `tests/modules/variants.c`, and what it stands for.
pub(crate) type Switch<'a> = (&'a str, &'a str);

pub(crate) struct Place {
    pub(crate) home: Home,
    directory: PathBuf,
}

impl Place {
    /// For the test of this name.
    pub(crate) fn new(test: &str) -> Self {
        let directory = cc::workshop(&format!("loading-{test}"));
        let place = Self {
            home: Home::with_modules(&[]),
            directory: fs::canonicalize(directory).unwrap(),
        };
        place.make_directory("modules");
        assert_is_trusted(&place.directory);
        place.configure("");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn make_directory(&self, name: &str) -> PathBuf {
        let directory = self.path(name);
        fs::create_dir_all(&directory).unwrap();
        set_mode(&directory, 0o755);
        directory
    }

    /// Sets what there is to say about modules.
    pub(crate) fn configure(&self, modules: &str) {
        let core = format!(
            "{CORE}\nmodule-dir = \"{}\"",
            self.path("modules").display()
        );
        self.home.configure(&core, modules);
    }

    /// Says in which file a module is.
    pub(crate) fn name(&self, module: &str, file: &Path) {
        let file = file.display();
        self.configure(&format!("[modules.{module}]\npath = \"{file}\""));
    }

    /// Builds a variant; if there is a file of this name, it is replaced as a package manager does.
    pub(crate) fn build(&self, file: &str, switches: &[Switch<'_>]) -> PathBuf {
        let macros: Vec<String> = switches
            .iter()
            .map(|(name, value)| format!("-D{name}={value}"))
            .collect();
        let macros: Vec<&str> = macros.iter().map(String::as_str).collect();
        self.compile("variants.c", file, &macros)
    }

    /// Builds a source of `tests/modules` as a shared object; `arguments` go to the compiler.
    pub(crate) fn compile(&self, source: &str, file: &str, arguments: &[&str]) -> PathBuf {
        let (path, new) = (self.path(file), self.path("new"));
        let source = format!("{TOP}/tests/modules/{source}");
        let include = format!("-I{TOP}/module-api/include");
        let usual = [
            "-std=gnu99",
            "-shared",
            "-fPIC",
            "-fvisibility=hidden",
            // A variant does not use everything.
            "-Wno-unused",
            &include,
            &source,
            "-o",
            cc::shown(&new),
        ];
        cc::run("cc", usual.into_iter().chain(arguments.iter().copied())).unwrap();
        set_mode(&new, 0o755);
        fs::rename(&new, &path).unwrap();
        path
    }

    /// Builds a variant in the module directory.
    pub(crate) fn install(&self, file: &str, switches: &[Switch<'_>]) -> PathBuf {
        self.build(&format!("modules/{file}"), switches)
    }

    /// The program with this configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.home.command(arguments)
    }

    /// The daemon, once it has scanned.
    pub(crate) fn daemon(&self) -> Running {
        let mut daemon = self.home.start(&["--foreground"]);
        daemon.until("started: ");
        daemon
    }

    /// What `adaptivemmd modules` prints.
    pub(crate) fn listed(&self) -> String {
        self.printed(&["modules"])
    }

    /// What `adaptivemmd modules --json` prints.
    pub(crate) fn listed_json(&self) -> Value {
        serde_json::from_str(&self.printed(&["modules", "--json"])).unwrap()
    }

    fn printed(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The names of the modules that are taken, but for those that are linked in.
    pub(crate) fn loaded(&self) -> Vec<String> {
        let listed = self.listed_json();
        let modules = listed["modules"].as_array().unwrap().iter();
        let loaded = modules.filter(|module| module["origin"] == "file");
        loaded
            .map(|module| module["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// What is refused, and why.
    pub(crate) fn refused(&self) -> Vec<(String, String)> {
        let listed = self.listed_json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let refused = listed["refused"].as_array().unwrap().iter();
        refused
            .map(|refused| (text(&refused["subject"]), text(&refused["reason"])))
            .collect()
    }

    /// Makes sure that a file, and nothing else, is refused for this reason.
    pub(crate) fn assert_refused(&self, file: &Path, reason: &str) {
        let expected = (file.display().to_string(), reason.to_owned());
        assert_eq!(
            (self.refused(), self.loaded()),
            (vec![expected], Vec::new())
        );
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Without this, every test here would fail for a reason that is hard to see.
fn assert_is_trusted(directory: &Path) {
    let file = directory.join("a-file");
    fs::write(&file, "").unwrap();
    set_mode(&file, 0o644);
    if let Err(distrust) = check_trust(&file) {
        panic!("{distrust}: clone to another place, or name one in ADAPTIVEMMD_TEST_DIR");
    }
    fs::remove_file(&file).unwrap();
}

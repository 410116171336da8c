//! The program as it is called, and the machines that it is shown.

pub(crate) mod recording;
pub(crate) mod recordings;
pub(crate) mod scene;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::linked_in::only;

/// No configuration: every setting has its default, whatever the machine that builds this has.
pub(crate) const DEFAULTS: &str = "/dev/null";

/// How the program ended, and what it said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Calls the program.
pub(crate) fn adaptivemmd(args: &[&str]) -> Run {
    called(env!("CARGO_BIN_EXE_adaptivemmd"), args)
}

/// Calls the program that tests modules.
pub(crate) fn module_test(args: &[&str]) -> Run {
    called(env!("CARGO_BIN_EXE_adaptivemm-module-test"), args)
}

fn called(program: &str, args: &[&str]) -> Run {
    let output = Command::new(program)
        .args(args)
        .env_remove("NOTIFY_SOCKET")
        .output()
        .unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What it prints when it is called like this, which must be all that it says.
pub(crate) fn printed(args: &[&str]) -> String {
    let run = adaptivemmd(args);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{args:?}");
    run.stdout
}

/// A configuration in which no other module runs than memleak.
pub(crate) fn only_memleak() -> Files {
    Files::new(&[("config.toml", &only(&["memleak"]))])
}

/// What `snapshot` sees on a machine, for memleak.
pub(crate) fn snapshot(tree: &str) -> Value {
    let config = only_memleak();
    serde_json::from_str(&printed(&[
        "--root",
        tree,
        "-c",
        &config.path("config.toml"),
        "snapshot",
    ]))
    .unwrap()
}

/// What the daemon logs on a machine in a single scan in which only memleak runs, without the time of day.
pub(crate) fn logged_once(tree: &str) -> String {
    let config = only_memleak();
    logged_once_with(tree, &config.path("config.toml"))
}

/// The same with a configuration.
pub(crate) fn logged_once_with(tree: &str, config: &str) -> String {
    let run = adaptivemmd(&["--root", tree, "-c", config, "-s", "--once"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run:?}");
    let lines = run.stderr.lines().map(|line| &line["00:00:00 ".len()..]);
    lines.collect::<Vec<_>>().join("\n")
}

/// A recorded machine of `tests/machines`.
pub(crate) fn machine(name: &str) -> String {
    path_of(&tests().join("machines").join(name))
}

/// The directory of what the tests of the whole system share.
pub(crate) fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests")
}

pub(crate) fn path_of(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Files in a directory that is gone with the test.
#[derive(Debug)]
pub(crate) struct Files(TempDir);

#[expect(clippy::disallowed_methods, reason = "test files are written")]
impl Files {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(directory)
    }

    pub(crate) fn path(&self, path: &str) -> String {
        path_of(&self.0.path().join(path))
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> String {
        path_of(self.0.path())
    }
}

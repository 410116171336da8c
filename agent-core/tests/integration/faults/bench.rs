//! A machine of three tunables and one node, and a module that asks for all of them every scan.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::cc;
use crate::daemon::process::{Home, Running};

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

pub(crate) const WSF: &str = "proc/sys/vm/watermark_scale_factor";
pub(crate) const COMPACT: &str = "sys/devices/system/node/node0/compact";

/// What the machine is before anybody changes it.
pub(crate) const FILES: [(&str, &str); 5] = [
    (WSF, "10\n"),
    ("proc/sys/vm/vfs_cache_pressure", "100\n"),
    ("proc/sys/fs/negative-dentry-limit", "5\n"),
    (
        "proc/sys/kernel/random/boot_id",
        "6f2b7f6c-6f0a-4a7e-8f2d-2f4a3c1d9e10\n",
    ),
    (COMPACT, ""),
];

pub(crate) struct Bench {
    pub(crate) home: Home,
}

impl Bench {
    /// For the test of this name.
    pub(crate) fn new(test: &str) -> Self {
        let bench = Self {
            home: Home::with_modules(&[]),
        };
        for (path, text) in FILES {
            let file = bench.path(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let core = "period-secs = 0.1\nlog-target = \"stderr\"\nmax-changes-per-minute = 600";
        let module = build(test);
        let steps = format!(
            "[modules.steps]\npath = \"{}\"\nisolation = \"none\"",
            module.display()
        );
        bench.home.configure(core, &steps);
        bench
    }

    /// A file of the machine.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path("machine").join(name)
    }

    /// The program on this machine.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let machine = self.home.path("machine");
        self.home
            .command(&[&["--root", cc::shown(&machine)], arguments].concat())
    }

    /// The daemon on this machine.
    pub(crate) fn daemon(&self) -> Running {
        let machine = self.home.path("machine");
        self.home
            .start(&["--root", cc::shown(&machine), "--foreground"])
    }
}

fn build(test: &str) -> PathBuf {
    let directory = fs::canonicalize(cc::workshop(&format!("faults-{test}"))).unwrap();
    let module = directory.join("steps.so");
    let include = format!("-I{TOP}/module-api/include");
    let source = format!("{TOP}/tests/modules/steps.c");
    let usual = [
        "-std=gnu99",
        "-shared",
        "-fPIC",
        "-fvisibility=hidden",
        &include,
        &source,
        "-o",
    ];
    cc::run("cc", usual.into_iter().chain([cc::shown(&module)])).unwrap();
    fs::set_permissions(&module, fs::Permissions::from_mode(0o755)).unwrap();
    module
}

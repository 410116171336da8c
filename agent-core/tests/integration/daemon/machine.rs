//! A small machine in a directory: `--root` makes the daemon read it, so that what it says is known to
//! the letter.
#![allow(
    clippy::disallowed_methods,
    reason = "plays the kernel, which writes these files"
)]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::daemon::process::Home;

/// 8 GiB.
const TOTAL_KIB: u64 = 8 << 20;

pub(crate) struct Machine(PathBuf);

impl Machine {
    /// A machine on which nobody accounts for this much memory, by both accountings.
    pub(crate) fn new(home: &Home, unaccounted_mib: u64) -> Self {
        let machine = Self(home.path("machine"));
        fs::create_dir_all(machine.0.join("proc")).unwrap();
        machine.write("proc/meminfo", &meminfo(unaccounted_mib));
        machine.write("proc/vmstat", "nr_zspages 0\n");
        machine.write("proc/zoneinfo", ZONEINFO);
        machine.write("proc/uptime", "1000.00 900.00\n");
        machine
    }

    /// For `--root`.
    pub(crate) fn root(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// Loses memory. The file is overwritten in place, as the daemon keeps it open and may read it now.
    pub(crate) fn lose(&self, unaccounted_mib: u64) {
        let file = fs::OpenOptions::new()
            .write(true)
            .open(self.0.join("proc/meminfo"))
            .unwrap();
        file.write_all_at(meminfo(unaccounted_mib).as_bytes(), 0)
            .unwrap();
    }
}

/// Always of the same length.
fn meminfo(unaccounted_mib: u64) -> String {
    const USED: [(&str, u64); 12] = [
        ("Buffers", 1 << 10),
        ("Cached", 1 << 20),
        ("SwapCached", 0),
        ("Active(anon)", 512 << 10),
        ("Inactive(anon)", 512 << 10),
        ("Active(file)", 512 << 10),
        ("Inactive(file)", 513 << 10),
        ("Unevictable", 0),
        ("AnonPages", 1 << 20),
        ("SReclaimable", 0),
        ("SUnreclaim", 0),
        ("PageTables", 0),
    ];
    let used = (1 << 10) + (1 << 20) + (1 << 20);
    let free = TOTAL_KIB - used - (unaccounted_mib << 10);
    let head = [("MemTotal", TOTAL_KIB), ("MemFree", free)];
    let tail = [
        ("KReclaimable", 0),
        ("KernelStack", 0),
        ("VmallocUsed", 4),
        ("Percpu", 0),
    ];
    let mut text = String::new();
    for (name, kib) in head.iter().chain(&USED).chain(&tail) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<16}{kib:>8} kB", format!("{name}:"));
    }
    text
}

const ZONEINFO: &str = "\
Node 0, zone   Normal
  pages free     1000
        boost    0
        min      10
        low      20
        high     30
        spanned  2097152
        present  2097152
        managed  2097152
        cma      0
  pagesets
    cpu: 0
              count:    0
              high:     0
              batch:    1
";

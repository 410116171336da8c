//! A virtual machine: what it has, and one run of it.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cache::Tree;
use crate::files;
use crate::initramfs::{self, Job};
use crate::monitor::Monitor;
use crate::outcome::{End, Outcome};
use crate::problem::{Problem, Result};
use crate::tools::{self, Tool};
use crate::workshop::Workshop;

/// A node: its memory, and whether it has processors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) mib: u64,
    pub(crate) processors: u32,
}

/// How time passes in a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// As outside.
    Real,
    /// By what its only processor does: an instruction takes 4 ns, and while it is idle the clock jumps to the next timer.
    /// An hour of a machine that does little passes in seconds.
    Skipping,
}

/// What a machine is made of.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) nodes: Vec<Node>,
    pub(crate) time: Time,
    /// Added to the command line of the kernel.
    pub(crate) command_line: String,
    /// Sizes of empty disks: `/dev/vda`, `/dev/vdb`, ...
    pub(crate) disks_mib: Vec<u64>,
    /// Disks that are kept from boot to boot, after the empty ones.
    pub(crate) kept_disks: Vec<PathBuf>,
    /// More arguments for QEMU.
    pub(crate) arguments: Vec<String>,
    /// After so long it is killed.
    pub(crate) timeout: Duration,
}

impl Time {
    fn options(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Real if kvm() => &[("-accel", "kvm")],
            Self::Real => &[("-accel", "tcg,thread=multi")],
            // `shift=auto` would follow the time outside, which `sleep=off` is there to leave behind.
            Self::Skipping => &[
                ("-accel", "tcg,thread=single"),
                ("-icount", "shift=2,sleep=off"),
                ("-rtc", "clock=vm"),
            ],
        }
    }
}

impl Machine {
    /// A machine of so many nodes with one processor each.
    pub(crate) fn of_nodes(nodes: usize, mib: u64) -> Self {
        Self {
            nodes: vec![Node { mib, processors: 1 }; nodes],
            time: Time::Real,
            command_line: String::new(),
            disks_mib: vec![64],
            kept_disks: Vec::new(),
            arguments: Vec::new(),
            timeout: Duration::from_secs(600),
        }
    }

    /// Boots it, lets it do the job, and brings back what the job left, in `results`.
    pub(crate) fn run(
        &self,
        workshop: &Workshop,
        tree: &Tree,
        job: &Job<'_>,
        results: &Path,
    ) -> Result<Outcome> {
        files::make_anew(results)?;
        let place = tempfile::tempdir()
            .map_err(|error| Problem::new(format!("cannot make a temporary directory: {error}")))?;
        let place = place.path();
        initramfs::pack(workshop, tree, job, &place.join("initramfs"))?;
        let log = results.join("qemu.log");
        let output = File::create(&log).map_err(|error| Problem::with(&log, "write", error))?;
        let errors = output
            .try_clone()
            .map_err(|error| Problem::with(&log, "write", error))?;
        let _turn = workshop.cache.turn()?;
        let start = Instant::now();
        let program = tools::find("qemu-system-x86_64").ok_or_else(|| Problem::new("no QEMU"))?;
        // No machine outlives this program.
        let mut qemu = Command::new("setpriv");
        qemu.args(["--pdeathsig", "KILL", "--"]).arg(program);
        qemu.args(self.qemu(tree, place, results)?)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        let child = qemu
            .spawn()
            .map_err(|error| Problem::new(format!("cannot start QEMU: {error}")))?;
        let monitor = Monitor::new(results.join("console.log"), place.join("monitor"));
        let end = self.wait(child, monitor, start)?;
        unpack(&place.join("results"), results);
        Ok(Outcome {
            end,
            files: results.to_path_buf(),
            wall: start.elapsed(),
        })
    }

    fn wait(&self, mut child: Child, mut monitor: Monitor, start: Instant) -> Result<End> {
        let wrong = |error| Problem::new(format!("cannot wait for QEMU: {error}"));
        loop {
            if let Some(status) = child.try_wait().map_err(wrong)? {
                return Ok(End::of_qemu(status.code()));
            }
            let passed_on = monitor.pass_on();
            if passed_on.is_err() || start.elapsed() > self.timeout {
                child.kill().map_err(wrong)?;
                child.wait().map_err(wrong)?;
                return passed_on.map(|()| End::TimedOut);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn qemu(&self, tree: &Tree, place: &Path, results: &Path) -> Result<Vec<String>> {
        let text = |path: PathBuf| path.display().to_string();
        let memory: u64 = self.nodes.iter().map(|node| node.mib).sum();
        let mut words: Vec<String> = [
            "-M",
            "q35",
            "-cpu",
            "max",
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
            "-device",
            "isa-debug-exit,iobase=0xf4,iosize=0x04",
        ]
        .map(str::to_owned)
        .into();
        let mut add = |name: &str, value: String| words.extend([name.to_owned(), value]);
        for (name, value) in self.time.options() {
            add(name, (*value).to_owned());
        }
        add("-m", self.memory(memory));
        for (name, value) in self.topology() {
            add(name, value);
        }
        for (i, path) in self.disks(place)?.iter().enumerate() {
            let drive = format!(
                "file={},if=none,id=d{i},format=raw,cache=unsafe",
                path.display()
            );
            add("-drive", drive);
            add("-device", format!("virtio-blk-pci,drive=d{i}"));
        }
        add(
            "-monitor",
            format!("unix:{},server=on,wait=off", text(place.join("monitor"))),
        );
        add("-kernel", text(tree.image()));
        add("-initrd", text(place.join("initramfs")));
        let line = format!(
            "console=ttyS0 panic=-1 mitigations=off quiet {}",
            self.command_line
        );
        add("-append", line);
        add(
            "-serial",
            format!("file:{}", text(results.join("console.log"))),
        );
        add("-serial", format!("file:{}", text(place.join("results"))));
        words.extend(self.arguments.iter().cloned());
        Ok(words)
    }

    /// The option for memory; room for more is left where the arguments ask for devices that bring it.
    fn memory(&self, mib: u64) -> String {
        let more = self
            .arguments
            .iter()
            .any(|word| word.contains("virtio-mem-pci") || word.contains("pc-dimm"));
        if more {
            format!("{mib}M,slots=4,maxmem={}M", mib * 4)
        } else {
            format!("{mib}M")
        }
    }

    fn topology(&self) -> Vec<(&'static str, String)> {
        let total: u32 = self.nodes.iter().map(|node| node.processors).sum();
        let mut words = vec![("-smp", format!("{total},sockets={total},cores=1,threads=1"))];
        let mut socket = 0;
        for (i, node) in self.nodes.iter().enumerate() {
            if node.mib == 0 {
                words.push(("-numa", format!("node,nodeid={i}")));
            } else {
                words.push((
                    "-object",
                    // Memory that is never touched need not be there.
                    format!("memory-backend-ram,id=m{i},size={}M,reserve=off", node.mib),
                ));
                words.push(("-numa", format!("node,nodeid={i},memdev=m{i}")));
            }
            for _ in 0..node.processors {
                words.push((
                    "-numa",
                    format!("cpu,node-id={i},socket-id={socket},core-id=0,thread-id=0"),
                ));
                socket += 1;
            }
        }
        words
    }

    fn disks(&self, place: &Path) -> Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for (i, mib) in self.disks_mib.iter().enumerate() {
            let path = place.join(format!("disk{i}"));
            make_disk(&path, *mib)?;
            paths.push(path);
        }
        paths.extend(self.kept_disks.iter().cloned());
        Ok(paths)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib: Vec<String> = self.nodes.iter().map(|node| node.mib.to_string()).collect();
        if mib.iter().all(|each| *each == mib[0]) {
            write!(f, "nodes: {} of {} MiB", mib.len(), mib[0])
        } else {
            write!(f, "nodes of {} MiB", mib.join(", "))
        }
    }
}

/// Makes an empty disk.
pub(crate) fn make_disk(path: &Path, mib: u64) -> Result<()> {
    File::create(path)
        .and_then(|file| file.set_len(mib << 20))
        .map_err(|error| Problem::with(path, "make a disk", error))
}

/// Whether the processor can run virtual machines itself. A `/dev/kvm` without that is slower than QEMU's own
/// emulation.
pub(crate) fn kvm() -> bool {
    let processor = files::read(Path::new("/proc/cpuinfo")).unwrap_or_default();
    let able = processor
        .split_whitespace()
        .any(|flag| flag == "vmx" || flag == "svm");
    able && File::options()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_ok()
}

/// A machine that died has left half a stream, or none: what is whole is taken, the rest shows in the end it had.
fn unpack(stream: &Path, results: &Path) {
    let unpacked = Tool::new("tar")
        .arg("-xzf")
        .arg(stream)
        .arg("-C")
        .arg(results)
        .run();
    if let Err(problem) = unpacked {
        let _ = files::write(&results.join("unpacking.log"), &problem.to_string());
    }
}

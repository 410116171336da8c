//! Looks that the kernel refuses, as it does to the service, which is root without a single capability.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

use super::tests::take;
use super::*;
use crate::config::EvidenceBudget;
use crate::incidents::evidence::{Comparison, SourceKind, SourceStatus, Trigger};
use crate::kernel::Root;
use crate::skip::skip;
use std::time::Duration;

/// Takes evidence in a thread without capabilities: they belong to a thread.
fn taken_without_rights(root: &Root) -> Evidence {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets {
        effective: none,
        permitted: none,
        inheritable: none,
    };
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            set_capabilities(None, sets).unwrap();
            let budget = EvidenceBudget::from_cpu_time(Duration::from_secs(20));
            take(root, Trigger::Routine, budget).0
        });
        thread.join().unwrap()
    })
}

fn standing(evidence: &Evidence, kind: SourceKind) -> &SourceStatus {
    let mut sources = evidence.sources.iter();
    &sources.find(|seen| seen.kind == kind).unwrap().standing
}

fn why_denied(evidence: &Evidence, kind: SourceKind) -> &str {
    match standing(evidence, kind) {
        SourceStatus::Denied { why } => why,
        other => panic!("{kind:?}: {other:?}"),
    }
}

/// A tree, with a file in it that only others may read.
fn tree(files: &[(&str, &str)], refused: &str) -> tempfile::TempDir {
    let tree = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(tree.path(), path, text);
    }
    let refused = tree.path().join(refused);
    fs::set_permissions(&refused, Permissions::from_mode(0o0)).unwrap();
    tree
}

fn write(tree: &Path, path: &str, text: &str) {
    let path = tree.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Paths, and what the files hold.
type Files = &'static [(&'static str, &'static str)];

const CONTROLLERS: (&str, &str) = ("sys/fs/cgroup/cgroup.controllers", "memory\n");
const PROGRAM: &str = "Name:\tleaky\nVmPTE:\t 4 kB\nThreads:\t1\n";
const THREAD: &str = "Name:\tkworker/0:1\nThreads:\t1\n";

#[test]
fn of_every_source_a_look_that_is_refused_is_denied() {
    let cases: [(SourceKind, Files, &str); 11] = [
        (SourceKind::Slab, &[("proc/slabinfo", "")], "proc/slabinfo"),
        (
            SourceKind::Vmalloc,
            &[("proc/vmallocinfo", "")],
            "proc/vmallocinfo",
        ),
        (
            SourceKind::AllocInfo,
            &[("proc/allocinfo", "")],
            "proc/allocinfo",
        ),
        (
            SourceKind::Sockets,
            &[("proc/net/sockstat", ""), ("proc/net/protocols", "")],
            "proc/net/protocols",
        ),
        (
            SourceKind::Zram,
            &[("proc/vmstat", ""), ("sys/block/zram0/mm_stat", "")],
            "sys/block/zram0/mm_stat",
        ),
        (
            SourceKind::Cma,
            &[("sys/kernel/mm/cma/a/alloc_pages_success", "1")],
            "sys/kernel/mm/cma/a",
        ),
        (
            SourceKind::DmaBuffers,
            &[("sys/kernel/dmabuf/buffers/7/size", "1")],
            "sys/kernel/dmabuf/buffers/7/size",
        ),
        (
            SourceKind::DmaBuffers,
            &[("sys/kernel/debug/dma_buf/bufinfo", "")],
            "sys/kernel/debug",
        ),
        (
            SourceKind::PageOwner,
            &[("sys/kernel/debug/page_owner_stacks/show_stacks", "")],
            "sys/kernel/debug",
        ),
        (
            SourceKind::Services,
            &[CONTROLLERS, ("sys/fs/cgroup/a/memory.stat", "kernel 9\n")],
            "sys/fs/cgroup/a/memory.stat",
        ),
        (
            SourceKind::Census,
            &[("proc/kpageflags", "")],
            "proc/kpageflags",
        ),
    ];
    for (kind, files, refused) in cases {
        let tree = tree(files, refused);

        let evidence = taken_without_rights(&Root::Directory(tree.path().to_owned()));

        let why = why_denied(&evidence, kind);
        assert!(why.contains("ermission denied"), "{kind:?}: {why}");
        assert!(why.contains("holders.conf"), "{kind:?}: {why}");
    }
}

#[test]
fn of_what_a_process_holds_every_look_that_is_refused_is_denied() {
    let process = [
        ("proc/7/status", PROGRAM),
        ("proc/7/fdinfo/3", "x"),
        ("proc/7/maps", ""),
        ("proc/net/packet", "0 2 3 0000 0 0 131072 0 11\n"),
    ];
    for (refused, kind) in [
        ("proc/7/status", SourceKind::Processes),
        ("proc/7/fdinfo/3", SourceKind::Sizes),
        ("proc/7/maps", SourceKind::PacketRings),
    ] {
        let tree = tree(&process, refused);
        fs::create_dir(tree.path().join("proc/7/fd")).unwrap();
        for (target, fd) in [("anon_inode:bpf-map", 3), ("socket:[11]", 4)] {
            symlink(target, tree.path().join(format!("proc/7/fd/{fd}"))).unwrap();
        }

        let evidence = taken_without_rights(&Root::Directory(tree.path().to_owned()));

        why_denied(&evidence, kind);
    }
}

#[test]
fn programs_that_may_not_be_looked_into_are_counted_and_threads_of_the_kernel_are_not() {
    let mut files: Vec<(String, &str)> = (100..160)
        .map(|pid| (format!("proc/{pid}/status"), THREAD))
        .collect();
    files.extend([7, 8, 9].map(|pid| (format!("proc/{pid}/status"), PROGRAM)));
    let files: Vec<_> = files.iter().map(|(path, text)| (&**path, *text)).collect();
    for mode in [0o0, 0o400] {
        let tree = tree(&files, "proc/7/status");
        let status = tree.path().join("proc/7/status");
        fs::set_permissions(status, Permissions::from_mode(0o400)).unwrap();
        for pid in [7, 8, 9] {
            let directory = tree.path().join(format!("proc/{pid}/fd"));
            fs::create_dir(&directory).unwrap();
            symlink("pipe:[1]", directory.join("3")).unwrap();
        }
        // The names may be listed, and none of the links read, or not even that.
        let refused = tree.path().join("proc/7/fd");
        fs::set_permissions(refused, Permissions::from_mode(mode)).unwrap();

        let evidence = taken_without_rights(&Root::Directory(tree.path().to_owned()));

        let why = why_denied(&evidence, SourceKind::Descriptors);
        assert!(why.starts_with("1 of 3 programs may not"), "{why}");
        // The objects that hang on descriptors are not known either.
        why_denied(&evidence, SourceKind::Sizes);
        assert_eq!(
            standing(&evidence, SourceKind::Processes),
            &SourceStatus::Read
        );
    }
}

#[test]
fn processes_that_are_hidden_are_not_taken_for_absent_ones() {
    for (options, is_hidden) in [
        ("rw,hidepid=invisible", true),
        ("rw,hidepid=2", true),
        ("rw", false),
    ] {
        let tree = tempfile::tempdir().unwrap();
        write(tree.path(), "proc/7/status", PROGRAM);
        let mounts = format!("24 30 0:22 / /proc rw - proc proc {options}\n");
        write(tree.path(), "proc/self/mountinfo", &mounts);

        let evidence = taken_without_rights(&Root::Directory(tree.path().to_owned()));

        for kind in [
            SourceKind::Processes,
            SourceKind::Descriptors,
            SourceKind::Sizes,
        ] {
            let is_denied = matches!(standing(&evidence, kind), SourceStatus::Denied { .. });
            assert_eq!(is_denied, is_hidden, "{options}, {kind:?}");
        }
    }
}

/// A process that is as mighty as this test, and holds a pipe.
struct Mighty(Child);

impl Drop for Mighty {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn a_process_with_more_rights_is_denied_on_this_machine() {
    let mighty = Command::new("sleep")
        .arg("60")
        .stdin(Stdio::piped())
        .spawn();
    let _mighty = Mighty(mighty.unwrap());
    let rights = rustix::thread::capabilities(None).unwrap();
    if !rights.permitted.contains(CapabilitySet::SYS_PTRACE) {
        return skip("this test has no rights that it could give up");
    }

    let evidence = taken_without_rights(&Root::live());

    let why = why_denied(&evidence, SourceKind::Descriptors);
    assert!(why.contains("CAP_SYS_PTRACE"), "{why}");
    assert!(!why.starts_with("0 of "), "{why}");
    assert!(
        Comparison::between(&evidence, &evidence)
            .explanations
            .is_empty()
    );
}

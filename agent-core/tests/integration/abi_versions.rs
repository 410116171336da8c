//! Modules and cores of different versions of the C interface work together, in both directions.
//!
//! The past is the frozen header of a release. The future is made from the current header: every structure
//! that can grow has grown.
#![expect(clippy::disallowed_methods, reason = "no kernel files in here")]

use crate::cc;
use crate::host;
use std::fs;
use std::path::{Path, PathBuf};

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn frozen() -> PathBuf {
    Path::new(TOP).join("tests/abi/1.0")
}

fn current() -> PathBuf {
    Path::new(TOP).join("module-api/include")
}

/// A header of a version to come, in a directory of its own.
fn future(workshop: &Path) -> PathBuf {
    let directory = workshop.join("future");
    let header = fs::read_to_string(current().join("adaptivemm_module.h")).unwrap();
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("adaptivemm_module.h"), grown(&header)).unwrap();
    directory
}

/// The header with more modules at the end of every structure that can grow.
fn grown(header: &str) -> String {
    let mut grown = String::new();
    for line in header.lines() {
        let name = line
            .strip_prefix("} ")
            .and_then(|rest| rest.strip_suffix(';'));
        if name.is_some_and(|name| !["amm_str", "amm_seq", "amm_value"].contains(&name)) {
            grown.push_str("    uint64_t future;\n    amm_seq future_list;\n");
        }
        if line.starts_with("#define AMM_ABI_MINOR ") {
            grown.push_str("#define AMM_ABI_MINOR 99\n");
        } else {
            grown.push_str(line);
            grown.push('\n');
        }
    }
    grown
}

/// What the module of the tests says, all of which it was told.
fn said(core: &str) -> String {
    let scan = format!(
        "finding 7/3 zone: 100 1 10 20 30 2000 1900 1800 8 5, own 7, blocks 17\n\
         finding 4/2 rest: no pressure (0.1 0.2 0.3) <rest-1> faults_pages=12345 inactive_pages=99\n\
         request vm.watermark_scale_factor = 11: one more (or one less)\n\
         request compact node 2: as a trial\n\
         metric pool_bytes 6291456\n\
         status 1 3 2.5 you after what was before; scan 1 at 1030000000000 ns of 30000000000, flags 0, pages of 4096; 4 5; \
         the core is {core}\nkeep what is now\n"
    );
    let failure = "problem : /proc/meminfo lacks something\nreturned -2\n";
    format!(
        "module echo: ENABLE_ECHO\nmodule echo-again: \nscan 1\n{scan}{scan}scan 2\n{failure}{failure}destroyed\n"
    )
}

#[test]
fn a_module_of_any_version_understands_a_core_of_any_version() {
    let workshop = cc::workshop("abi-versions");
    let future = future(&workshop);
    let pairs = [
        (current(), frozen(), "all I know"),
        (future.clone(), frozen(), "all I know"),
        (future.clone(), current(), "all I know"),
        (frozen(), current(), "all I know"),
        (current(), future.clone(), "older than I am"),
        (frozen(), future.clone(), "older than I am"),
        (future.clone(), future, "as new as I am"),
    ];
    let source = Path::new(TOP).join("tests/abi/module.c");
    let options = ["amount-mib=3", "share-percent=2.5", "name=you"];
    for (of_core, of_module, opinion) in pairs {
        let core = host::build_host(&of_core, &workshop);
        let module = host::build_module(&of_module, &source, &workshop);

        let (words, ok) = host::run(&core, &module, &options, "First=4 Other=9 Last=5\n-\n");

        assert_eq!(
            words,
            said(opinion),
            "core of {of_core:?}, module of {of_module:?}"
        );
        assert!(ok);
    }
}

#[test]
fn a_problem_with_an_option_reaches_a_newer_core() {
    let workshop = cc::workshop("abi-versions-problem");
    let core = host::build_host(&future(&workshop), &workshop);
    let source = Path::new(TOP).join("tests/abi/module.c");
    let module = host::build_module(&frozen(), &source, &workshop);

    let (words, ok) = host::run(&core, &module, &["name="], "");

    assert_eq!(
        words,
        "module echo: ENABLE_ECHO\nproblem name: must not be empty\nreturned -1\n"
    );
    assert!(!ok);
}

#[cfg(feature = "memleak")]
#[test]
fn a_module_in_rust_says_the_same_to_a_newer_core_in_c() {
    const MEMINFO: &str = "MemTotal=16000000000 MemFree=8000000000 Buffers=100000000 Cached=3000000000 \
        SwapCached=0 Active(anon)=1000000000 Inactive(anon)=500000000 Active(file)=1500000000 \
        Inactive(file)=1400000000 Unevictable=0 AnonPages=1400000000 Mapped=300000000 Shmem=100000000 \
        KReclaimable=200000000 Slab=400000000 SReclaimable=200000000 SUnreclaim=200000000 \
        KernelStack=20000000 PageTables=40000000 Percpu=10000000 HugePages_Total=3 Hugepagesize=2097152\n";
    let workshop = cc::workshop("abi-versions-rust");
    let future = future(&workshop);
    // The daemon has it linked in; its library is built with it, beside the tests.
    let memleak = std::env::current_exe()
        .unwrap()
        .with_file_name("libmemleak.so");
    let words = [current(), future].map(|header| {
        let core = host::build_host(&header, &workshop);
        let (words, ok) = host::run(&core, &memleak, &["level-percent=50"], &MEMINFO.repeat(3));
        assert!(ok, "{words}");
        words
    });

    assert_eq!(words[0], words[1]);
    // Total less free, page cache, programs, slab, stacks, page tables, per-CPU data and three huge pages.
    assert!(
        words[0].contains("scan 3\nmetric unaccounted_bytes 3033708544\n"),
        "{}",
        words[0]
    );
    assert!(words[0].ends_with("\ndestroyed\n"), "{}", words[0]);
}

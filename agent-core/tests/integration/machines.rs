//! Machines that are unlike most: what is seen on them, and what is said to be missing.
//!
//! The expected numbers were not made by this program: `tests/machines/README.md` says how they were.

use crate::outside;
use crate::outside::{
    DEFAULTS, Files, adaptivemmd, logged_once, logged_once_with, machine, printed, snapshot,
};
use serde_json::{Value, json};

/// A number that the leak detection publishes, in bytes; `None` if it does not.
fn metric(snapshot: &Value, name: &str) -> Option<i64> {
    snapshot["modules"]["memleak"]["metrics"][name].as_i64()
}

/// What the leak detection makes of a machine: unaccounted for by the classic and by the exact
/// accounting, and orphans, in bytes.
fn accounts(name: &str) -> [Option<i64>; 3] {
    let seen = snapshot(&machine(name));
    let names = [
        "unaccounted_bytes",
        "unaccounted_exact_bytes",
        "orphans_bytes",
    ];
    names.map(|name| metric(&seen, name))
}

/// Files of `proc` that could not be read, and why.
fn unreadable(name: &str) -> Value {
    let mut files = snapshot(&machine(name))["snapshot"]["unreadable"].take();
    let files_of_proc = files.as_object_mut().unwrap();
    files_of_proc.retain(|path, _| !path.starts_with("/proc/sys/"));
    files_of_proc.remove("/proc/buddyinfo");
    files
}

const KIB: i64 = 1024;
/// By the classic formula, on the machines that are one machine with something amiss.
const USUAL: Option<i64> = Some(408_928 * KIB);

#[test]
fn the_worked_example_of_the_seed() {
    let seen = snapshot(&machine("seed-example"));

    assert_eq!(metric(&seen, "unaccounted_bytes"), Some(2_225_816 * KIB));
    assert_eq!(metric(&seen, "baseline_bytes"), Some(2_225_816 * KIB));
    assert_eq!(metric(&seen, "unaccounted_exact_bytes"), None);
}

#[test]
fn once_with_json_is_the_same_as_snapshot() {
    let tree = machine("seed-example");
    let [mut once, mut seen] = [&["--once", "--json"][..], &["snapshot"]].map(|what| {
        let text = printed(&[&["--root", &tree, "-c", DEFAULTS], what].concat());
        serde_json::from_str::<Value>(&text).unwrap()
    });

    // This machine does not say how long it has run.
    for object in [&mut once, &mut seen] {
        object["snapshot"]["uptime_seconds"].take();
    }

    assert_eq!(once, seen);
}

#[test]
fn both_accountings_are_right_on_every_kernel() {
    let exact = |bytes, orphans| [Some(bytes), Some(orphans)];
    let machines = [
        ("kernel-3.10", 398_000, exact(33_177_600, 0)),
        ("kernel-4.14", 1_457_856, exact(833_769_472, 0)),
        ("kernel-6.18", 107_292, exact(14_860_288, -167_936)),
        ("one-zone", 51_000, exact(51_036_160, 0)),
        ("node-gaps", 640_000, exact(434_176_000, 0)),
        ("pages-64k", 949_824, exact(578_355_200, 327_680)),
        ("orders-13", 408_928, exact(350_953_472, 614_400)),
        ("memory-64t", 782_967_296, exact(728_849_711_104, 0)),
        ("garbage-meminfo", 408_928, exact(350_953_472, 614_400)),
    ];
    for (name, classic_kib, [exact, orphans]) in machines {
        assert_eq!(
            accounts(name),
            [Some(classic_kib * KIB), exact, orphans],
            "{name}"
        );
        assert_eq!(unreadable(name), json!({}), "{name}");
    }
}

#[test]
fn on_every_kernel_the_log_is_one_line_and_the_end() {
    insta::assert_snapshot!(logged_once(&machine("kernel-4.14")), @r"
    info    memleak: 14.5 GiB of 15.3 GiB accounted for (free 7.6 GiB, page cache 5.0 GiB, programs 752.1 MiB, huge pages 256.0 MiB, slab 878.9 MiB, other kernel 49.8 MiB); 795.1 MiB unaccounted (classic formula 1.4 GiB, baseline 1.4 GiB)
    ");
    insta::assert_snapshot!(logged_once(&machine("kernel-6.18")), @r"
    info    memleak: 23.5 GiB of 23.5 GiB accounted for (free 17.7 GiB, page cache 4.4 GiB, programs 1.2 GiB, slab 248.9 MiB, other kernel 24.0 MiB); 14.2 MiB unaccounted (classic formula 104.8 MiB, baseline 104.8 MiB)
    ");
    insta::assert_snapshot!(logged_once(&machine("memory-64t")), @r"
    info    memleak: 63.3 TiB of 64.0 TiB accounted for (free 60.0 TiB, page cache 954.6 GiB, programs 1.9 TiB, slab 476.8 GiB, other kernel 75.3 GiB); 678.8 GiB unaccounted (classic formula 746.7 GiB, baseline 746.7 GiB)
    ");
    insta::assert_snapshot!(logged_once(&machine("garbage-meminfo")), @r"
    info    memleak: 7.3 GiB of 7.6 GiB accounted for (free 4.8 GiB, page cache 1.6 GiB, programs 395.5 MiB, huge pages 128.0 MiB, slab 361.3 MiB, other kernel 89.8 MiB); 334.7 MiB unaccounted (classic formula 399.3 MiB, baseline 399.3 MiB)
    ");
}

#[test]
fn the_size_of_a_page_is_that_of_the_machine() {
    let size = |name| snapshot(&machine(name))["snapshot"]["page_size_bytes"].take();

    assert_eq!(size("pages-64k"), 65_536);
    assert_eq!(size("node-gaps"), 65_536);
    assert_eq!(size("kernel-6.18"), 4_096);
    assert_eq!(size("memory-64t"), 4_096);
}

#[test]
fn numbers_of_nodes_may_have_gaps() {
    let mut seen = snapshot(&machine("node-gaps"));
    let seen = &mut seen["snapshot"];

    assert_eq!(
        seen["nodes"],
        json!([
            { "id": 0, "meminfo": { "MemTotal": 32_768_000_000_i64, "MemFree": 26_214_400_000_i64, "HugePages_Total": 0 } },
            { "id": 8, "meminfo": { "MemTotal": 34_816_000_000_i64, "MemFree": 30_720_000_000_i64, "HugePages_Total": 0 } },
        ])
    );
    let of_zones = |field: &str| {
        let zones = seen["zones"].as_array().unwrap();
        zones
            .iter()
            .map(|zone| zone[field].clone())
            .collect::<Value>()
    };
    assert_eq!(of_zones("node"), json!([0, 8]));
    assert_eq!(of_zones("per_cpu_pages"), json!([750, 125]));
    assert_eq!(
        of_zones("free_blocks"),
        json!([
            [100, 50, 25, 10, 5, 2, 1, 0, 1],
            [200, 90, 45, 20, 10, 4, 2, 1, 3]
        ])
    );
}

#[test]
fn there_may_be_thirteen_orders_of_free_blocks() {
    let seen = snapshot(&machine("orders-13"));

    let zones = seen["snapshot"]["zones"].as_array().unwrap();
    let blocks: Vec<_> = zones
        .iter()
        .map(|zone| zone["free_blocks"].clone())
        .collect();
    assert_eq!(
        blocks,
        [
            json!([16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 1, 97]),
            json!([
                10240, 5120, 2560, 1280, 640, 320, 160, 80, 40, 20, 10, 5, 500
            ]),
            Value::Null,
        ]
    );
}

#[test]
fn huge_pages_of_every_size_count() {
    let seen = snapshot(&machine("pages-64k"));

    assert_eq!(
        seen["snapshot"]["hugepages"],
        json!([
            { "size_bytes": 2_097_152, "count": 0 },
            { "size_bytes": 536_870_912, "count": 30 },
            { "size_bytes": 17_179_869_184_i64, "count": 0 },
        ])
    );
}

#[test]
fn lines_that_no_kernel_prints_are_passed_over() {
    let seen = snapshot(&machine("garbage-meminfo"));
    let meminfo = seen["snapshot"]["meminfo"].as_object().unwrap();

    assert_eq!(
        snapshot(&machine("orders-13"))["snapshot"]["meminfo"],
        json!(meminfo)
    );
}

#[test]
fn without_zoneinfo_the_classic_formula_is_left() {
    assert_eq!(accounts("no-zoneinfo"), [USUAL, None, None]);
    insta::assert_snapshot!(unreadable("no-zoneinfo"), @r#"{"/proc/zoneinfo":"No such file or directory (os error 2)"}"#);
    insta::assert_snapshot!(logged_once(&machine("no-zoneinfo")), @r"
    notice  core: cannot read /proc/zoneinfo: No such file or directory; what depends on it is left out
    info    memleak: Memory is not exactly accounted for: there is no /proc/zoneinfo; leaks are looked for with the classic formula only
    info    memleak: 399.3 MiB of 7.6 GiB not accounted for (classic formula, baseline 399.3 MiB); no exact accounting: there is no /proc/zoneinfo
    ");
}

#[test]
fn a_directory_in_place_of_zoneinfo_is_an_error() {
    assert_eq!(accounts("eisdir"), [USUAL, None, None]);
    insta::assert_snapshot!(unreadable("eisdir"), @r#"{"/proc/zoneinfo":"Is a directory (os error 21)"}"#);
    insta::assert_snapshot!(logged_once(&machine("eisdir")), @r"
    error   core: cannot read /proc/zoneinfo: Is a directory; what depends on it is left out
    info    memleak: Memory is not exactly accounted for: cannot read /proc/zoneinfo: Is a directory; leaks are looked for with the classic formula only
    info    memleak: 399.3 MiB of 7.6 GiB not accounted for (classic formula, baseline 399.3 MiB); no exact accounting: cannot read /proc/zoneinfo: Is a directory
    ");
}

#[test]
fn half_of_zoneinfo_is_an_error() {
    assert_eq!(accounts("half-zoneinfo"), [USUAL, None, None]);
    insta::assert_snapshot!(unreadable("half-zoneinfo"), @r#"
    {"/proc/zoneinfo":"it was cut off after \"        spanned  30\""}
    "#);
    insta::assert_snapshot!(logged_once(&machine("half-zoneinfo")), @r#"
    error   core: cannot read /proc/zoneinfo: it was cut off after "        spanned  30"; what depends on it is left out
    info    memleak: Memory is not exactly accounted for: cannot read /proc/zoneinfo: it is not what the kernel documents; leaks are looked for with the classic formula only
    info    memleak: 399.3 MiB of 7.6 GiB not accounted for (classic formula, baseline 399.3 MiB); no exact accounting: cannot read /proc/zoneinfo: it is not what the kernel documents
    "#);
}

#[test]
fn an_empty_vmstat_is_an_error() {
    assert_eq!(accounts("empty-vmstat"), [USUAL, None, None]);
    insta::assert_snapshot!(unreadable("empty-vmstat"), @r#"{"/proc/vmstat":"it is empty"}"#);
    insta::assert_snapshot!(logged_once(&machine("empty-vmstat")), @r"
    error   core: cannot read /proc/vmstat: it is empty; what depends on it is left out
    info    memleak: Memory is not exactly accounted for: cannot read /proc/vmstat: it is not what the kernel documents; leaks are looked for with the classic formula only
    info    memleak: 399.3 MiB of 7.6 GiB not accounted for (classic formula, baseline 399.3 MiB); no exact accounting: cannot read /proc/vmstat: it is not what the kernel documents
    ");
}

#[test]
fn half_of_vmstat_is_an_error() {
    assert_eq!(accounts("half-vmstat"), [USUAL, None, None]);
    insta::assert_snapshot!(unreadable("half-vmstat"), @r#"
    {"/proc/vmstat":"it was cut off after \"nr_zspages 20\""}
    "#);
    insta::assert_snapshot!(logged_once(&machine("half-vmstat")), @r#"
    error   core: cannot read /proc/vmstat: it was cut off after "nr_zspages 20"; what depends on it is left out
    info    memleak: Memory is not exactly accounted for: cannot read /proc/vmstat: it is not what the kernel documents; leaks are looked for with the classic formula only
    info    memleak: 399.3 MiB of 7.6 GiB not accounted for (classic formula, baseline 399.3 MiB); no exact accounting: cannot read /proc/vmstat: it is not what the kernel documents
    "#);
}

#[test]
fn half_of_meminfo_leaves_nothing_to_look_for_leaks_in() {
    assert_eq!(accounts("half-meminfo"), [None; 3]);
    insta::assert_snapshot!(unreadable("half-meminfo"), @r#"
    {"/proc/meminfo":"it was cut off after \"SUnreclaim:       1200\""}
    "#);
    insta::assert_snapshot!(logged_once(&machine("half-meminfo")), @r#"
    error   core: cannot read /proc/meminfo: it was cut off after "SUnreclaim:       1200"; what depends on it is left out
    error   memleak: unavailable: cannot read /proc/meminfo: it is not what the kernel documents
    "#);
}

/// `proc/meminfo` of this tree is a link to `/proc/self/mem`, where nothing is at address 0.
#[test]
fn a_kernel_that_fails_to_read_meminfo_is_said_to() {
    assert_eq!(accounts("eio"), [None; 3]);
    insta::assert_snapshot!(unreadable("eio"), @r#"{"/proc/meminfo":"Input/output error (os error 5)"}"#);
    insta::assert_snapshot!(logged_once(&machine("eio")), @r"
    error   core: cannot read /proc/meminfo: Input/output error; what depends on it is left out
    error   memleak: unavailable: cannot read /proc/meminfo: Input/output error
    ");
}

#[test]
fn on_a_machine_without_any_file_all_that_is_missing_is_said() {
    let nothing = Files::new(&[]);

    let problems = &snapshot(&nothing.root())["modules"]["memleak"]["problems"];
    assert_eq!(*problems, json!(["there is no /proc/meminfo"]));
    insta::assert_snapshot!(logged_once(&nothing.root()), @r"
    notice  core: cannot read /proc/meminfo: No such file or directory; what depends on it is left out
    notice  core: cannot read /proc/vmstat: No such file or directory; what depends on it is left out
    notice  core: cannot read /proc/zoneinfo: No such file or directory; what depends on it is left out
    error   memleak: unavailable: there is no /proc/meminfo
    ");
}

#[test]
fn a_machine_without_memory_is_said_to_make_no_sense() {
    let files = Files::new(&[(
        "proc/meminfo",
        "MemTotal:       0 kB\nMemFree:        0 kB\n",
    )]);

    insta::assert_snapshot!(logged_once(&files.root()), @r"
    notice  core: cannot read /proc/vmstat: No such file or directory; what depends on it is left out
    notice  core: cannot read /proc/zoneinfo: No such file or directory; what depends on it is left out
    error   memleak: unavailable: /proc/meminfo has no MemTotal, or it is 0
    ");
}

#[test]
fn a_container_with_a_meminfo_of_its_own_is_not_judged() {
    let meminfo = "MemTotal:       2097152 kB\nMemFree:        1048576 kB\nBuffers:        0 kB\nCached:         524288 kB\n\
        SwapCached:     0 kB\nActive(anon):   262144 kB\nInactive(anon): 0 kB\nActive(file):   262144 kB\n\
        Inactive(file): 262144 kB\nUnevictable:    0 kB\nAnonPages:      262144 kB\nSReclaimable:   0 kB\n\
        SUnreclaim:     0 kB\nKernelStack:    0 kB\nPageTables:     0 kB\nHugetlb:        0 kB\n";
    let zoneinfo =
        "Node 0, zone   Normal\n  pages free     7000000\n        managed  16777216\n  pagesets\n";
    let vmstat = "nr_free_pages 7000000\nnr_anon_pages 65536\n";
    let files = Files::new(&[
        ("proc/meminfo", meminfo),
        ("proc/zoneinfo", zoneinfo),
        ("proc/vmstat", vmstat),
    ]);

    insta::assert_snapshot!(logged_once(&files.root()), @r"
    warning memleak: The kernel's files disagree: the zones of /proc/zoneinfo manage 64.0 GiB, but MemTotal is 2.0 GiB, as in a container; no leak is looked for until they agree
    info    memleak: no leak is looked for, because the kernel's files disagree: the zones of /proc/zoneinfo manage 64.0 GiB, but MemTotal is 2.0 GiB, as in a container
    ");
}

#[test]
fn a_simulation_writes_nothing_below_the_root() {
    let files = Files::new(&[("proc/meminfo", "MemTotal: 8 kB\nMemFree: 4 kB\n")]);
    let before = names(&files.root());

    let run = adaptivemmd(&["--root", &files.root(), "-s", "--once"]);

    assert_eq!(run.code, Some(0));
    assert_eq!(names(&files.root()), before);
}

fn names(directory: &str) -> Vec<std::ffi::OsString> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name()).collect()
}

/// All modules that run by default, on all machines.
#[test]
fn no_odd_machine_makes_a_module_break_down() {
    let directory = outside::tests().join("machines");
    let entries = std::fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let trees: Vec<String> = names.filter(|name| !name.contains('.')).collect();
    assert!(trees.len() > 10, "{trees:?}");

    for name in &trees {
        let log = logged_once_with(&machine(name), DEFAULTS);

        let worse = log.lines().filter(|line| {
            let is_loud = line.starts_with("error ") || line.starts_with("warning ");
            let is_known =
                line.contains(": unavailable: ") || line.contains(" core: cannot read /proc/");
            is_loud && !is_known
        });
        assert_eq!(worse.collect::<Vec<_>>(), [""; 0], "{name}: {log}");
    }
}

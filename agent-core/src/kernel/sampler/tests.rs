use std::fs;

use tempfile::TempDir;

use super::*;

const MEMINFO: &str = "MemTotal: 1000 kB\nMemFree: 500 kB\nHugetlb: 0 kB\n";

fn machine(files: &[(&str, &str)]) -> (TempDir, Root) {
    let tree = tempfile::tempdir().unwrap();
    for (path, text) in files {
        put(&tree, path, text);
    }
    let root = Root::Directory(tree.path().to_owned());
    (tree, root)
}

fn put(tree: &TempDir, path: &str, text: &str) {
    let path = tree.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn wanted(paths: &[&str]) -> Wanted {
    let mut wanted = Wanted::default();
    for path in paths {
        wanted.add_file(path);
    }
    wanted
}

fn take(sampler: &mut Sampler) -> Arc<Snapshot> {
    sampler.take(Uptime(Duration::from_secs(1)), Duration::from_secs(30))
}

fn sampler(root: Root, wanted: Wanted) -> Sampler {
    Sampler::new(root, wanted, Some(PageSize::FOUR_KIB))
}

#[test]
fn only_what_is_wanted_is_read() {
    let (_tree, root) = machine(&[("proc/meminfo", MEMINFO), ("proc/vmstat", "nr_mapped 1\n")]);
    let mut sampler = sampler(root, wanted(&["/proc/vmstat", "/proc/pressure/memory"]));

    let snapshot = take(&mut sampler);

    let read: Vec<_> = snapshot
        .readings()
        .map(|(path, _, result)| (path, result.is_ok()))
        .collect();
    assert_eq!(
        read,
        [("/proc/vmstat", true), ("/proc/pressure/memory", false)]
    );
    assert_eq!(
        snapshot
            .vmstat
            .get()
            .and_then(|vmstat| vmstat.get("nr_mapped")),
        Some(1)
    );
}

#[test]
fn a_file_that_comes_back_is_opened_again() {
    let (tree, root) = machine(&[("proc/meminfo", MEMINFO)]);
    let mut sampler = sampler(root, wanted(&["/proc/meminfo", "/proc/vmstat"]));
    let vmstat = |snapshot: &Snapshot| snapshot.vmstat.get().and_then(|vmstat| vmstat.get("a"));

    let without = vmstat(&take(&mut sampler));
    put(&tree, "proc/vmstat", "a 7\n");
    let with = vmstat(&take(&mut sampler));

    assert_eq!((without, with), (None, Some(7)));
}

#[test]
fn one_broken_file_does_not_spoil_the_others() {
    let (_tree, root) = machine(&[("proc/meminfo", MEMINFO), ("proc/vmstat", "nr_mapped 1")]);
    let mut sampler = sampler(
        root,
        wanted(&["/proc/meminfo", "/proc/vmstat", "/proc/zoneinfo"]),
    );

    let snapshot = take(&mut sampler);

    let errors: Vec<_> = snapshot
        .readings()
        .filter_map(|(path, _, result)| Some(format!("{path}: {}", result.as_ref().err()?)))
        .collect();
    assert_eq!(
        errors,
        [
            "/proc/vmstat: it was cut off after \"nr_mapped 1\"",
            "/proc/zoneinfo: No such file or directory (os error 2)"
        ]
    );
    assert_eq!(
        snapshot
            .meminfo()
            .and_then(|meminfo| meminfo.bytes("MemFree")),
        Some(Bytes::from_kib(500))
    );
}

#[test]
fn files_fit_together_unless_memory_moves_between_them() {
    let reading = |text: &str| {
        let mut reading = Reading::<Meminfo>::new("/proc/meminfo", true);
        reading.result = reading
            .parsed
            .update(text.as_bytes())
            .map_err(ReadError::from);
        Fixpoint::from_meminfo(&reading)
    };
    let meminfo = |total: u64, free: u64, hugetlb: u64| {
        reading(&format!(
            "MemTotal: {total} kB\nMemFree: {free} kB\nHugetlb: {hugetlb} kB\n"
        ))
    };
    let before = meminfo(100_000, 50_000, 0);

    let fits = [
        meminfo(100_000, 50_000 + 16 * 1024, 0),
        meminfo(100_000, 50_001 + 16 * 1024, 0),
        meminfo(100_001, 50_000, 0),
        meminfo(100_000, 50_000, 2048),
    ]
    .map(|after| before.holds(after));

    assert_eq!(fits, [true, false, false, false]);
}

#[test]
fn pools_and_nodes_are_listed_by_size_and_number() {
    let pool = "sys/kernel/mm/hugepages/hugepages-";
    let node = "sys/devices/system/node/node";
    let (_tree, root) = machine(&[
        (&format!("{pool}1048576kB/nr_hugepages"), "1\n"),
        (&format!("{pool}2048kB/nr_hugepages"), "7\n"),
        (&format!("{node}10/meminfo"), "Node 10 MemTotal: 8 kB\n"),
        (&format!("{node}2/meminfo"), "Node 2 MemTotal: 4 kB\n"),
        ("sys/devices/system/node/online", "2,10\n"),
    ]);
    let mut sampler = sampler(
        root,
        wanted(&["/sys/kernel/mm/hugepages", "/sys/devices/system/node"]),
    );

    let snapshot = take(&mut sampler);

    let pools: Vec<_> = snapshot
        .hugepages
        .iter()
        .map(|pool| (pool.size.kib(), pool.count))
        .collect();
    let total = |node: &NodeMeminfo| {
        node.file
            .get()
            .and_then(|meminfo| meminfo.bytes("MemTotal"))
    };
    let nodes: Vec<_> = snapshot
        .nodes
        .iter()
        .map(|node| (node.id, total(node).map(Bytes::kib)))
        .collect();
    assert_eq!(pools, [(2048, 7), (1_048_576, 1)]);
    assert_eq!(nodes, [(2, Some(4)), (10, Some(8))]);
}

#[test]
fn a_node_that_is_added_with_its_memory_is_found() {
    let node = "sys/devices/system/node/node";
    let (tree, root) = machine(&[
        ("proc/meminfo", MEMINFO),
        (&format!("{node}0/meminfo"), "Node 0 MemTotal: 4 kB\n"),
    ]);
    let mut sampler = sampler(root, wanted(&["/proc/meminfo", "/sys/devices/system/node"]));
    take(&mut sampler);
    put(
        &tree,
        &format!("{node}3/meminfo"),
        "Node 3 MemTotal: 4 kB\n",
    );
    put(&tree, "proc/meminfo", &MEMINFO.replace("1000", "2000"));

    take(&mut sampler);
    let snapshot = take(&mut sampler);

    let nodes: Vec<_> = snapshot.nodes.iter().map(|node| node.id).collect();
    assert_eq!(nodes, [0, 3]);
}

#[test]
fn a_snapshot_that_somebody_holds_is_not_changed() {
    let (tree, root) = machine(&[("proc/meminfo", MEMINFO)]);
    let mut sampler = sampler(root, wanted(&["/proc/meminfo"]));
    let free = |snapshot: &Snapshot| {
        snapshot
            .meminfo()
            .and_then(|meminfo| meminfo.bytes("MemFree"))
    };

    let held = take(&mut sampler);
    put(&tree, "proc/meminfo", &MEMINFO.replace("500", "400"));
    for _ in 0..10 {
        take(&mut sampler);
    }
    let latest = take(&mut sampler);

    assert_eq!(
        (free(&held), free(&latest)),
        (Some(Bytes::from_kib(500)), Some(Bytes::from_kib(400)))
    );
    assert_eq!((held.scan, latest.scan), (1, 12));
}

#[test]
fn a_node_without_memory_that_is_added_does_not_get_the_text_of_another() {
    let node = |id: u64| format!("sys/devices/system/node/node{id}/meminfo");
    let text = |id: u64| format!("Node {id} MemTotal: {id}00 kB\n");
    let (tree, root) = machine(&[(&node(1), &text(1)), (&node(3), &text(3))]);
    let mut sampler = sampler(root, wanted(&["/sys/devices/system/node"]));
    let totals = |snapshot: &Snapshot| -> Vec<(u32, Option<u64>)> {
        let total = |node: &NodeMeminfo| {
            let bytes = node
                .file
                .get()
                .and_then(|meminfo| meminfo.bytes("MemTotal"));
            (node.id, bytes.map(|bytes| bytes.get() >> 10))
        };
        snapshot.nodes.iter().map(total).collect()
    };
    // Whoever holds on to all snapshots makes the sampler make new ones.
    let mut held = vec![take(&mut sampler)];
    assert_eq!(totals(&held[0]), [(1, Some(100)), (3, Some(300))]);

    put(&tree, &node(2), &text(2));
    for _ in 0..4 {
        held.push(take(&mut sampler));
        let last = totals(held.last().unwrap());
        assert!(
            last.iter()
                .all(|(id, total)| *total == Some(u64::from(*id) * 100)),
            "{last:?}"
        );
    }

    assert_eq!(totals(held.last().unwrap()).len(), 3);
}

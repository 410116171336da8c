use super::*;
use crate::config::EvidenceBudget;
use crate::kernel::{Recorded, Root};

fn status(name: &str, kib: u64, threads: u64) -> String {
    format!("Name:\t{name}\nUmask:\t0022\nVmPTE:\t{kib:8} kB\nThreads:\t{threads}\n")
}

fn machine(files: &[(&str, &str)]) -> Root {
    let recorded: Recorded = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).into()))
        .collect();
    Root::Recorded(recorded)
}

/// Returns lines of owner, KiB and note.
fn lines(found: Holdings) -> Vec<String> {
    let held = found.finish().0;
    held.iter()
        .map(|held| format!("{}: {} ({})", held.owner, held.bytes >> 10, held.note))
        .collect()
}

fn listed(meter: &mut Meter<'_>) -> (Processes, Vec<String>) {
    let (mut processes, mut found) = (Processes::default(), Holdings::default());
    collect(meter, PageSize::FOUR_KIB, &mut processes, &mut found).unwrap();
    (processes, lines(found))
}

#[test]
fn page_tables_and_threads_belong_to_programs() {
    let root = machine(&[
        ("proc/9/status", &status("postgres", 4096, 1)),
        ("proc/10/status", &status("postgres", 1024, 4)),
        ("proc/2/status", "Name:\tkworker/0:1\nThreads:\t1\n"),
        ("proc/3/status", "Name:\tkworker/u8:2-events\nThreads:\t9\n"),
        ("proc/4/status", "Name:\t\nThreads:\t9\n"),
        ("proc/5/status", ""),
        ("proc/meminfo", "MemTotal: 1 kB\n"),
    ]);
    let mut meter = Meter::new(&root, EvidenceBudget::default(), false);

    let (processes, lines) = listed(&mut meter);

    assert_eq!(
        lines,
        [
            "page tables of postgres: 5120 (2 processes, PID 9 most)",
            "threads of kworker: 160 (10 threads, 2 processes, PID 3 most)",
            "threads of postgres: 80 (5 threads, 2 processes, PID 10 most)",
        ]
    );
    let pids: Vec<_> = processes.all.iter().map(|process| process.pid).collect();
    assert_eq!(pids, [2, 3, 9, 10]);
}

#[test]
fn pipes_belong_to_the_program_that_has_them_open() {
    let root = machine(&[
        ("proc/sys/fs/pipe-max-size", "1048576\n"),
        ("proc/7/status", &status("leaky", 4, 1)),
        ("proc/7/cgroup", "0::/system.slice/leaky.service\n"),
        ("proc/7/fd/0", "/dev/null"),
        ("proc/7/fd/3", "pipe:[1]"),
        ("proc/7/fd/4", "pipe:[1]"),
        ("proc/7/fd/5", "pipe:[2]"),
        ("proc/7/fd/6", "socket:[3]"),
        ("proc/8/status", &status("leaky", 4, 1)),
        ("proc/8/fd/3", "pipe:[2]"),
    ]);
    let mut meter = Meter::new(&root, EvidenceBudget::default(), false);
    let (mut processes, _) = listed(&mut meter);
    let mut found = Holdings::default();

    collect_descriptors(&mut meter, &mut processes, &mut found).unwrap();

    let (held, _) = found.finish();
    assert_eq!(
        held[0].within.as_deref(),
        Some("/system.slice/leaky.service")
    );
    assert_eq!(
        (&*held[0].owner, &*held[0].note),
        ("pipes of leaky", "2 pipes, PID 7")
    );
    assert_eq!(held[0].bytes, 2 << 20);
    assert_eq!(processes.sockets, HashMap::from([(3, 0)]));
}

#[test]
fn of_more_descriptors_than_there_is_time_for_some_are_seen() {
    let mut files = vec![(
        "proc/7/status".to_owned(),
        status("leaky", 4, 1).into_bytes(),
    )];
    files.extend((0..1000).map(|fd| {
        (
            format!("proc/7/fd/{fd}"),
            format!("pipe:[{fd}]").into_bytes(),
        )
    }));
    let root = Root::Recorded(files.into_iter().collect());
    // Less than the names of all are.
    let budget = EvidenceBudget {
        text_bytes: 2048,
        ..EvidenceBudget::default()
    };
    let mut meter = Meter::new(&root, budget, false);
    let (mut processes, _) = listed(&mut meter);
    let mut found = Holdings::default();

    let result = collect_descriptors(&mut meter, &mut processes, &mut found);

    assert!(matches!(result, Err(Halt::Spent(_))), "{result:?}");
    let pipes = found.finish().0[0].bytes >> 20;
    assert!((100..1000).contains(&pipes), "{pipes}");
}

#[test]
fn sockets_and_rings_belong_to_the_program_that_has_them_open() {
    let root = machine(&[
        ("proc/7/status", &status("tcpdump", 4, 1)),
        ("proc/7/fd/3", "socket:[11]"),
        ("proc/7/fd/4", "socket:[12]"),
        ("proc/7/fd/5", "socket:[13]"),
        ("proc/7/ns/net", "net:[2]"),
        (
            "proc/7/net/packet",
            "sk RefCnt Type Proto Iface R Rmem User Inode\n0 2 3 0000 0 0 131072 0 11\n",
        ),
        (
            "proc/7/net/tcp",
            "0: a b 01 00100000:00000000 00:00000000 00000000 0 0 12 1 0\n",
        ),
        (
            "proc/7/maps",
            "7f0000000000-7f0000400000 rw-s 00000000 00:09 11 socket:[11]\n7f0000000000-7f0000100000 rw-s 00000000 00:09 11 socket:[11]\n",
        ),
    ]);
    let mut meter = Meter::new(&root, EvidenceBudget::default(), false);
    let (mut processes, _) = listed(&mut meter);
    collect_descriptors(&mut meter, &mut processes, &mut Holdings::default()).unwrap();
    let (mut rings, mut queues) = (Holdings::default(), Holdings::default());

    collect_rings(&mut meter, &processes, &mut rings).unwrap();
    collect_queues(&mut meter, &processes, &mut queues).unwrap();

    assert_eq!(
        lines(rings),
        [
            "packet rings of tcpdump: 4096 (PID 7)",
            "packets in queues of tcpdump: 128 (PID 7)"
        ]
    );
    assert_eq!(
        lines(queues),
        [
            "data in sockets of tcpdump: 1024 (PID 7)",
            "other sockets of tcpdump: 416 (2 sockets, PID 7)"
        ]
    );
}

#[test]
fn objects_of_known_size_count_once() {
    let map = "ino:\t1038\nmap_type:\t2\nmap_flags:\t0x0\nmemlock:\t4194304\nmap_id:\t25\n";
    let root = machine(&[
        ("proc/7/status", &status("agent", 4, 1)),
        ("proc/7/fd/3", "anon_inode:bpf-map"),
        ("proc/7/fd/4", "anon_inode:bpf-map"),
        ("proc/7/fd/5", "anon_inode:[io_uring]"),
        ("proc/7/fdinfo/3", map),
        ("proc/7/fdinfo/4", map),
        (
            "proc/7/fdinfo/5",
            "ino:\t5\nSqMask:\t0x7fff\nCqMask:\t0xffff\n",
        ),
    ]);
    let mut meter = Meter::new(&root, EvidenceBudget::default(), false);
    let (mut processes, _) = listed(&mut meter);
    collect_descriptors(&mut meter, &mut processes, &mut Holdings::default()).unwrap();
    let mut found = Holdings::default();

    collect_sizes(&mut meter, &processes, &mut found).unwrap();

    assert_eq!(
        lines(found),
        [
            "BPF maps of agent: 4096 (1 maps, PID 7)",
            "io_uring queues of agent: 4096 (1 rings, PID 7)"
        ]
    );
}

#[test]
fn a_machine_without_processes_has_none() {
    let root = machine(&[("proc/meminfo", "")]);
    let mut meter = Meter::new(&root, EvidenceBudget::default(), false);
    let mut processes = Processes::default();

    let result = collect(
        &mut meter,
        PageSize::FOUR_KIB,
        &mut processes,
        &mut Holdings::default(),
    );

    assert!(matches!(result, Err(Halt::Missing)));
}

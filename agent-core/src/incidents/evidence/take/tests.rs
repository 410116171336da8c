use proptest::prelude::*;

use super::*;
use std::time::Duration;

use adaptivemm_module_api::units::PageSize;

use crate::base::clock::Moment;
use crate::config::EvidenceBudget;
use crate::incidents::evidence::{Class, SourceStatus, Trigger};
use crate::kernel::{Recorded, Root};

fn machine<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Root {
    let files = files.into_iter();
    let recorded: Recorded = files
        .map(|(path, text)| (path.to_owned(), text.into()))
        .collect();
    Root::Recorded(recorded)
}

pub(super) fn take(root: &Root, why: Trigger, budget: EvidenceBudget) -> (Evidence, Vec<RawText>) {
    Evidence::take(&EvidenceRequest {
        root,
        page_size: PageSize::FOUR_KIB,
        at: Moment {
            time: "2026-11-28T00:00:00Z".into(),
            uptime_ms: 1000,
        },
        why,
        levels: Vec::new(),
        budget,
        wants_census: true,
    })
}

const SLAB: (&str, &str) = (
    "proc/slabinfo",
    "kmalloc-1k 1 1 1024 16 4 : tunables 0 0 0 : slabdata 575 575 0\ndentry 1 1 192 21 1 : tunables 0 0 0 : slabdata 900 900 0\n",
);

#[test]
fn a_machine_that_has_nothing_says_why_for_each_source() {
    let root = machine([]);

    let (evidence, raw) = take(&root, Trigger::Incident, EvidenceBudget::default());

    assert_eq!((evidence.levels.len(), raw.len()), (0, 0));
    assert_eq!(evidence.sources.len(), 15);
    for seen in &evidence.sources {
        let SourceStatus::Absent { why } = &seen.standing else {
            panic!("{seen:?}");
        };
        assert!(why.len() > 20, "{why}");
    }
}

#[test]
fn without_time_nothing_is_asked_and_the_census_only_when_it_is_wanted() {
    let root = machine([SLAB]);
    let budget = EvidenceBudget {
        cpu: Duration::ZERO,
        ..EvidenceBudget::default()
    };

    let (evidence, _) = take(&root, Trigger::Routine, budget);

    let (census, others) = evidence.sources.split_last().unwrap();
    for source in others {
        let is_cut = matches!(&source.standing, SourceStatus::Cut { why } if why.contains("time"));
        assert!(is_cut, "{source:?}");
    }
    assert!(matches!(census.standing, SourceStatus::Absent { .. }));
}

#[test]
fn caches_that_can_be_reclaimed_are_not_evidence() {
    let by_name = machine([SLAB]);
    let by_flag = machine([
        SLAB,
        ("sys/kernel/slab/kmalloc-1k/reclaim_account", "1\n"),
        ("sys/kernel/slab/dentry/reclaim_account", "0\n"),
    ]);

    let caches = [by_name, by_flag].map(|root| {
        let (evidence, _) = take(&root, Trigger::Routine, EvidenceBudget::default());
        let slab = &evidence.sources[0];
        slab.held
            .iter()
            .map(|held| held.owner.clone())
            .collect::<Vec<_>>()
    });

    assert_eq!(caches, [["kmalloc-1k"], ["dentry"]]);
}

#[test]
fn texts_are_kept_for_an_incident_only_and_without_addresses() {
    let peers = (
        "proc/net/tcp",
        "0: 0100007F:07E8 0100007F:A1B2 01 0:0 0 0 0 0 12\n",
    );
    let root = machine([SLAB, peers, ("proc/meminfo", "Percpu: 4 kB\n")]);

    let (_, routine) = take(&root, Trigger::Routine, EvidenceBudget::default());
    let (evidence, incident) = take(&root, Trigger::Incident, EvidenceBudget::default());

    let paths: Vec<_> = incident.iter().map(|raw| raw.path.as_str()).collect();
    assert_eq!(
        (routine.len(), paths),
        (0, vec!["/proc/meminfo", "/proc/slabinfo"])
    );
    assert_eq!(incident[1].text, SLAB.1.as_bytes());
    assert_eq!(evidence.levels, BTreeMap::from([(Class::PerCpu, 4096)]));
    assert_eq!(evidence.taken.why, "incident");
}

/// Generates what the parsers look for, and what they should not stumble over.
fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            "[ \t]|\n| : |: slabdata |=|-|\\+0x1/0x2|\\[m\\]|0x",
            "pages=|vmalloc|vmap|ioremap|func:|a\\.c:1|mem|memory|TCP:|kernel|slab_unreclaimable",
            "Name:|VmPTE:|Threads:| kB|pipe:\\[|socket:\\[|\\]|anon_inode:bpf-map|memlock:|map_id:|ino:",
            "SqMask:|CqMask:|UserBufs:|nr_base_pages: |stack_count: |size:|exp_name:",
            "[0-9]{1,20}",
            "[0-9a-f]{1,17}",
            Just("\u{e9}\u{0}\u{1b}".to_owned()),
        ],
        0..40,
    )
    .prop_map(|pieces| pieces.concat())
}

const FILES: [&str; 20] = [
    "proc/meminfo",
    "proc/modules",
    "proc/slabinfo",
    "proc/vmallocinfo",
    "proc/allocinfo",
    "proc/net/sockstat",
    "proc/net/protocols",
    "proc/net/packet",
    "proc/net/tcp",
    "sys/fs/cgroup/memory.stat",
    "sys/fs/cgroup/a/memory.stat",
    "proc/7/status",
    "proc/7/cgroup",
    "proc/7/maps",
    "proc/7/fd/3",
    "proc/7/fdinfo/3",
    "sys/kernel/debug/page_owner_stacks/show_stacks",
    "sys/kernel/debug/dma_buf/bufinfo",
    "sys/block/zram0/mm_stat",
    "proc/kpageflags",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_the_files_hold_evidence_stays_in_its_bounds(texts in prop::collection::vec(any_text(), FILES.len())) {
        let files = FILES.iter().zip(&texts).map(|(path, text)| (*path, text.as_str()));
        let cgroups = ("sys/fs/cgroup/cgroup.controllers", "memory");
        let root = machine(files.chain([cgroups, ("proc/8/status", "Name: x\nThreads: 9\n"), ("proc/8/fd/3", "anon_inode:bpf-map")]));

        let (evidence, _) = take(&root, Trigger::Incident, EvidenceBudget::default());

        for seen in &evidence.sources {
            prop_assert!(seen.held.is_sorted_by(|a, b| a.bytes >= b.bytes));
            for held in &seen.held {
                prop_assert!(held.bytes >= 64 << 10 && held.owner.len() <= 160);
                prop_assert!(!held.owner.contains(char::is_control));
            }
        }
    }
}

//! Evidence from the files of real kernels: who is named, and what stays unexplained.
//!
//! The recordings hold all files that the collectors read, in the order idle, kmalloc, vmalloc, percpu, pages, idle,
//! pipes; their headers say what happened.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use adaptivemm_module_api::units::PageSize;
use agent_core::base::clock::Moment;
use agent_core::config::EvidenceBudget;
use agent_core::incidents::evidence::{
    Class, Comparison, Evidence, EvidenceRequest, Level, SourceStatus, Trigger,
};
use agent_core::kernel::trace::Reader;
use agent_core::kernel::{Recorded, Root};

/// Which frame is which.
const IDLE: usize = 0;
const KMALLOC: usize = 1;
const VMALLOC: usize = 2;
const PER_CPU: usize = 3;
const PAGES: usize = 4;
const IDLE_AGAIN: usize = 5;
const PIPES: usize = 6;

struct Kernel {
    name: &'static str,
    /// What memleak said in each frame: unaccounted memory, in bytes.
    unaccounted: [i64; 7],
}

const KERNELS: [Kernel; 2] = [
    Kernel {
        name: "kernel-6.1",
        unaccounted: [
            2_568_192, 2_555_904, 2_670_592, 2_863_104, 53_202_944, 2_887_680, 36_179_968,
        ],
    },
    Kernel {
        name: "kernel-6.12",
        unaccounted: [
            2_523_136, 2_551_808, 2_596_864, 2_854_912, 53_133_312, 2_809_856, 29_937_664,
        ],
    },
];

impl Kernel {
    /// The machine in each frame.
    fn machines(&self) -> Vec<Root> {
        let file = format!("tests/integration/evidence/{}.jsonl.zst", self.name);
        let mut reader = Reader::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let (mut files, mut machines) = (BTreeMap::new(), Vec::new());
        while let Some(frame) = reader.next_frame().unwrap() {
            for (path, text) in frame.files {
                match text {
                    Some(text) => files.insert(path, text.into_bytes()),
                    None => files.remove(&path),
                };
            }
            machines.push(Root::Recorded(Recorded::clone(&files)));
        }
        machines
    }

    fn evidence(&self) -> Vec<Evidence> {
        let machines = self.machines();
        let take = |(root, bytes): (&Root, &i64)| {
            let request = EvidenceRequest {
                root,
                page_size: PageSize::FOUR_KIB,
                at: Moment {
                    time: String::new(),
                    uptime_ms: 0,
                },
                why: Trigger::Incident,
                levels: vec![Level {
                    class: Class::Unaccounted,
                    bytes: *bytes,
                }],
                budget: EvidenceBudget {
                    cpu: Duration::from_secs(60),
                    ..EvidenceBudget::default()
                },
                wants_census: false,
            };
            Evidence::take(&request).0
        };
        machines.iter().zip(&self.unaccounted).map(take).collect()
    }
}

/// The first owner, its class, and how much of all growth it explains.
fn first(before: &Evidence, after: &Evidence) -> (String, Class, f64) {
    let comparison = Comparison::between(before, after);
    let first = &comparison.explanations[0];
    (first.owner.clone(), first.class, first.share_percent)
}

#[test]
fn whoever_lost_the_memory_is_named_first() {
    for kernel in KERNELS {
        let seen = kernel.evidence();

        let (cache, class, share) = first(&seen[IDLE], &seen[KMALLOC]);
        assert_eq!(
            (&*cache, class),
            ("kmalloc-1k", Class::Slab),
            "{}",
            kernel.name
        );
        assert!(share > 95.0, "{share}");

        let (caller, class, share) = first(&seen[IDLE], &seen[VMALLOC]);
        let expected = ("lose_vmalloc [memleak_sim]", Class::Vmalloc);
        assert_eq!((&*caller, class), expected, "{}", kernel.name);
        assert!(share > 90.0, "{share}");

        let (owner, class, _) = first(&seen[IDLE_AGAIN], &seen[PIPES]);
        assert_eq!(class, Class::Unaccounted, "{}", kernel.name);
        assert!(owner.starts_with("pipes of "), "{}: {owner}", kernel.name);
    }
}

#[test]
fn memory_that_no_source_sees_stays_unexplained() {
    for kernel in KERNELS {
        let seen = kernel.evidence();
        let percent = |at: usize| {
            let comparison = Comparison::between(&seen[IDLE], &seen[at]);
            comparison.unexplained_bytes * 100 / comparison.growth_bytes
        };

        assert!(percent(PAGES) > 80, "{}: {}", kernel.name, percent(PAGES));
        // The kernel's notes beside per-CPU memory are seen, itself is not.
        assert!(
            (25..60).contains(&percent(PER_CPU)),
            "{}: {}",
            kernel.name,
            percent(PER_CPU)
        );
    }
}

#[test]
fn modules_that_were_loaded_meanwhile_are_told() {
    for kernel in KERNELS {
        let seen = kernel.evidence();

        let comparison = Comparison::between(&seen[IDLE], &seen[KMALLOC]);

        assert_eq!(comparison.modules_loaded, ["memleak_sim"]);
    }
}

#[test]
fn every_source_was_read_or_says_why_not() {
    for kernel in KERNELS {
        for seen in kernel.evidence().last().unwrap().sources.clone() {
            let is_well = match &seen.standing {
                SourceStatus::Read => true,
                SourceStatus::Absent { why } => why.len() > 20,
                SourceStatus::Failed { .. }
                | SourceStatus::Cut { .. }
                | SourceStatus::Denied { .. } => false,
            };
            assert!(is_well, "{}: {seen:?}", kernel.name);
        }
    }
}

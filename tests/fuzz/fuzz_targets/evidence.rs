//! Evidence of a machine whose kernel files hold anything: it is taken, fits into its bounds, is the same when it is taken
//! again, and survives being written down. Two of them can be compared, and nobody explains more than there is.
#![no_main]

use std::time::Duration;

use adaptivemm_module_api::units::PageSize;
use agent_core::incidents::evidence::{Comparison, Evidence, RawText, EvidenceRequest, Trigger};
use agent_core::config::EvidenceBudget;
use agent_core::base::clock::Moment;
use agent_core::kernel::{Recorded, Root};
use libfuzzer_sys::fuzz_target;

/// Where one file ends and the next begins.
const FORM_FEED: u8 = b'\x0c';

/// The files of a machine, in the order in which the input has them; those of a second moment follow.
const FILES: [&str; 27] = [
    "proc/meminfo",
    "proc/modules",
    "proc/slabinfo",
    "proc/vmallocinfo",
    "proc/allocinfo",
    "proc/net/sockstat",
    "proc/net/sockstat6",
    "proc/net/protocols",
    "proc/net/packet",
    "proc/net/tcp",
    "proc/net/udp6",
    "sys/fs/cgroup/cgroup.controllers",
    "sys/fs/cgroup/memory.stat",
    "sys/fs/cgroup/a/memory.stat",
    "sys/fs/cgroup/memory/memory.kmem.usage_in_bytes",
    "proc/7/status",
    "proc/7/cgroup",
    "proc/7/maps",
    "proc/7/fd/3",
    "proc/7/fd/4",
    "proc/7/fdinfo/3",
    "proc/7/fdinfo/4",
    "sys/kernel/debug/page_owner_stacks/show_stacks",
    "sys/kernel/debug/dma_buf/bufinfo",
    "sys/block/zram0/mm_stat",
    "proc/vmstat",
    "proc/kpageflags",
];

fuzz_target!(|data: &[u8]| {
    let mut texts = data.split(|&byte| byte == FORM_FEED);
    let mut machine = || {
        let files = FILES.iter().map_while(|path| Some((*path, texts.next()?)));
        let recorded: Recorded = files.map(|(path, text)| (path.to_owned(), text.to_vec())).collect();
        Root::Recorded(recorded)
    };
    let [before, after] = [machine(), machine()].map(|root| {
        let (evidence, raw) = take(&root);
        check(&evidence, &raw);
        assert_eq!(take(&root).0, evidence);
        evidence
    });
    for (from, to) in [(&before, &after), (&after, &before)] {
        compare(from, to);
    }
});

/// Without what it cost, which differs each time.
fn take(root: &Root) -> (Evidence, Vec<RawText>) {
    let (mut evidence, raw) = Evidence::take(&EvidenceRequest {
        root,
        page_size: PageSize::FOUR_KIB,
        at: Moment {
            time: String::new(),
            uptime_ms: 0,
        },
        why: Trigger::Incident,
        levels: Vec::new(),
        budget: EvidenceBudget {
            cpu: Duration::from_secs(3600),
            ..EvidenceBudget::default()
        },
        wants_census: true,
    });
    evidence.taken.cpu_us = 0;
    for seen in &mut evidence.sources {
        seen.cpu_us = 0;
    }
    (evidence, raw)
}

fn check(evidence: &Evidence, raw: &[RawText]) {
    assert!(raw.iter().map(|raw| raw.text.len()).sum::<usize>() <= 8 << 20);
    for seen in &evidence.sources {
        assert!(seen.held.len() <= 200);
        assert!(seen.held.is_sorted_by(|a, b| a.bytes >= b.bytes));
        for held in &seen.held {
            let shown = format!("{}{}", held.owner, held.note);
            assert!(!shown.contains(char::is_control) && shown.len() <= 320, "{shown:?}");
            assert!(held.bytes >= seen.least && held.bytes >= 64 << 10);
        }
    }
    let written = serde_json::to_string(evidence).expect("it can be written");
    let read: Evidence = serde_json::from_str(&written).expect("it can be read");
    assert_eq!(&read, evidence);
}

fn compare(before: &Evidence, after: &Evidence) {
    let comparison = Comparison::between(before, after);
    assert!(comparison.unexplained_bytes <= comparison.growth_bytes);
    for line in &comparison.explanations {
        let growth = comparison.growth.iter().find(|growth| growth.class == line.class);
        let growth = growth.expect("a class that grew");
        let rise = i128::from(growth.after_bytes) - i128::from(growth.before_bytes);
        assert!(i128::from(line.explained_bytes) <= rise, "{line:?}");
        assert!((0.0..=100.0).contains(&line.share_percent), "{line:?}");
    }
}

//! Who is named on a kernel that counts who allocated what: on files of Linux 6.12.117, built from Debian's source with
//! `tests/vm/profiled/kernel.config` and booted with `page_owner=on sysctl.vm.mem_profiling=1 cma=256M`.
//!
//! `cargo vm profiled` brings them back for each memory that was lost: 192 MiB of `memleak_sim` or of a DMA heap, or 96 MiB
//! in zram. Kept are owners of 256 KiB and more; only the directory in which `memleak_sim` was built is another.

use std::path::Path;

use adaptivemm_module_api::units::PageSize;
use agent_core::base::clock::Moment;
use agent_core::config::EvidenceBudget;
use agent_core::incidents::evidence::{
    Class, Comparison, Evidence, EvidenceRequest, Explanation, Level, Trigger,
};
use agent_core::kernel::Root;

fn take(tree: &str, unaccounted: Option<i64>) -> Evidence {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/integration/profiled")
        .join(tree);
    let level = |bytes| Level {
        class: Class::Unaccounted,
        bytes,
    };
    let request = EvidenceRequest {
        root: &Root::Directory(path),
        page_size: PageSize::FOUR_KIB,
        at: Moment {
            time: String::new(),
            uptime_ms: 0,
        },
        why: Trigger::Incident,
        levels: unaccounted.map(level).into_iter().collect(),
        budget: EvidenceBudget::default(),
        wants_census: false,
    };
    Evidence::take(&request).0
}

/// The best explanations, a line each. `unaccounted` is what the daemon missed before and after, where it told.
fn explained(leak: &str, unaccounted: Option<(i64, i64)>) -> String {
    let (before, after) = unaccounted.unzip();
    let before = take(&format!("{leak}/before"), before);
    let after = take(&format!("{leak}/after"), after);
    let lines = Comparison::between(&before, &after).explanations;
    let line = |each: &Explanation| {
        let (share, class) = (each.share_percent, each.class.name());
        format!(
            "{share} % of it, {class}: {} ({})\n",
            each.owner, each.source
        )
    };
    lines.iter().take(3).map(line).collect()
}

#[test]
fn pages() {
    let unaccounted = Some((-8192, 201_224_192));
    insta::assert_snapshot!(explained("pages-order0", unaccounted), @r"
    99.9 % of it, unaccounted memory: memleak_sim.c:104 lose_pages [memleak_sim] (/proc/allocinfo)
    99.9 % of it, unaccounted memory: lose_pages < lose < leak (/sys/kernel/debug/page_owner_stacks)
    ");
}

#[test]
fn kmalloc() {
    insta::assert_snapshot!(explained("kmalloc", None), @r"
    98.5 % of it, unreclaimable slab: memleak_sim.c:125 lose_kmalloc [memleak_sim] (/proc/allocinfo)
    100 % of it, unreclaimable slab: lose_kmalloc < lose < leak (/sys/kernel/debug/page_owner_stacks)
    ");
}

#[test]
fn vmalloc() {
    insta::assert_snapshot!(explained("vmalloc", None), @r"
    99.5 % of it, vmalloc memory: memleak_sim.c:136 lose_vmalloc [memleak_sim] (/proc/allocinfo)
    99.5 % of it, vmalloc memory: lose_vmalloc < lose < leak (/sys/kernel/debug/page_owner_stacks)
    2.1 % of it, vmalloc memory: lose_percpu < lose < leak (/sys/kernel/debug/page_owner_stacks)
    ");
}

#[test]
fn per_cpu_memory() {
    insta::assert_snapshot!(explained("percpu", None), @r"
    65.6 % of it, vmalloc memory: memleak_sim.c:152 lose_percpu [memleak_sim] (/proc/allocinfo)
    34.7 % of it, vmalloc memory: lose_percpu < lose < leak (/sys/kernel/debug/page_owner_stacks)
    31.9 % of it, vmalloc memory: pcpu_balance_workfn < process_one_work < worker_thread (/sys/kernel/debug/page_owner_stacks)
    ");
}

#[test]
fn contiguous_memory_is_of_whoever_wanted_it() {
    let unaccounted = Some((1_077_248, 202_428_416));
    insta::assert_snapshot!(explained("dma-cma", unaccounted), @r"
    99.7 % of it, unaccounted memory: cma_heap_allocate < dma_heap_ioctl < __x64_sys_ioctl (/sys/kernel/debug/page_owner_stacks)
    99.7 % of it, unaccounted memory: CMA area reserved (/sys/kernel/mm/cma)
    99.7 % of it, unaccounted memory: mm/cma.c:456 __cma_alloc (/proc/allocinfo)
    ");
}

#[test]
fn swap_in_memory_is_no_leak() {
    insta::assert_snapshot!(explained("zram", None), @"17.3 % of it, vmalloc memory: drivers/block/zram/zram_drv.c:1341 zram_meta_alloc (/proc/allocinfo)");
}

//! `page_owner_stacks/show_stacks` (6.9 and newer): pages by the calls that allocated them.
//!
//! The older `page_owner` has several lines for each page of the machine, and is not read.

use adaptivemm_module_api::units::{PageSize, Pages};

use super::budget::Halt;
use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::Meter;
use super::programs;

const DEBUGFS: &str = "/sys/kernel/debug";
const PATH: &str = "/sys/kernel/debug/page_owner_stacks/show_stacks";

/// The number of calls that name an owner.
const CALLS: usize = 3;

/// Functions of these beginnings only pass the allocation on.
const PLUMBING: [&str; 29] = [
    "___kmalloc",
    "___slab_alloc",
    "__alloc_",
    "__cma_alloc",
    "__folio_alloc",
    "__get_free_pages",
    "__kmalloc",
    "__kvmalloc",
    "__page_cache_alloc",
    "__slab_alloc",
    "__vmalloc",
    "alloc_",
    "allocate_slab",
    "cma_alloc",
    "folio_alloc",
    "get_free_pages",
    "get_page_from_freelist",
    "get_zeroed_page",
    "kmem_cache_alloc",
    "kvmalloc",
    "new_slab",
    "pcpu_alloc",
    "pcpu_create_chunk",
    "pcpu_mem_zalloc",
    "pcpu_populate_chunk",
    "post_alloc_hook",
    "prep_new_page",
    "vmalloc",
    "vzalloc",
];

/// The functions whose allocations the kernel counts elsewhere: `nr_zspages` of `/proc/vmstat`.
const ACCOUNTED: [&str; 2] = ["zs_malloc", "alloc_zspage"];

/// The functions that take the stacks of threads from vmalloc.
const FORKS: [&str; 2] = ["copy_process", "dup_task_struct"];

/// The name of a call whose module is gone: the kernel has only its address then.
const GONE: &str = "a module that was unloaded";

/// Adds up stacks by their innermost calls.
pub(super) fn collect(
    meter: &mut Meter<'_>,
    page_size: PageSize,
    found: &mut Holdings,
) -> Result<(), Halt> {
    let mut stack = Stack::default();
    let mut stacks = 0_u64;
    if meter.list(DEBUGFS)?.is_empty() {
        return Err(Halt::Useless(format!(
            "debugfs is not mounted, or may not be seen: mount -t debugfs none {DEBUGFS}"
        )));
    }
    meter.lines(PATH, |line| {
        if let Some(pages) = count(line) {
            stacks += 1;
            if let Some(owner) = stack.owner() {
                let (class, certainty) = stack.class();
                found.add(
                    class,
                    certainty,
                    &owner,
                    Pages::new(pages).bytes(page_size).get(),
                );
            }
            stack = Stack::default();
        } else if let Some(call) = call(line) {
            stack.push(call);
        }
    })?;
    if stacks == 0 {
        return Err(Halt::Useless(
            "page_owner is off: boot with page_owner=on".to_owned(),
        ));
    }
    Ok(())
}

/// `nr_base_pages: 12` ends a stack; it was `stack_count` at first.
fn count(line: &str) -> Option<u64> {
    let (key, count) = line.split_once(": ")?;
    matches!(key.trim(), "nr_base_pages" | "stack_count").then_some(())?;
    count.trim().parse().ok()
}

/// The function in ` name+0x1f/0x40 [module]`, or ` 0xffffffffa00002d3` of a module that is gone.
fn call(line: &str) -> Option<&str> {
    let line = line.trim();
    if let Some(address) = line.strip_prefix("0x") {
        return u64::from_str_radix(address, 16).is_ok().then_some(GONE);
    }
    let name = line.split_once("+0x")?.0;
    (!name.is_empty() && !name.contains(' ')).then_some(name)
}

/// The calls of an allocation, the innermost first, as far as they matter.
#[derive(Debug, Default)]
struct Stack {
    calls: Vec<String>,
    is_of_programs: bool,
    plumbing: Option<Class>,
}

impl Stack {
    fn push(&mut self, call: &str) {
        self.is_of_programs |= programs::is_function(call);
        if call == GONE && self.calls.last().is_some_and(|last| last == GONE) {
            return;
        }
        let is_plumbing = PLUMBING.iter().any(|start| call.starts_with(start));
        if is_plumbing && self.calls.is_empty() {
            self.plumbing = self.plumbing.or(class_of(call));
        } else if self.calls.len() < CALLS {
            self.calls.push(call.to_owned());
        }
    }

    fn owner(&self) -> Option<String> {
        let innermost = self.calls.first()?;
        let is_accounted = ACCOUNTED.iter().any(|start| innermost.starts_with(start));
        (!is_accounted).then(|| self.calls.join(" < "))
    }

    fn class(&self) -> (Option<Class>, Certainty) {
        let is_fork = self
            .calls
            .first()
            .is_some_and(|call| FORKS.contains(&call.as_str()));
        if self.plumbing == Some(Class::Vmalloc) && is_fork {
            (Some(Class::Stacks), Certainty::Exact)
        } else if self.plumbing == Some(Class::Slab) {
            // The allocation needed a new slab, which others may use, too.
            (self.plumbing, Certainty::AtMost)
        } else if self.plumbing.is_some() {
            (self.plumbing, Certainty::Exact)
        } else if self.calls.iter().any(|call| is_of_tables(call)) {
            (Some(Class::PageTables), Certainty::Exact)
        } else if self.is_of_programs {
            (Some(Class::Orphans), Certainty::AtMost)
        } else {
            (None, Certainty::Exact)
        }
    }
}

/// The class that a function which passes allocations on gives away.
fn class_of(call: &str) -> Option<Class> {
    if call.contains("slab") || call.contains("kmem_cache") || call.starts_with("__kmalloc") {
        Some(Class::Slab)
    } else if call.starts_with("__vmalloc") {
        Some(Class::Vmalloc)
    } else if call.starts_with("alloc_thread_stack") {
        Some(Class::Stacks)
    } else if call.starts_with("pcpu_populate_chunk") {
        Some(Class::PerCpu)
    } else {
        None
    }
}

/// Returns true if a call allocates page tables of programs; the kernel counts no others.
fn is_of_tables(call: &str) -> bool {
    (call.contains("pte_alloc") || call.contains("pmd_alloc")) && !call.contains("_kernel")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EvidenceBudget;
    use crate::incidents::evidence::Holding;
    use crate::kernel::{Recorded, Root};

    fn collected(text: &str) -> (Vec<Holding>, Result<(), Halt>) {
        let file = PATH.trim_start_matches('/').to_owned();
        let root = Root::Recorded(Recorded::from([(file, text.into())]));
        let mut found = Holdings::default();
        let mut meter = Meter::new(&root, EvidenceBudget::default(), false);
        let result = collect(&mut meter, PageSize::FOUR_KIB, &mut found);
        (found.finish().0, result)
    }

    /// Stacks of Linux 6.12.117, built from Debian's source with `tests/vm/profiled/kernel.config`, as
    /// `cargo vm profiled` brings them back. `{}` is what all but that of contiguous memory begin with.
    const REAL: [(&str, u64); 9] = [
        (
            "{} lose_pages+0xa4/0xe0 [memleak_sim]\n lose+0x41/0xb0 [memleak_sim]\n leak+0x121/0x1c0 [memleak_sim]\n kthread+0xac/0xe0\n ret_from_fork+0x28/0x40\n",
            49152,
        ),
        (
            "{} allocate_slab+0x29d/0x450\n ___slab_alloc+0x43e/0xb20\n __kmalloc_noprof+0x1ca/0x2c0\n lose_kmalloc+0x37/0x60 [memleak_sim]\n lose+0x41/0xb0 [memleak_sim]\n leak+0x121/0x1c0 [memleak_sim]\n",
            49140,
        ),
        (
            "{} __vmalloc_node_range_noprof+0x4ed/0x780\n vmalloc_noprof+0x3c/0x50\n lose_vmalloc+0x27/0x90 [memleak_sim]\n lose+0x41/0xb0 [memleak_sim]\n leak+0x121/0x1c0 [memleak_sim]\n",
            46080,
        ),
        (
            "{} pcpu_populate_chunk+0xc1/0x3e0\n pcpu_alloc_noprof+0x408/0x800\n lose_percpu+0x33/0xb0 [memleak_sim]\n lose+0x41/0xb0 [memleak_sim]\n leak+0x121/0x1c0 [memleak_sim]\n",
            21824,
        ),
        (
            " post_alloc_hook+0x99/0x120\n alloc_contig_range_noprof+0x382/0x530\n __cma_alloc+0x12f/0x300\n cma_heap_allocate+0xef/0x230\n dma_heap_ioctl+0x133/0x280\n __x64_sys_ioctl+0x494/0xaa0\n do_syscall_64+0x37/0xb0\n",
            49151,
        ),
        (
            "{} zs_malloc+0x1a4/0x500\n zram_submit_bio+0x74a/0x800\n __submit_bio+0xf8/0x1c0\n",
            16371,
        ),
        (
            "{} __folio_alloc_noprof+0xb/0x20\n shmem_get_folio_gfp.constprop.0+0x1a6/0x620\n shmem_write_begin+0x3d/0x70\n generic_perform_write+0xbd/0x240\n",
            4477,
        ),
        (
            "{} __vmalloc_node_range_noprof+0x4ed/0x780\n __vmalloc_noprof+0x39/0x40\n pcpu_mem_zalloc+0x40/0x80\n pcpu_create_chunk+0xb5/0x150\n pcpu_alloc_noprof+0x6b2/0x800\n 0xffffffffa00002d3\n 0xffffffffa0000041\n 0xffffffffa00001d1\n kthread+0xac/0xe0\n",
            1023,
        ),
        (
            "{} __vmalloc_node_range_noprof+0x4ed/0x780\n copy_process+0xbdd/0x1f20\n kernel_clone+0xa9/0x300\n kernel_thread+0x55/0x60\n",
            102,
        ),
    ];

    fn show_stacks() -> String {
        let beginning = " post_alloc_hook+0x99/0x120\n get_page_from_freelist+0x294/0x1170\n __alloc_pages_noprof+0x110/0x200\n";
        let mut stacks = String::new();
        for (calls, pages) in REAL {
            stacks += &calls.replace("{}", beginning);
            let end = format!("nr_base_pages: {pages}\n\n");
            stacks += &end;
        }
        stacks
    }

    #[test]
    fn pages_belong_to_the_innermost_calls_that_are_not_the_allocator() {
        let (held, result) = collected(&show_stacks());

        assert!(result.is_ok());
        let lines: Vec<_> = held
            .iter()
            .map(|held| (&*held.owner, held.class, held.bytes >> 12))
            .collect();
        let expected = [
            ("lose_pages < lose < leak", None, 49152),
            (
                "cma_heap_allocate < dma_heap_ioctl < __x64_sys_ioctl",
                None,
                49151,
            ),
            ("lose_kmalloc < lose < leak", Some(Class::Slab), 49140),
            ("lose_vmalloc < lose < leak", Some(Class::Vmalloc), 46080),
            ("lose_percpu < lose < leak", Some(Class::PerCpu), 21824),
            (
                "shmem_get_folio_gfp.constprop.0 < shmem_write_begin < generic_perform_write",
                Some(Class::Orphans),
                4477,
            ),
            (
                "a module that was unloaded < kthread",
                Some(Class::Vmalloc),
                1023,
            ),
            (
                "copy_process < kernel_clone < kernel_thread",
                Some(Class::Stacks),
                102,
            ),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_count_had_another_name_at_first() {
        let (held, _) = collected(" leak+0x10/0x20 [leaky]\nstack_count: 32\n\n");

        assert_eq!((&*held[0].owner, held[0].bytes >> 12), ("leak", 32));
    }

    #[test]
    fn a_kernel_that_does_not_track_says_how_to_make_it() {
        let (_, result) = collected("\n");

        assert!(matches!(result, Err(Halt::Useless(why)) if why.contains("page_owner=on")));
    }

    #[test]
    fn odd_lines_are_passed_over() {
        let (held, _) = collected(
            "nr_base_pages: 9999\n+0x1/0x2\nx y+0x1/0x2\nf+0x1\nnr_base_pages: -4\nnr_base_pages: 99999999999999999999\n",
        );

        assert!(held.is_empty(), "{held:?}");
    }
}

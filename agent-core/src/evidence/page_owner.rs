//! `page_owner_stacks/show_stacks` (6.9 and newer): pages by the calls that allocated them.
//!
//! The older `page_owner` has several lines for each page of the machine, and is not read.

use adaptivemm_module_api::units::{PageSize, Pages};

use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::{Halt, Meter};
use super::programs;

const DEBUGFS: &str = "/sys/kernel/debug";
const PATH: &str = "/sys/kernel/debug/page_owner_stacks/show_stacks";

/// So many calls name an owner.
const CALLS: usize = 3;

/// Functions of these beginnings only pass the allocation on.
const PLUMBING: [&str; 17] = [
    "___slab_alloc",
    "__alloc_",
    "__folio_alloc",
    "__get_free_pages",
    "__kmalloc",
    "__page_cache_alloc",
    "__slab_alloc",
    "__vmalloc",
    "alloc_",
    "allocate_slab",
    "folio_alloc",
    "get_free_pages",
    "get_page_from_freelist",
    "get_zeroed_page",
    "kmem_cache_alloc",
    "post_alloc_hook",
    "prep_new_page",
];

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

/// The function in ` name+0x1f/0x40 [module]`.
fn call(line: &str) -> Option<&str> {
    let name = line.trim_start().split_once("+0x")?.0;
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
        let is_plumbing = PLUMBING.iter().any(|start| call.starts_with(start));
        if is_plumbing && self.calls.is_empty() {
            self.plumbing = self.plumbing.or(class_of(call));
        } else if self.calls.len() < CALLS {
            self.calls.push(call.to_owned());
        }
    }

    fn owner(&self) -> Option<String> {
        (!self.calls.is_empty()).then(|| self.calls.join(" < "))
    }

    fn class(&self) -> (Option<Class>, Certainty) {
        let is_of_tables = |call: &String| call.contains("pte_alloc") || call.contains("pmd_alloc");
        if self.plumbing == Some(Class::Slab) {
            // It needed a new slab, which others may use, too.
            (self.plumbing, Certainty::AtMost)
        } else if self.plumbing.is_some() {
            (self.plumbing, Certainty::Exact)
        } else if self.calls.iter().any(is_of_tables) {
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
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Budget, Held};
    use crate::sampler::{Recorded, Root};

    fn collected(text: &str) -> (Vec<Held>, Result<(), Halt>) {
        let file = PATH.trim_start_matches('/').to_owned();
        let root = Root::Recorded(Recorded::from([(file, text.into())]));
        let mut found = Holdings::default();
        let mut meter = Meter::new(&root, Budget::default(), false);
        let result = collect(&mut meter, PageSize::FOUR_KIB, &mut found);
        (found.finish().0, result)
    }

    #[test]
    fn pages_belong_to_the_innermost_calls_that_are_not_the_allocator() {
        let text = "\
 post_alloc_hook+0x1a/0x30
 get_page_from_freelist+0x7e6/0x2140
 __alloc_pages_noprof+0x18a/0x370
 leak+0x10/0x20 [leaky]
 kthread+0xd2/0x100
 ret_from_fork+0x34/0x50
 ret_from_fork_asm+0x1a/0x30
nr_base_pages: 4096

 get_page_from_freelist+0x7e6/0x2140
 alloc_slab_page+0x4e/0xa0
 ___slab_alloc+0x8c3/0x1000
 kmem_cache_alloc_noprof+0x1a/0x20
 getname_flags+0x1/0x2
stack_count: 32

 __alloc_pages+0x18a/0x370
 shmem_alloc_folio+0x1/0x2
nr_base_pages: 64

";
        let (held, result) = collected(text);

        assert!(result.is_ok());
        let lines: Vec<_> = held
            .iter()
            .map(|held| (&*held.owner, held.class, held.bytes >> 12))
            .collect();
        let expected = [
            ("leak < kthread < ret_from_fork", None, 4096),
            ("shmem_alloc_folio", Some(Class::Orphans), 64),
            ("getname_flags", Some(Class::Slab), 32),
        ];
        assert_eq!(lines, expected);
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

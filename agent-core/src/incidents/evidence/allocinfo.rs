//! `/proc/allocinfo` (6.10 and newer): memory by the line of the kernel's source that allocated it.

use std::borrow::Cow;

use super::budget::Halt;
use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::Meter;
use super::programs;

const PATH: &str = "/proc/allocinfo";
const SWITCH: &str = "/proc/sys/vm/mem_profiling";
const OFF: &str = "the profiling of allocations is off: boot with sysctl.vm.mem_profiling=1";

/// The files whose allocations are handed on by others, who have lines of their own: counting them here as well would
/// name the allocator.
///
/// The lines of those who take per-CPU memory have their share of its book-keeping (`mm/percpu.c`) already.
const ALLOCATORS: [&str; 5] = [
    "mm/slub.c",
    "mm/slab.c",
    "mm/percpu.c",
    "mm/percpu-vm.c",
    "mm/percpu-km.c",
];

/// Memory that the kernel counts elsewhere: `nr_zspages` of `/proc/vmstat`.
const ACCOUNTED: &str = "mm/zsmalloc.c";

/// All contiguous memory is of one line, whoever wanted it.
const CONTIGUOUS: &str = "mm/cma.c";

/// The files that have page tables, beside other memory.
const TABLES: [&str; 5] = [
    "pte_alloc_one",
    "__pte_alloc",
    "__pmd_alloc",
    "__pud_alloc",
    "__p4d_alloc",
];

/// The kernel does not say in which class an allocation shows, except where the file gives it away.
pub(super) fn collect(meter: &mut Meter<'_>, found: &mut Holdings) -> Result<(), Halt> {
    let (mut lines, mut total) = (0_u64, 0_u64);
    let result = meter.lines(PATH, |line| {
        let Some(allocation) = allocation(line) else {
            return;
        };
        lines += 1;
        total = total.saturating_add(allocation.bytes);
        if allocation.bytes > 0 && !allocation.is_counted_elsewhere() {
            let (class, certainty) = allocation.class();
            found.add(class, certainty, &allocation.owner(), allocation.bytes);
        }
    });
    match result {
        // The kernel could, but was not told to at boot.
        Err(Halt::Missing) if meter.number(SWITCH).is_some() => {
            return Err(Halt::Useless(OFF.to_owned()));
        }
        other => other?,
    }
    match (lines, total) {
        (0, _) => Err(Halt::Failed(format!(
            "{PATH}: no line is that of an allocation"
        ))),
        (_, 0) => Err(Halt::Useless(OFF.to_owned())),
        _ => Ok(()),
    }
}

/// A line: `bytes calls file:line [module] func:function`.
#[derive(Debug, PartialEq, Eq)]
struct Allocation<'a> {
    bytes: u64,
    place: &'a str,
    module: Option<&'a str>,
    function: &'a str,
}

fn allocation(line: &str) -> Option<Allocation<'_>> {
    let mut words = line.split_ascii_whitespace();
    let bytes: i64 = words.next()?.parse().ok()?;
    let _calls: u64 = words.next()?.parse().ok()?;
    let place = words.next().filter(|place| place.contains(':'))?;
    let (mut module, mut function) = (None, None);
    for word in words {
        if word.starts_with('[') {
            module = Some(word);
        }
        function = function.or(word.strip_prefix("func:"));
    }
    Some(Allocation {
        // Counted on each CPU, so that the sum may be below zero for a moment.
        bytes: u64::try_from(bytes).unwrap_or(0),
        place,
        module,
        function: function?,
    })
}

impl Allocation<'_> {
    fn owner(&self) -> Cow<'_, str> {
        let Self { function, .. } = self;
        Cow::Owned(match self.module {
            Some(module) => format!("{} {function} {module}", self.place_in_module()),
            None => format!("{} {function}", self.place),
        })
    }

    /// Without the directory in which somebody built a module that is not of the kernel's own source.
    fn place_in_module(&self) -> &str {
        match self.place.rsplit_once('/') {
            Some((directory, file)) if directory.starts_with('/') => file,
            _ => self.place,
        }
    }

    fn is_counted_elsewhere(&self) -> bool {
        ALLOCATORS.contains(&self.file()) || self.file() == ACCOUNTED
    }

    fn file(&self) -> &str {
        self.place.split(':').next().unwrap_or_default()
    }

    fn class(&self) -> (Option<Class>, Certainty) {
        let is_table = TABLES.iter().any(|start| self.function.starts_with(start))
            || self.file().ends_with("/pgalloc.h")
            || self.file().ends_with("/pgtable.c");
        if self.file() == CONTIGUOUS {
            (None, Certainty::Charged)
        } else if is_table && self.function.contains("_kernel") {
            // A line of the kernel itself: most kernels count those of programs only.
            (None, Certainty::Exact)
        } else if is_table {
            (Some(Class::PageTables), Certainty::Exact)
        } else if programs::is_file(self.file()) {
            // Pages of programs and files are accounted for as long as somebody owns them.
            (Some(Class::Orphans), Certainty::AtMost)
        } else if self.function.starts_with("alloc_thread_stack") {
            (Some(Class::Stacks), Certainty::Exact)
        } else {
            (None, Certainty::Exact)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EvidenceBudget;
    use crate::incidents::evidence::Holding;
    use crate::kernel::{Recorded, Root};

    fn collected(text: &str) -> (Vec<Holding>, Result<(), Halt>) {
        let root = Root::Recorded(Recorded::from([("proc/allocinfo".to_owned(), text.into())]));
        let mut found = Holdings::default();
        let result = collect(
            &mut Meter::new(&root, EvidenceBudget::default(), false),
            &mut found,
        );
        (found.finish().0, result)
    }

    /// Lines of Linux 6.12.117, built from Debian's source with `tests/vm/profiled/kernel.config`, as
    /// `cargo vm profiled` brings them back; only the directory of `memleak_sim` is another. The last two are made up:
    /// a module of the kernel's own source, and a sum that is below zero for a moment.
    const REAL: &str = "\
allocinfo - version: 1.0
#     <size>  <calls> <tag info>
      837216      255 kernel/fork.c:322 func:alloc_thread_stack_node 
    20312064     4959 mm/shmem.c:1812 func:shmem_alloc_folio 
   201318400    49150 mm/percpu-vm.c:95 func:pcpu_alloc_pages 
   410929152   100704 mm/percpu.c:512 func:pcpu_mem_zalloc 
     1208320      295 mm/memory.c:461 func:__pte_alloc_kernel 
      114688       28 arch/x86/mm/pgtable.c:33 func:pte_alloc_one 
       69632       17 mm/memory.c:6359 func:__pmd_alloc 
     4145152      652 mm/slub.c:2478 func:alloc_slab_page 
   402571264    24571 /var/lib/dkms/memleak_sim/build/memleak_sim.c:152 [memleak_sim] func:lose_percpu 
   100663296    24576 mm/zsmalloc.c:993 func:alloc_zspage 
   201326592    49152 mm/cma.c:456 func:__cma_alloc 
     8388608     2048 drivers/leaky/leaky.c:42 [leaky] func:leak 
    -1048576        0 fs/pipe.c:120 func:anon_pipe_get_page 
";

    #[test]
    fn memory_belongs_to_the_line_that_allocated_it() {
        let (held, result) = collected(REAL);

        assert!(result.is_ok());
        let lines: Vec<_> = held
            .iter()
            .map(|held| (&*held.owner, held.class, held.certainty, held.bytes >> 10))
            .collect();
        let expected = [
            (
                "memleak_sim.c:152 lose_percpu [memleak_sim]",
                None,
                Certainty::Exact,
                393_136,
            ),
            (
                "mm/cma.c:456 __cma_alloc",
                None,
                Certainty::Charged,
                196_608,
            ),
            (
                "mm/shmem.c:1812 shmem_alloc_folio",
                Some(Class::Orphans),
                Certainty::AtMost,
                19_836,
            ),
            (
                "drivers/leaky/leaky.c:42 leak [leaky]",
                None,
                Certainty::Exact,
                8 << 10,
            ),
            (
                "mm/memory.c:461 __pte_alloc_kernel",
                None,
                Certainty::Exact,
                1180,
            ),
            (
                "kernel/fork.c:322 alloc_thread_stack_node",
                Some(Class::Stacks),
                Certainty::Exact,
                817,
            ),
            (
                "arch/x86/mm/pgtable.c:33 pte_alloc_one",
                Some(Class::PageTables),
                Certainty::Exact,
                112,
            ),
            (
                "mm/memory.c:6359 __pmd_alloc",
                Some(Class::PageTables),
                Certainty::Exact,
                68,
            ),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_kernel_that_does_not_count_says_how_to_make_it() {
        let (_, result) = collected("allocinfo - version: 1.0\n 0 0 a.c:1 func:f\n");

        assert!(matches!(result, Err(Halt::Useless(why)) if why.contains("mem_profiling=1")));
    }

    #[test]
    fn a_kernel_that_could_count_says_so_as_well() {
        let switch = "proc/sys/vm/mem_profiling".to_owned();
        let roots =
            [Recorded::new(), Recorded::from([(switch, b"0\n".to_vec())])].map(Root::Recorded);

        let results = roots.map(|root| {
            let mut meter = Meter::new(&root, EvidenceBudget::default(), false);
            collect(&mut meter, &mut Holdings::default())
        });

        let [without, off] = results;
        assert!(matches!(without, Err(Halt::Missing)));
        assert!(matches!(off, Err(Halt::Useless(why)) if why == OFF));
    }

    #[test]
    fn odd_lines_are_passed_over() {
        for line in [
            "",
            "1",
            "1 2",
            "1 2 a.c",
            "1 2 a.c:1",
            "x 2 a.c:1 func:f",
            "1 -2 a.c:1 func:f",
        ] {
            assert_eq!(allocation(line), None, "{line}");
        }
    }
}

//! `/proc/allocinfo` (6.10 and newer): memory by the line of the kernel's source that allocated it.

use std::borrow::Cow;

use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::{Halt, Meter};
use super::programs;

const PATH: &str = "/proc/allocinfo";
const SWITCH: &str = "/proc/sys/vm/mem_profiling";
const OFF: &str = "the profiling of allocations is off: boot with sysctl.vm.mem_profiling=1";

/// What is allocated there is handed on by others, who have lines of their own: counting it here as well would
/// name the allocator.
const ALLOCATORS: [&str; 4] = ["mm/slub.c", "mm/slab.c", "mm/percpu-vm.c", "mm/percpu-km.c"];

/// The kernel does not say in which class an allocation shows, except where the file gives it away.
pub(super) fn collect(meter: &mut Meter<'_>, found: &mut Holdings) -> Result<(), Halt> {
    let (mut lines, mut total) = (0_u64, 0_u64);
    let off = || Halt::Useless(OFF.to_owned());
    let result = meter.lines(PATH, |line| {
        let Some(allocation) = allocation(line) else {
            return;
        };
        lines += 1;
        total = total.saturating_add(allocation.bytes);
        if allocation.bytes > 0 && !ALLOCATORS.contains(&allocation.file()) {
            let (class, certainty) = allocation.class();
            found.add(class, certainty, &allocation.owner(), allocation.bytes);
        }
    });
    match result {
        // The kernel could, but was not told to at boot.
        Err(Halt::Missing) if meter.number(SWITCH).is_some() => return Err(off()),
        other => other?,
    }
    match (lines, total) {
        (0, _) => Err(Halt::Failed(format!(
            "{PATH}: no line is that of an allocation"
        ))),
        (_, 0) => Err(off()),
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
        let Self {
            place, function, ..
        } = self;
        Cow::Owned(match self.module {
            Some(module) => format!("{place} {function} {module}"),
            None => format!("{place} {function}"),
        })
    }

    fn file(&self) -> &str {
        self.place.split(':').next().unwrap_or_default()
    }

    fn class(&self) -> (Option<Class>, Certainty) {
        if programs::is_file(self.file()) {
            // Pages of programs and files are accounted for as long as somebody owns them.
            (Some(Class::Orphans), Certainty::AtMost)
        } else if self.file().ends_with("/pgalloc.h") || self.file().ends_with("/pgtable.c") {
            (Some(Class::PageTables), Certainty::Exact)
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
    use crate::evidence::{Budget, Held};
    use crate::sampler::{Recorded, Root};

    fn collected(text: &str) -> (Vec<Held>, Result<(), Halt>) {
        let root = Root::Recorded(Recorded::from([("proc/allocinfo".to_owned(), text.into())]));
        let mut found = Holdings::default();
        let result = collect(&mut Meter::new(&root, Budget::default(), false), &mut found);
        (found.finish().0, result)
    }

    #[test]
    fn memory_belongs_to_the_line_that_allocated_it() {
        let text = "\
allocinfo - version: 1.0
#     <size>  <calls> <tag info>
     8388608     2048 drivers/leaky/leaky.c:42 [leaky] func:leak 
    99999999     1024 mm/slub.c:2381 func:alloc_slab_page 
    16777216     4096 mm/filemap.c:1950 func:__filemap_get_folio_noprof 
      131072        8 kernel/fork.c:310 func:alloc_thread_stack_node 
    -1048576        0 fs/pipe.c:120 func:anon_pipe_get_page 
";
        let (held, result) = collected(text);

        assert!(result.is_ok());
        let lines: Vec<_> = held
            .iter()
            .map(|held| (&*held.owner, held.class, held.bytes >> 10))
            .collect();
        let expected = [
            (
                "mm/filemap.c:1950 __filemap_get_folio_noprof",
                Some(Class::Orphans),
                16 << 10,
            ),
            ("drivers/leaky/leaky.c:42 leak [leaky]", None, 8 << 10),
            (
                "kernel/fork.c:310 alloc_thread_stack_node",
                Some(Class::Stacks),
                128,
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
            let mut meter = Meter::new(&root, Budget::default(), false);
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

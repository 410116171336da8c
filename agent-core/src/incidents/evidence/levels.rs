//! The size of each class of memory.

use std::collections::BTreeMap;

use super::comparison::{Class, Level};
use super::meter::Meter;
use crate::kernel::Meminfo;

const PATH: &str = "/proc/meminfo";

/// The levels that are known, and for the others what `/proc/meminfo` says.
pub(super) fn complete(meter: &mut Meter<'_>, known: &[Level]) -> BTreeMap<Class, i64> {
    let mut levels: BTreeMap<Class, i64> = known
        .iter()
        .map(|level| (level.class, level.bytes))
        .collect();
    meter.keep_file(PATH);
    let text = meter.text(PATH).unwrap_or_default();
    let Ok(meminfo) = text.parse::<Meminfo>() else {
        return levels;
    };
    for class in Class::ALL {
        if let Some(bytes) = from_meminfo(&meminfo, class) {
            levels.entry(class).or_insert(bytes);
        }
    }
    levels
}

fn from_meminfo(meminfo: &Meminfo, class: Class) -> Option<i64> {
    match class {
        Class::Unaccounted | Class::Orphans => None,
        Class::Slab => bytes(meminfo, "SUnreclaim"),
        // 0 means that the kernel does not know, before 5.3.
        Class::Vmalloc => bytes(meminfo, "VmallocUsed")
            .filter(|used| *used > 0)
            .map(|used| (used - bytes(meminfo, "KernelStack").unwrap_or(0)).max(0)),
        Class::PerCpu => bytes(meminfo, "Percpu"),
        Class::PageTables => Some(
            bytes(meminfo, "PageTables")?
                .saturating_add(bytes(meminfo, "SecPageTables").unwrap_or(0)),
        ),
        Class::Stacks => bytes(meminfo, "KernelStack"),
    }
}

fn bytes(meminfo: &Meminfo, key: &str) -> Option<i64> {
    i64::try_from(meminfo.bytes(key)?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EvidenceBudget;
    use crate::kernel::{Recorded, Root};

    fn levels(meminfo: &str, known: &[Level]) -> Vec<(Class, i64)> {
        let root = Root::Recorded(Recorded::from([(
            "proc/meminfo".to_owned(),
            meminfo.into(),
        )]));
        let mut meter = Meter::new(&root, EvidenceBudget::default(), false);
        complete(&mut meter, known).into_iter().collect()
    }

    #[test]
    fn what_the_module_does_not_say_is_taken_from_meminfo() {
        let meminfo = "SUnreclaim: 4 kB\nKernelStack: 2 kB\nPageTables: 3 kB\nSecPageTables: 1 kB\nVmallocUsed: 7 kB\nPercpu: 5 kB\n";
        let known = [(Class::Unaccounted, -5), (Class::Slab, 9)]
            .map(|(class, bytes)| Level { class, bytes });

        let expected = [
            (Class::Unaccounted, -5),
            (Class::Slab, 9),
            (Class::Vmalloc, 5 << 10),
            (Class::PerCpu, 5 << 10),
            (Class::PageTables, 4 << 10),
            (Class::Stacks, 2 << 10),
        ];
        assert_eq!(levels(meminfo, &known), expected);
    }

    #[test]
    fn what_nobody_says_stays_unknown() {
        assert_eq!(levels("", &[]), []);
        assert_eq!(levels("VmallocUsed: 0 kB\nPercpu: 1", &[]), []);
    }
}

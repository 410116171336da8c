//! `memory.stat` of control groups: what each service is charged for. Version 1 only has one sum for all kernel memory.

use super::budget::Halt;
use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::Meter;

const UNIFIED: &str = "/sys/fs/cgroup";
const LEGACY: &str = "/sys/fs/cgroup/memory";
/// The one number of version 1, in bytes.
const KMEM: &str = "memory.kmem.usage_in_bytes";
/// Groups are looked into until there are so many.
const MOST_GROUPS: usize = 2000;
/// Deeper ones are part of what is above them.
const MOST_LEVELS: usize = 8;

/// Looks at all groups, the outermost first, so that little is lost where time runs out.
pub(super) fn collect(meter: &mut Meter<'_>, found: &mut Holdings) -> Result<(), Halt> {
    let controllers = meter.text(&format!("{UNIFIED}/cgroup.controllers"));
    if controllers.is_ok_and(|all| all.split_ascii_whitespace().any(|each| each == "memory")) {
        return walk(meter, UNIFIED, found, |meter, path| {
            meter
                .text(&format!("{path}/memory.stat"))
                .map(|text| Charges::of(&text))
        });
    }
    let kmem = |meter: &mut Meter<'_>, path: &str| {
        let text = meter.text(&format!("{path}/{KMEM}"))?;
        Ok(Charges::sum(text.trim().parse().unwrap_or(0)))
    };
    kmem(meter, LEGACY)?;
    walk(meter, LEGACY, found, kmem)
}

/// A group, and where the group above it is in the list.
struct Group {
    path: String,
    above: Option<usize>,
    level: usize,
    own: Charges,
}

/// Numbers of a group include those of the groups in it, which are subtracted again.
fn walk(
    meter: &mut Meter<'_>,
    root: &str,
    found: &mut Holdings,
    read: impl Fn(&mut Meter<'_>, &str) -> Result<Charges, Halt>,
) -> Result<(), Halt> {
    let mut groups = vec![Group {
        path: root.to_owned(),
        above: None,
        level: 0,
        own: Charges::default(),
    }];
    let (mut at, mut result) = (0, Ok(()));
    while let Some(Group {
        path, level, above, ..
    }) = groups.get(at)
    {
        let (path, level, above) = (path.clone(), *level, *above);
        match read(meter, &path) {
            Ok(charges) => {
                if let Some(above) = above {
                    groups[above].own.subtract(&charges);
                }
                groups[at].own.add(&charges);
            }
            // The root of version 2 may have none, and a group may go away.
            Err(Halt::Missing | Halt::Failed(_) | Halt::Useless(_)) => {}
            Err(spent) => {
                result = Err(spent);
                break;
            }
        }
        if level < MOST_LEVELS {
            for name in meter.directories(&path).unwrap_or_default() {
                if groups.len() < MOST_GROUPS {
                    groups.push(Group {
                        path: format!("{path}/{name}"),
                        above: Some(at),
                        level: level + 1,
                        own: Charges::default(),
                    });
                }
            }
        }
        at += 1;
    }
    for group in &groups[..at] {
        let name = group
            .path
            .strip_prefix(root)
            .filter(|name| !name.is_empty());
        group.own.hold(name.unwrap_or("/"), found);
    }
    result
}

/// What a group is charged for, in bytes. Below zero for a moment, where a group in it was read later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Charges {
    by_class: [i64; 6],
    /// Of no class that is known.
    kernel: i64,
}

/// Pages of no other figure are what is left of `kernel`.
const CLASSES: [Class; 6] = [
    Class::Unaccounted,
    Class::Slab,
    Class::Vmalloc,
    Class::PerCpu,
    Class::PageTables,
    Class::Stacks,
];

impl Charges {
    fn sum(kernel: i64) -> Self {
        Self {
            kernel,
            ..Self::default()
        }
    }

    /// Lines of `key bytes`. `kernel` is the sum of all of them and of what has no key of its own.
    fn of(text: &str) -> Self {
        let mut charges = Self::default();
        let mut rest = 0_i64;
        let mut has_sum = false;
        for line in text.lines() {
            let Some((key, bytes)) = line.split_once(' ') else {
                continue;
            };
            let bytes: i64 = bytes.parse().unwrap_or(0);
            let class = match key {
                "kernel" => {
                    rest = rest.saturating_add(bytes);
                    has_sum = true;
                    continue;
                }
                // Network buffers are not part of it.
                "sock" => {
                    charges.by_class[0] = charges.by_class[0].saturating_add(bytes);
                    continue;
                }
                "slab_unreclaimable" => Some(1),
                "vmalloc" => Some(2),
                "percpu" => Some(3),
                "pagetables" | "sec_pagetables" => Some(4),
                "kernel_stack" => Some(5),
                "slab_reclaimable" | "zswap" => None,
                _ => continue,
            };
            rest = rest.saturating_sub(bytes);
            if let Some(class) = class {
                charges.by_class[class] = charges.by_class[class].saturating_add(bytes);
            }
        }
        if has_sum {
            charges.by_class[0] = charges.by_class[0].saturating_add(rest);
        }
        charges
    }

    fn add(&mut self, other: &Self) {
        self.combine(other, i64::saturating_add);
    }

    fn subtract(&mut self, other: &Self) {
        self.combine(other, i64::saturating_sub);
    }

    fn combine(&mut self, other: &Self, how: impl Fn(i64, i64) -> i64) {
        self.kernel = how(self.kernel, other.kernel);
        for (own, others) in self.by_class.iter_mut().zip(other.by_class) {
            *own = how(*own, others);
        }
    }

    fn hold(&self, owner: &str, found: &mut Holdings) {
        let mut add = |class, certainty, bytes: i64| {
            if let Ok(bytes @ 1..) = u64::try_from(bytes) {
                found.add(class, certainty, owner, bytes);
            }
        };
        for (class, bytes) in CLASSES.into_iter().zip(self.by_class) {
            add(Some(class), Certainty::Charged, bytes);
        }
        // Everything is in it, such as slab that can be reclaimed.
        add(None, Certainty::AtMost, self.kernel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Budget, Held};
    use crate::sampler::{Recorded, Root};

    const MIB: i64 = 1 << 20;

    fn collected(files: &[(&str, &str)]) -> (Vec<Held>, Result<(), Halt>) {
        let recorded: Recorded = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).into()))
            .collect();
        let root = Root::Recorded(recorded);
        let mut found = Holdings::default();
        let result = collect(&mut Meter::new(&root, Budget::default(), false), &mut found);
        (found.finish().0, result)
    }

    fn lines(held: &[Held]) -> Vec<(&str, Option<Class>, i64)> {
        held.iter()
            .map(|held| {
                (
                    &*held.owner,
                    held.class,
                    i64::try_from(held.bytes).unwrap() / MIB,
                )
            })
            .collect()
    }

    #[test]
    fn pages_of_the_kernel_are_what_is_left_of_its_sum() {
        let stat = "anon 999\nkernel 100\nkernel_stack 1\npagetables 2\nsec_pagetables 3\npercpu 4\nsock 50\nvmalloc 5\nzswap 6\nslab_reclaimable 7\nslab_unreclaimable 8\nslab 15\n";

        let charges = Charges::of(stat);

        assert_eq!(charges.by_class, [100 - 36 + 50, 8, 5, 4, 5, 1]);
    }

    #[test]
    fn a_group_holds_what_the_groups_in_it_do_not() {
        let (held, result) = collected(&[
            ("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n"),
            ("sys/fs/cgroup/memory.stat", "kernel 41943040\n"),
            ("sys/fs/cgroup/a.slice/memory.stat", "kernel 20971520\n"),
            (
                "sys/fs/cgroup/a.slice/b.service/memory.stat",
                "kernel 5242880\nslab_unreclaimable 4194304\n",
            ),
            ("sys/fs/cgroup/a.slice/gone.service/cgroup.procs", ""),
        ]);

        assert!(result.is_ok());
        let expected = [
            ("/", Some(Class::Unaccounted), 20),
            ("/a.slice", Some(Class::Unaccounted), 19),
            ("/a.slice/b.service", Some(Class::Slab), 4),
            ("/a.slice/b.service", Some(Class::Unaccounted), 1),
        ];
        assert_eq!(lines(&held)[1..], expected[1..]);
        assert_eq!(lines(&held)[0], expected[0]);
    }

    #[test]
    fn version_1_has_a_sum() {
        let (held, result) = collected(&[
            (
                "sys/fs/cgroup/memory/memory.kmem.usage_in_bytes",
                "9437184\n",
            ),
            (
                "sys/fs/cgroup/memory/x/memory.kmem.usage_in_bytes",
                "8388608\n",
            ),
        ]);

        assert!(result.is_ok());
        assert_eq!(lines(&held), [("/x", None, 8), ("/", None, 1)]);
        assert_eq!(held[0].certainty, Certainty::AtMost);
    }

    #[test]
    fn a_machine_without_the_controller_has_none() {
        let (_, result) = collected(&[("sys/fs/cgroup/cgroup.controllers", "cpu\n")]);

        assert!(matches!(result, Err(Halt::Missing)));
    }
}

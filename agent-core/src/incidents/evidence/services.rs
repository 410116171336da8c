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
/// Deeper ones are not looked into, and those above them not charged with what these hold.
const MOST_LEVELS: usize = 16;

/// Looks at all groups, the outermost first, so that little is lost where time runs out.
pub(super) fn collect(meter: &mut Meter<'_>, found: &mut Holdings) -> Result<(), Halt> {
    let controllers = meter.text(&format!("{UNIFIED}/cgroup.controllers"));
    if controllers.is_ok_and(|all| all.split_ascii_whitespace().any(|each| each == "memory")) {
        return walk(meter, UNIFIED, found, |meter, path| {
            meter
                .text(&format!("{path}/memory.stat"))
                .map(|text| Charges::from_text(&text))
        });
    }
    legacy_charges(meter, LEGACY)?;
    walk(meter, LEGACY, found, legacy_charges)
}

fn legacy_charges(meter: &mut Meter<'_>, path: &str) -> Result<Charges, Halt> {
    let text = meter.text(&format!("{path}/{KMEM}"))?;
    Ok(Charges::sum(text.trim().parse().unwrap_or(0)))
}

/// A group, and where the group above it is in the list.
struct Group {
    path: String,
    above: Option<usize>,
    level: usize,
    own: Charges,
    /// True if the groups in it, and those in these, are known and were read as far as there is something to read. If
    /// not, what is left of its numbers is theirs as likely as its own.
    is_whole: bool,
}

impl Group {
    fn new(path: String, above: Option<usize>, level: usize) -> Self {
        Self {
            path,
            above,
            level,
            own: Charges::default(),
            is_whole: true,
        }
    }
}

/// The groups of a tree, the outermost first.
struct Groups {
    all: Vec<Group>,
    /// The first one that could not be read for another reason than that it is not there.
    refused: Option<String>,
    count_refused: usize,
}

impl Groups {
    /// Notes what a group is charged for.
    fn charge(&mut self, at: usize, charges: &Charges) {
        if let Some(above) = self.all[at].above {
            self.all[above].own.subtract(charges);
        }
        self.all[at].own.add(charges);
    }

    /// Notes that it is not known what a group, or one in it, holds.
    fn is_unread(&mut self, at: usize) {
        let mut next = Some(at);
        while let Some(at) = next {
            self.all[at].is_whole = false;
            next = self.all[at].above;
        }
    }

    fn is_refused(&mut self, at: usize, why: String) {
        self.is_unread(at);
        self.count_refused += 1;
        self.refused.get_or_insert(why);
    }

    /// The groups in a group are to be read, too.
    fn descend(&mut self, at: usize, names: &[String]) {
        let (path, level) = (self.all[at].path.clone(), self.all[at].level);
        let room = MOST_GROUPS.saturating_sub(self.all.len());
        if names.len() > room || (level >= MOST_LEVELS && !names.is_empty()) {
            self.is_unread(at);
        }
        if level < MOST_LEVELS {
            let below = names.iter().take(room);
            self.all.extend(
                below.map(|name| Group::new(format!("{path}/{name}"), Some(at), level + 1)),
            );
        }
    }
}

/// Numbers of a group include those of the groups in it, which are subtracted again. One with a group in it that was not
/// read is left out: it would be charged with what that one holds.
fn walk(
    meter: &mut Meter<'_>,
    root: &str,
    found: &mut Holdings,
    read: impl Fn(&mut Meter<'_>, &str) -> Result<Charges, Halt>,
) -> Result<(), Halt> {
    let mut groups = Groups {
        all: vec![Group::new(root.to_owned(), None, 0)],
        refused: None,
        count_refused: 0,
    };
    let (mut at, mut result) = (0, Ok(()));
    while at < groups.all.len() {
        if let Err(spent) = look_into(meter, &mut groups, at, &read) {
            result = Err(spent);
            break;
        }
        at += 1;
    }
    for unread in at..groups.all.len() {
        groups.is_unread(unread);
    }
    for group in groups.all.iter().filter(|group| group.is_whole) {
        let name = group
            .path
            .strip_prefix(root)
            .filter(|name| !name.is_empty());
        group.own.hold(name.unwrap_or("/"), found);
    }
    result?;
    groups.refused.map_or(Ok(()), |first| {
        Err(Halt::Denied(format!(
            "{} of {} control groups could not be read, such as {first}",
            groups.count_refused,
            groups.all.len()
        )))
    })
}

/// Reads what a group is charged for, and which groups are in it.
///
/// # Errors
///
/// Returns an error if time or room has run out.
fn look_into(
    meter: &mut Meter<'_>,
    groups: &mut Groups,
    at: usize,
    read: &impl Fn(&mut Meter<'_>, &str) -> Result<Charges, Halt>,
) -> Result<(), Halt> {
    let path = groups.all[at].path.clone();
    match read(meter, &path) {
        Ok(charges) => groups.charge(at, &charges),
        // The root of version 2 may have none, and a group may go away.
        Err(Halt::Missing) => {}
        Err(Halt::Spent(spent)) => return Err(Halt::Spent(spent)),
        Err(Halt::Failed(why) | Halt::Useless(why) | Halt::Partly(why) | Halt::Denied(why)) => {
            groups.is_refused(at, why);
        }
    }
    match meter.directories(&path) {
        Ok(names) => groups.descend(at, &names),
        Err(Halt::Missing) => {}
        Err(Halt::Spent(spent)) => {
            groups.is_unread(at);
            return Err(Halt::Spent(spent));
        }
        Err(Halt::Failed(why) | Halt::Useless(why) | Halt::Partly(why) | Halt::Denied(why)) => {
            groups.is_refused(at, why);
        }
    }
    Ok(())
}

/// The bytes that a group is charged for. They are below zero for a moment, where a group in it was read later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Charges {
    by_class: [i64; 6],
    /// The bytes of no class that is known.
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
    fn from_text(text: &str) -> Self {
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
        for (class, bytes) in CLASSES.into_iter().zip(self.by_class) {
            if let Ok(bytes @ 1..) = u64::try_from(bytes) {
                found.add(Some(class), Certainty::Charged, owner, bytes);
            }
        }
        // Everything is in it, such as slab that can be reclaimed.
        if let Ok(bytes @ 1..) = u64::try_from(self.kernel) {
            found.add(None, Certainty::AtMost, owner, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EvidenceBudget;
    use crate::incidents::evidence::Holding;
    use crate::kernel::{Recorded, Root};

    const MIB: i64 = 1 << 20;

    fn collected(files: &[(&str, &str)]) -> (Vec<Holding>, Result<(), Halt>) {
        let recorded: Recorded = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).into()))
            .collect();
        let root = Root::Recorded(recorded);
        let mut found = Holdings::default();
        let result = collect(
            &mut Meter::new(&root, EvidenceBudget::default(), false),
            &mut found,
        );
        (found.finish().0, result)
    }

    fn lines(held: &[Holding]) -> Vec<(&str, Option<Class>, i64)> {
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

        let charges = Charges::from_text(stat);

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

    /// A slice of 100 services that hold all there is, and files that are so long that not all are read.
    fn crowd(budget: EvidenceBudget) -> (Vec<Holding>, Result<(), Halt>) {
        let pad = "pad 0\n".repeat(200);
        let mut recorded = Recorded::from([
            (
                "sys/fs/cgroup/cgroup.controllers".to_owned(),
                b"memory\n".to_vec(),
            ),
            (
                "sys/fs/cgroup/system.slice/memory.stat".to_owned(),
                format!("kernel {}\n{pad}", 2000 * MIB).into_bytes(),
            ),
        ]);
        recorded.extend((0..100).map(|number| {
            let path = format!("sys/fs/cgroup/system.slice/s{number}.service/memory.stat");
            (path, format!("kernel {}\n{pad}", 20 * MIB).into_bytes())
        }));
        let root = Root::Recorded(recorded);
        let mut found = Holdings::default();
        let result = collect(&mut Meter::new(&root, budget, false), &mut found);
        (found.finish().0, result)
    }

    #[test]
    fn a_group_is_not_charged_with_what_those_in_it_hold_that_were_not_read() {
        for text_bytes in [1 << 10, 8 << 10, 40 << 10, 100 << 10, 4 << 20] {
            let budget = EvidenceBudget {
                cpu: std::time::Duration::from_secs(60),
                text_bytes,
            };

            let (held, result) = crowd(budget);

            let slices: Vec<_> = held
                .iter()
                .filter(|held| !held.owner.ends_with(".service"))
                .collect();
            assert!(slices.is_empty(), "{text_bytes}: {slices:?}");
            assert_eq!(result.is_ok(), text_bytes == 4 << 20, "{text_bytes}");
        }
    }

    #[test]
    fn a_group_with_more_in_it_than_are_looked_into_is_no_holder() {
        let deep = "/x".repeat(MOST_LEVELS + 1);
        let mut files = vec![(
            "sys/fs/cgroup/cgroup.controllers".to_owned(),
            "memory".to_owned(),
        )];
        files.push((
            "sys/fs/cgroup/a/memory.stat".to_owned(),
            format!("kernel {}\n", 40 * MIB),
        ));
        files.extend((1..=MOST_LEVELS + 1).map(|level| {
            let path = format!("sys/fs/cgroup{}/memory.stat", "/x".repeat(level));
            (path, format!("kernel {}\n", 400 * MIB))
        }));
        assert!(files.iter().any(|(path, _)| path.contains(&deep)));
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (&**path, &**text))
            .collect();

        let (held, _) = collected(&files);

        assert_eq!(lines(&held), [("/a", Some(Class::Unaccounted), 40)]);
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

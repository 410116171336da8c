//! Processes as owners, added up by name: a service of many processes is one owner, and stays the same when
//! it is started anew.

use std::collections::HashMap;

use super::Process;
use crate::incidents::evidence::comparison::{Certainty, Class};
use crate::incidents::evidence::holdings::{Holding, Holdings};
use crate::incidents::evidence::meter::Meter;

/// The objects of one kind that processes hold.
#[derive(Debug)]
pub(super) struct Owners {
    /// `pipes`, as in `pipes of cron`.
    what: &'static str,
    /// The unit of what is counted, if it is.
    unit: &'static str,
    by_name: HashMap<String, Owned>,
}

/// The objects that all processes of a name hold.
#[derive(Debug, Default)]
struct Owned {
    bytes: u64,
    objects: u64,
    processes: u64,
    /// The bytes and the PID of the process that holds most.
    largest: (u64, u32),
    /// The process whose objects were counted last.
    last: Option<u32>,
    /// The bytes of the process that was added last.
    last_bytes: u64,
}

impl Owners {
    pub(super) fn new(what: &'static str, unit: &'static str) -> Self {
        Self {
            what,
            unit,
            by_name: HashMap::new(),
        }
    }

    /// `process` holds so many objects more. All of one process are told one after the other.
    pub(super) fn add(&mut self, process: &Process, objects: u64, bytes: u64) {
        if bytes == 0 {
            return;
        }
        if !self.by_name.contains_key(&process.name) {
            self.by_name.insert(process.name.clone(), Owned::default());
        }
        let Some(owned) = self.by_name.get_mut(&process.name) else {
            return;
        };
        if owned.last != Some(process.pid) {
            owned.processes += 1;
            owned.last = Some(process.pid);
            owned.last_bytes = 0;
        }
        owned.last_bytes = owned.last_bytes.saturating_add(bytes);
        owned.largest = owned.largest.max((owned.last_bytes, process.pid));
        owned.bytes = owned.bytes.saturating_add(bytes);
        owned.objects = owned.objects.saturating_add(objects);
    }

    /// Hands over all owners.
    pub(super) fn hold(self, class: Class, certainty: Certainty, found: &mut Holdings) {
        self.hold_with(Some(class), certainty, found, |_| None);
    }

    /// Hands over all owners, with the service of each.
    pub(super) fn hold_within(
        self,
        class: Class,
        certainty: Certainty,
        found: &mut Holdings,
        meter: &mut Meter<'_>,
    ) {
        self.hold_with(Some(class), certainty, found, |pid| service(meter, pid));
    }

    fn hold_with(
        self,
        class: Option<Class>,
        certainty: Certainty,
        found: &mut Holdings,
        mut service: impl FnMut(u32) -> Option<String>,
    ) {
        let Self {
            what,
            unit,
            by_name,
        } = self;
        for (name, owned) in by_name {
            if Holdings::is_too_little(owned.bytes) {
                continue;
            }
            found.push(Holding {
                owner: format!("{what} of {name}"),
                note: owned.note(unit),
                class,
                certainty,
                bytes: owned.bytes,
                within: service(owned.largest.1),
            });
        }
    }
}

impl Owned {
    fn note(&self, unit: &str) -> String {
        let (_, pid) = self.largest;
        let who = match self.processes {
            0 | 1 => format!("PID {pid}"),
            many => format!("{many} processes, PID {pid} most"),
        };
        if unit.is_empty() {
            who
        } else {
            format!("{} {unit}, {who}", self.objects)
        }
    }
}

/// The control group that is charged for the memory of a process, from `/proc/PID/cgroup`.
fn service(meter: &mut Meter<'_>, pid: u32) -> Option<String> {
    let text = meter.text(&format!("/proc/{pid}/cgroup")).ok()?;
    group(&text).map(str::to_owned)
}

/// Lines of `number:controllers:path`. Version 2 has number 0 and no controllers.
fn group(text: &str) -> Option<&str> {
    let mut unified = None;
    for line in text.lines() {
        let mut parts = line.splitn(3, ':');
        let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        if controllers
            .split(',')
            .any(|controller| controller == "memory")
        {
            return Some(path);
        }
        if number == "0" {
            unified = Some(path);
        }
    }
    unified
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_that_of_the_memory_controller() {
        let hybrid = "4:cpu,memory:/a\n1:cpu:/b\n0::/c\n";

        assert_eq!(group(hybrid), Some("/a"));
        assert_eq!(
            group("0::/system.slice/x.service\n"),
            Some("/system.slice/x.service")
        );
        assert_eq!(["", "x", "1:cpu:/b\n"].map(group), [None; 3]);
    }

    #[test]
    fn processes_of_a_name_are_one_owner() {
        let process = |pid, name: &str| Process {
            pid,
            name: name.to_owned(),
            is_program: true,
        };
        let mut owners = Owners::new("pipes", "pipes");
        for (pid, name, objects) in [(1, "init", 1), (7, "web", 2), (7, "web", 3), (9, "web", 4)] {
            owners.add(&process(pid, name), objects, objects << 20);
        }
        let mut found = Holdings::default();
        owners.hold(Class::Unaccounted, Certainty::AtMost, &mut found);

        let (held, _) = found.finish();
        let lines: Vec<_> = held
            .iter()
            .map(|held| (&*held.owner, &*held.note, held.bytes >> 20))
            .collect();
        let expected = [
            ("pipes of web", "9 pipes, 2 processes, PID 7 most", 9),
            ("pipes of init", "1 pipes, PID 1", 1),
        ];
        assert_eq!(lines, expected);
    }
}

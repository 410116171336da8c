//! A snapshot on its way to another process: the text of its files, and the meaning of each.
//!
//! The other side parses again. It is the same program, so it comes to the same numbers, and the meaning of a file
//! is written in one place.

use std::time::Duration;

use adaptivemm_module_api::units::{Bytes, PageSize, Uptime};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::snapshot::{NodeMeminfo, Pool, Reading, Snapshot, Tunable};
use super::tunables;
use super::{
    Buddyinfo, Meminfo, ParseError, ReadError, Vmstat, Wanted, Zoneinfo, page_count, tunable_file,
};

/// The part of a snapshot that one module wants.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireSnapshot<'a> {
    scan: u64,
    uptime: Duration,
    period: Duration,
    page_size: u64,
    steady: bool,
    #[serde(borrow)]
    files: Vec<WireFile<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireFile<'a> {
    place: Place,
    path: &'a str,
    /// 0, or the reason why there is no text.
    errno: i32,
    #[serde(borrow)]
    text: Raw<'a>,
}

/// The place of a file in the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    Meminfo,
    Vmstat,
    Zoneinfo,
    Buddyinfo,
    /// The pool of huge pages of this size, in bytes.
    Pool(u64),
    /// The meminfo of the node with this number.
    Node(u32),
    /// A tunable, with the facts that the text of its file does not say.
    Tunable {
        original: Option<i64>,
        yielded: bool,
    },
    File,
}

impl<'a> WireSnapshot<'a> {
    /// The part of a snapshot that `wanted` names.
    pub(crate) fn from_snapshot(snapshot: &'a Snapshot, wanted: &Wanted) -> Self {
        let mut files = Vec::new();
        let mut add = |wanted: bool, place, file| {
            if wanted {
                files.push(WireFile::new(place, file));
            }
        };
        add(wanted.meminfo, Place::Meminfo, snapshot.meminfo.facts());
        add(wanted.vmstat, Place::Vmstat, snapshot.vmstat.facts());
        add(wanted.zoneinfo, Place::Zoneinfo, snapshot.zoneinfo.facts());
        add(
            wanted.buddyinfo,
            Place::Buddyinfo,
            snapshot.buddyinfo.facts(),
        );
        for pool in &snapshot.hugepages {
            add(
                wanted.hugepages,
                Place::Pool(pool.size.get()),
                pool.file.facts(),
            );
        }
        for node in &snapshot.nodes {
            add(wanted.node_meminfo, Place::Node(node.id), node.file.facts());
        }
        for tunable in &snapshot.tunables {
            let mine = wanted.tunables.iter().any(|knob| knob.name == tunable.name);
            let place = Place::Tunable {
                original: tunable.original,
                yielded: tunable.yielded,
            };
            add(mine, place, tunable.file.facts());
        }
        for file in &snapshot.files {
            add(wanted.files.contains(&file.path), Place::File, file.facts());
        }
        Self {
            scan: snapshot.scan,
            uptime: snapshot.uptime.0,
            period: snapshot.period,
            page_size: snapshot.page_size.bytes().get(),
            steady: snapshot.steady,
            files,
        }
    }
}

/// A file as it was read: its path, its text, and the result of reading it.
type Facts<'a> = (&'a str, &'a [u8], &'a Result<(), ReadError>);

impl<T> Reading<T> {
    fn facts(&self) -> Facts<'_> {
        (&self.path, self.text.bytes(), &self.result)
    }

    /// Takes over a file as it was read elsewhere.
    fn receive(
        &mut self,
        file: &WireFile<'_>,
        parse: impl FnOnce(&mut T, &[u8]) -> Result<(), ParseError>,
    ) {
        self.wanted = true;
        self.text.set(file.text.0);
        self.result = match file.errno {
            0 => parse(&mut self.parsed, file.text.0).map_err(ReadError::from),
            errno => Err(ReadError::Io { errno }),
        };
    }
}

impl<'a> WireFile<'a> {
    fn new(place: Place, (path, text, result): Facts<'a>) -> Self {
        let errno = match result {
            Err(error @ ReadError::Io { .. }) => error.errno(),
            // The other side finds out for itself what is wrong with the text.
            Err(ReadError::Parse(_)) | Ok(()) => 0,
        };
        Self {
            place,
            path,
            errno,
            text: Raw(text),
        }
    }
}

/// A snapshot that comes from another process; kept from scan to scan, as the parsers remember shapes.
#[derive(Debug)]
pub(crate) struct Received(Snapshot);

impl Default for Received {
    fn default() -> Self {
        Self(Snapshot::blank(
            &super::Root::Recorded(super::Recorded::new()),
            &Wanted::default(),
            PageSize::FOUR_KIB,
        ))
    }
}

impl Received {
    /// The last snapshot that was taken over.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.0
    }

    /// Takes over a snapshot. Files that it does not carry are not wanted.
    pub(crate) fn take(&mut self, wire: &WireSnapshot<'_>) {
        let snapshot = &mut self.0;
        snapshot.scan = wire.scan;
        snapshot.uptime = Uptime(wire.uptime);
        snapshot.period = wire.period;
        snapshot.page_size = PageSize::new(wire.page_size).unwrap_or(PageSize::FOUR_KIB);
        snapshot.steady = wire.steady;
        snapshot.meminfo.wanted = false;
        snapshot.vmstat.wanted = false;
        snapshot.zoneinfo.wanted = false;
        snapshot.buddyinfo.wanted = false;
        let mut taken = Taken::default();
        for file in &wire.files {
            taken.file(snapshot, file);
        }
        snapshot.hugepages.truncate(taken.pools);
        snapshot.nodes.truncate(taken.nodes);
        snapshot.tunables.truncate(taken.tunables);
        snapshot.files.truncate(taken.files);
    }
}

/// The number of places of each list that are taken.
#[derive(Default)]
struct Taken {
    pools: usize,
    nodes: usize,
    tunables: usize,
    files: usize,
}

impl Taken {
    fn file(&mut self, snapshot: &mut Snapshot, file: &WireFile<'_>) {
        match file.place {
            Place::Meminfo => snapshot.meminfo.receive(file, Meminfo::update),
            Place::Vmstat => snapshot.vmstat.receive(file, Vmstat::update),
            Place::Zoneinfo => snapshot.zoneinfo.receive(file, Zoneinfo::update),
            Place::Buddyinfo => snapshot.buddyinfo.receive(file, Buddyinfo::update),
            Place::Pool(size) => {
                let size = Bytes::new(size);
                let pool = next(
                    &mut snapshot.hugepages,
                    &mut self.pools,
                    |pool| pool.size == size,
                    || Pool::new(size, file.path),
                );
                let count = &mut pool.count;
                pool.file.receive(file, |(), text| {
                    page_count(text).map(|pages| *count = pages)
                });
            }
            Place::Node(id) => {
                let node = next(
                    &mut snapshot.nodes,
                    &mut self.nodes,
                    |node| node.id == id,
                    || NodeMeminfo::new(id, file.path),
                );
                node.file.receive(file, Meminfo::update);
            }
            Place::Tunable { original, yielded } => {
                if let Some(tunable) = self.tunable(snapshot, file) {
                    tunable.original = original;
                    tunable.yielded = yielded;
                }
            }
            Place::File => {
                let reading = next(
                    &mut snapshot.files,
                    &mut self.files,
                    |reading| reading.path == file.path,
                    || Reading::new(file.path, true),
                );
                reading.receive(file, |(), _| Ok(()));
            }
        }
    }

    fn tunable<'s>(
        &mut self,
        snapshot: &'s mut Snapshot,
        file: &WireFile<'_>,
    ) -> Option<&'s mut Tunable> {
        let knob = tunables::KNOBS.iter().find(|knob| knob.path == file.path)?;
        let taken = next(
            &mut snapshot.tunables,
            &mut self.tunables,
            |tunable| tunable.name == knob.name,
            || Tunable::new(knob),
        );
        let value = &mut taken.value;
        *value = None;
        taken.file.receive(file, |(), text| {
            tunable_file::value(text).map(|number| *value = Some(number))
        });
        Some(taken)
    }
}

/// The next place of a list, if it is that of the same thing; else everything from there on is made anew.
fn next<'l, T>(
    list: &'l mut Vec<T>,
    taken: &mut usize,
    same: impl Fn(&T) -> bool,
    fresh: impl FnOnce() -> T,
) -> &'l mut T {
    let index = *taken;
    *taken += 1;
    if !list.get(index).is_some_and(same) {
        list.truncate(index);
        list.push(fresh());
    }
    &mut list[index]
}

/// Bytes that are carried as they are. (serde would take them one by one.)
#[derive(Debug)]
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowed;
        impl<'de> Visitor<'de> for Borrowed {
            type Value = &'de [u8];

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(bytes)
            }
        }
        deserializer.deserialize_bytes(Borrowed).map(Raw)
    }
}

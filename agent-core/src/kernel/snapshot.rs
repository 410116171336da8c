//! The machine at one moment, as the core holds it and shares it with every module.

use std::time::Duration;

use adaptivemm_module_api::units::{Bytes, PageSize, Pages, Uptime};
use serde_json::{Map, Value, json};

use crate::kernel::tunables::Knob;
use crate::kernel::{Buddyinfo, Meminfo, ParseError, ReadError, Text, Vmstat, Zoneinfo};

/// The kernel files that are wanted, as one scan read them. A snapshot does not change once modules have it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The number of the scan, from 1.
    pub scan: u64,
    /// The time since boot at which it was taken.
    pub uptime: Uptime,
    /// The time between two scans.
    pub period: Duration,
    /// The size of a page of this machine.
    pub page_size: PageSize,
    /// True if memory stood still enough that the files fit together.
    pub steady: bool,
    /// The number of the listing of nodes, pools and files that it has places for.
    pub(crate) layout: u64,
    pub(crate) meminfo: Reading<Meminfo>,
    pub(crate) vmstat: Reading<Vmstat>,
    pub(crate) zoneinfo: Reading<Zoneinfo>,
    pub(crate) buddyinfo: Reading<Buddyinfo>,
    pub(crate) hugepages: Vec<Pool>,
    pub(crate) nodes: Vec<NodeMeminfo>,
    /// The tunables that some module may change.
    pub tunables: Vec<Tunable>,
    pub(crate) files: Vec<Reading<()>>,
}

/// A kernel file: its text, and the meaning of that.
#[derive(Debug, Clone)]
pub(crate) struct Reading<T> {
    pub(crate) path: String,
    pub(crate) wanted: bool,
    pub(crate) text: Text,
    pub(crate) result: Result<(), ReadError>,
    pub(crate) parsed: T,
}

impl<T: Default> Reading<T> {
    pub(crate) fn new(path: &str, wanted: bool) -> Self {
        let nothing_yet = Err(ReadError::Parse(ParseError::new("to have been read", "")));
        Self {
            path: path.to_owned(),
            wanted,
            text: Text::default(),
            result: nothing_yet,
            parsed: T::default(),
        }
    }
}

impl<T> Reading<T> {
    /// The meaning of the file; `None` if it is not wanted or could not be read.
    pub(crate) fn get(&self) -> Option<&T> {
        (self.wanted && self.result.is_ok()).then_some(&self.parsed)
    }
}

/// A pool of huge pages.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) size: Bytes,
    pub(crate) count: u64,
    pub(crate) file: Reading<()>,
}

impl Pool {
    /// A pool that was not read yet.
    pub(crate) fn new(size: Bytes, path: &str) -> Self {
        Self {
            size,
            count: 0,
            file: Reading::new(path, true),
        }
    }
}

/// The meminfo of one node.
#[derive(Debug, Clone)]
pub(crate) struct NodeMeminfo {
    pub(crate) id: u32,
    pub(crate) file: Reading<Meminfo>,
}

impl NodeMeminfo {
    /// The meminfo of a node that was not read yet.
    pub(crate) fn new(id: u32, path: &str) -> Self {
        Self {
            id,
            file: Reading::new(path, true),
        }
    }
}

/// A tunable that some module may change.
#[derive(Debug, Clone)]
pub struct Tunable {
    pub(crate) name: &'static str,
    /// The value now, if it could be read.
    pub value: Option<i64>,
    /// The value before our first change; the same as `value` where we have changed nothing, or somebody
    /// else's value stands.
    pub original: Option<i64>,
    /// True if somebody else set it while we ran, so that it is left alone.
    pub yielded: bool,
    pub(crate) file: Reading<()>,
}

impl Tunable {
    /// A tunable that was not read yet.
    pub(crate) fn new(knob: &Knob) -> Self {
        Self {
            name: knob.name,
            value: None,
            original: None,
            yielded: false,
            file: Reading::new(knob.path, true),
        }
    }
}

impl Snapshot {
    /// `/proc/meminfo`, if it is wanted and could be read.
    #[must_use]
    pub fn meminfo(&self) -> Option<&Meminfo> {
        self.meminfo.get()
    }

    /// The text of one of the other files; `None` if it is not wanted or could not be read.
    pub(crate) fn file(&self, path: &str) -> Option<&[u8]> {
        let file = self.files.iter().find(|file| file.path == path)?;
        file.get().map(|()| file.text.bytes())
    }

    /// Every file that is wanted: its path, its text, and the result of reading it.
    pub fn readings(&self) -> impl Iterator<Item = (&str, &Text, &Result<(), ReadError>)> {
        fn seen<T>(reading: &Reading<T>) -> Option<(&str, &Text, &Result<(), ReadError>)> {
            reading
                .wanted
                .then_some((reading.path.as_str(), &reading.text, &reading.result))
        }
        let named = [
            seen(&self.meminfo),
            seen(&self.vmstat),
            seen(&self.zoneinfo),
            seen(&self.buddyinfo),
        ];
        named
            .into_iter()
            .flatten()
            .chain(self.hugepages.iter().filter_map(|pool| seen(&pool.file)))
            .chain(self.nodes.iter().filter_map(|node| seen(&node.file)))
            .chain(
                self.tunables
                    .iter()
                    .filter_map(|tunable| seen(&tunable.file)),
            )
            .chain(self.files.iter().filter_map(seen))
    }

    /// The whole as one JSON object: amounts in bytes where the kernel says kB, else as it counts.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = json!({
            "uptime_seconds": self.uptime.0.as_secs_f64(),
            "period_seconds": self.period.as_secs_f64(),
            "page_size_bytes": self.page_size.bytes().get(),
            "steady": self.steady,
        });
        if let Some(meminfo) = self.meminfo.get() {
            object["meminfo"] = counters(meminfo.iter());
        }
        if let Some(vmstat) = self.vmstat.get() {
            object["vmstat"] = counters(vmstat.iter());
        }
        if let Some(zoneinfo) = self.zoneinfo.get() {
            object["zones"] = self.zones_to_json(zoneinfo);
        }
        if !self.hugepages.is_empty() {
            let pools = self.hugepages.iter();
            object["hugepages"] = pools
                .filter(|pool| pool.file.get().is_some())
                .map(|pool| json!({ "size_bytes": pool.size.get(), "count": pool.count }))
                .collect();
        }
        let nodes = self.nodes_to_json();
        if !nodes.is_empty() {
            object["nodes"] = nodes.into();
        }
        if !self.tunables.is_empty() {
            let tunables = self.tunables.iter();
            let values = tunables.map(|tunable| (tunable.name.to_owned(), tunable.value.into()));
            object["tunables"] = Value::Object(values.collect());
        }
        object["unreadable"] = self.unreadable();
        object
    }

    fn zones_to_json(&self, zoneinfo: &Zoneinfo) -> Value {
        let zones = zoneinfo.zones().map(|zone| {
            json!({
                "node": zone.node(),
                "name": zone.name(),
                "free_pages": zone.free().map(Pages::get),
                "boost_pages": zone.boost().map(Pages::get),
                "min_pages": zone.min().map(Pages::get),
                "low_pages": zone.low().map(Pages::get),
                "high_pages": zone.high().map(Pages::get),
                "spanned_pages": zone.spanned().map(Pages::get),
                "present_pages": zone.present().map(Pages::get),
                "managed_pages": zone.managed().map(Pages::get),
                "cma_pages": zone.cma().map(Pages::get),
                "per_cpu_pages": zone.per_cpu().map(Pages::get),
                "free_blocks": self.free_blocks(zone.node(), zone.name()),
            })
        });
        zones.collect()
    }

    fn free_blocks(&self, node: u32, name: &str) -> Option<Vec<u64>> {
        let mut rows = self.buddyinfo.get()?.zones();
        rows.find(|(id, zone, _)| (*id, *zone) == (node, name))
            .map(|(_, _, counts)| counts.collect())
    }

    fn nodes_to_json(&self) -> Vec<Value> {
        let mut nodes = Vec::new();
        for node in &self.nodes {
            if let Some(meminfo) = node.file.get() {
                nodes.push(json!({ "id": node.id, "meminfo": counters(meminfo.iter()) }));
            }
        }
        nodes
    }

    fn unreadable(&self) -> Value {
        let failed = self.readings().filter_map(|(path, _, result)| {
            let error = result.as_ref().err()?;
            Some((path.to_owned(), error.to_string().into()))
        });
        Value::Object(failed.collect())
    }
}

fn counters<'a>(counters: impl Iterator<Item = (&'a str, u64)>) -> Value {
    Value::Object(
        counters
            .map(|(key, value)| (key.to_owned(), value.into()))
            .collect::<Map<_, _>>(),
    )
}

//! Traces of machines whose free pages develop as a test wants it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Files, printed};

/// Pages of a node: 4 GiB in pages of 4 KiB.
pub(crate) const NODE: u64 = 1 << 20;
const MIN: u64 = 4_000;
const LOW: u64 = 5_000;
pub(crate) const HIGH: u64 = 6_000;
pub(crate) const WSF: &str = "vm.watermark_scale_factor";
const WSF_FILE: &str = "proc/sys/vm/watermark_scale_factor";

/// What a machine is at one moment; a test changes it from scan to scan.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    /// The free pages of each node, by its number.
    pub(crate) free: BTreeMap<u32, u64>,
    /// Free blocks of order 0, 1, 2, ... of each node; those that are not named have all pages in blocks of order 10.
    pub(crate) blocks: BTreeMap<u32, Vec<u64>>,
    /// Pages that kswapd has reclaimed since boot.
    pub(crate) reclaimed: u64,
    pub(crate) stalls: u64,
    /// Bytes in huge pages.
    pub(crate) hugetlb: u64,
    /// Dentries and inodes.
    pub(crate) objects: u64,
    /// What the trace says of the scale factor; `None` where the kernel has none.
    pub(crate) scale: Option<i64>,
}

impl Moment {
    /// One node with so many free pages.
    pub(crate) fn new(free: u64) -> Self {
        Self {
            free: BTreeMap::from([(0, free)]),
            blocks: BTreeMap::new(),
            reclaimed: 5_000_000,
            stalls: 7,
            hugetlb: 0,
            objects: 100_000,
            scale: Some(10),
        }
    }

    fn files(&self, page_kib: u64) -> BTreeMap<&'static str, Option<String>> {
        let nodes = self.free.len() as u64;
        let meminfo = format!(
            "MemTotal: {} kB\nMemFree: {} kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\nHugetlb: {} kB\n",
            nodes * NODE * page_kib,
            self.free.values().sum::<u64>() * page_kib,
            self.hugetlb >> 10,
        );
        let vmstat = format!(
            "pgsteal_kswapd {}\npgsteal_direct 0\nallocstall_normal {}\nallocstall_movable 0\n",
            self.reclaimed, self.stalls
        );
        let (mut zoneinfo, mut buddyinfo) = (String::new(), String::new());
        for (node, free) in &self.free {
            write!(
                zoneinfo,
                "Node {node}, zone   Normal\n  per-node stats\n      nr_inactive_file {}\n  pages free     {free}\n        \
                 boost    0\n        min      {MIN}\n        low      {LOW}\n        high     {HIGH}\n        \
                 spanned  {NODE}\n        present  {NODE}\n        managed  {NODE}\n  pagesets\n    cpu: 0\n              \
                 count: 0\n",
                NODE / 2
            )
            .unwrap();
            let usual = vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 0, free >> 10];
            let blocks = self.blocks.get(node).unwrap_or(&usual);
            let counts: Vec<String> = blocks.iter().map(|count| format!("{count:6}")).collect();
            writeln!(buddyinfo, "Node {node}, zone   Normal {}", counts.join(" ")).unwrap();
        }
        let objects = self.objects;
        BTreeMap::from([
            ("proc/meminfo", Some(meminfo)),
            ("proc/vmstat", Some(vmstat)),
            ("proc/zoneinfo", Some(zoneinfo)),
            ("proc/buddyinfo", Some(buddyinfo)),
            (
                "proc/sys/fs/dentry-state",
                Some(format!("{objects}\t0\t45\t0\t0\t0\n")),
            ),
            ("proc/sys/fs/inode-nr", Some(format!("{objects}\t0\n"))),
            ("proc/sys/vm/vfs_cache_pressure", Some("100\n".to_owned())),
            (WSF_FILE, self.scale.map(|scale| format!("{scale}\n"))),
        ])
    }
}

/// A trace in the making, with a frame for every second.
#[derive(Debug)]
pub(crate) struct Scene {
    page_kib: u64,
    seconds: u64,
    lines: String,
}

/// Something that was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deed {
    /// Since the first frame.
    pub(crate) second: u64,
    /// Such as `done` or `advised`.
    pub(crate) code: String,
    /// The value of a tunable, or the number of a node.
    pub(crate) value: i64,
}

impl Scene {
    pub(crate) fn new(note: &str) -> Self {
        Self::with_pages_of(4, note)
    }

    /// Of a machine with base pages of so many KiB.
    pub(crate) fn with_pages_of(page_kib: u64, note: &str) -> Self {
        let header = json!({
            "format": "adaptivemm-trace",
            "version": 1,
            "kernel": "6.1.0-28-amd64",
            "arch": "x86_64",
            "page_size": page_kib << 10,
            "period_ms": 1000,
            "note": note,
        });
        Self {
            page_kib,
            seconds: 0,
            lines: format!("{header}\n"),
        }
    }

    /// The next frame. Every file is in it, as a simple recorder would do it.
    pub(crate) fn frame(&mut self, moment: &Moment) {
        let frame = json!({ "t_ms": self.seconds * 1000, "files": moment.files(self.page_kib) });
        writeln!(self.lines, "{frame}").unwrap();
        self.seconds += 1;
    }

    /// So many frames, before each of which `change` changes the machine.
    pub(crate) fn frames(
        &mut self,
        count: u64,
        moment: &mut Moment,
        mut change: impl FnMut(u64, &mut Moment),
    ) {
        for index in 0..count {
            change(index, moment);
            self.frame(moment);
        }
    }

    /// What is printed for programs, with this configuration.
    pub(crate) fn events(&self, config: &str) -> Vec<Value> {
        let files = Files::new(&[("trace.jsonl", &self.lines), ("config.toml", config)]);
        let (trace, config) = (files.path("trace.jsonl"), files.path("config.toml"));
        let text = printed(&["replay", &trace, "-c", &config, "--json"]);
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What is logged, with this configuration.
    pub(crate) fn log(&self, config: &str) -> String {
        let files = Files::new(&[("trace.jsonl", &self.lines), ("config.toml", config)]);
        let (trace, config) = (files.path("trace.jsonl"), files.path("config.toml"));
        printed(&["replay", &trace, "-c", &config])
    }

    /// What a module had done.
    pub(crate) fn outcomes(&self, module: &str, config: &str) -> Vec<Deed> {
        let events = self.events(config);
        let outcomes = events
            .iter()
            .filter(|event| event["kind"] == "action" && event["module"] == module);
        outcomes.map(settled).collect()
    }
}

fn settled(event: &Value) -> Deed {
    let number = |key: &str| event[key].as_i64();
    Deed {
        second: event["t_ms"].as_u64().unwrap() / 1000,
        code: event["code"].as_str().unwrap().to_owned(),
        value: number("value").or(number("node")).unwrap(),
    }
}

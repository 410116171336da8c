//! Traces of machines on which the memory that is unaccounted for develops as a test wants it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Files, printed};
use crate::linked_in::only;

/// Milliseconds between two scans.
pub(crate) const PERIOD: u64 = 30_000;

/// `MemTotal` in kB: 1 % of it is 100 000 kB.
pub(crate) const TOTAL: u64 = 10_000_000;

/// What the formula of the seed adds up, but for `MemFree` and huge pages.
const ACCOUNTED: [&str; 11] = [
    "AnonPages",
    "Buffers",
    "Cached",
    "CmaTotal",
    "KReclaimable",
    "KernelStack",
    "PageTables",
    "SwapCached",
    "SUnreclaim",
    "SecPageTables",
    "Unevictable",
];

/// A machine that is at rest, in kB. Its files fit together in the exact accounting, too.
const AT_REST: [(&str, u64); 25] = [
    ("MemTotal", TOTAL),
    ("MemFree", 0),
    ("Buffers", 50_000),
    ("Cached", 1_000_000),
    ("SwapCached", 0),
    ("Active(anon)", 2_000),
    ("Inactive(anon)", 398_000),
    ("Active(file)", 450_000),
    ("Inactive(file)", 600_000),
    ("Unevictable", 0),
    ("Dirty", 400),
    ("AnonPages", 400_000),
    ("Mapped", 100_000),
    ("KReclaimable", 120_000),
    ("Slab", 200_000),
    ("SReclaimable", 120_000),
    ("SUnreclaim", 80_000),
    ("KernelStack", 8_000),
    ("PageTables", 12_000),
    ("SecPageTables", 0),
    ("VmallocUsed", 30_000),
    ("Percpu", 10_000),
    ("HugePages_Total", 0),
    ("Hugepagesize", 2_048),
    ("Hugetlb", 0),
];

const VMSTAT: &str = "nr_isolated_anon 0\nnr_isolated_file 0\nnr_zspages 0\n";

/// A trace in the making. Amounts are in kB, as the kernel prints them.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    meminfo: Vec<(String, u64)>,
    /// By the size of the pages.
    pools: BTreeMap<u64, u64>,
    /// Free pages on the lists of the CPUs.
    per_cpu: u64,
    has_zones: bool,
    t_ms: u64,
    /// What the files held in the frame before.
    known: BTreeMap<String, String>,
    lines: String,
}

impl Recording {
    /// Of a machine of [`TOTAL`] that is at rest.
    pub(crate) fn new(note: &str) -> Self {
        Self::of_fields(&AT_REST, note).with_zones()
    }

    /// Of a machine of which only these fields and its huge pages are known.
    pub(crate) fn of_fields(fields: &[(&str, u64)], note: &str) -> Self {
        let header = json!({
            "format": "adaptivemm-trace",
            "version": 1,
            "kernel": "6.1.0-28-amd64",
            "arch": "x86_64",
            "page_size": 4096,
            "period_ms": PERIOD,
            "note": note,
        });
        let field = |&(name, kib): &(&str, u64)| (name.to_owned(), kib);
        Self {
            meminfo: fields.iter().map(field).collect(),
            pools: BTreeMap::from([(2_048, 0), (1_048_576, 0)]),
            per_cpu: 5_000,
            has_zones: false,
            t_ms: 0,
            known: BTreeMap::new(),
            lines: format!("{header}\n"),
        }
    }

    fn with_zones(self) -> Self {
        Self {
            has_zones: true,
            ..self
        }
    }

    /// From now on, a field of meminfo is this.
    pub(crate) fn set(&mut self, name: &str, kib: u64) -> &mut Self {
        let field = self.meminfo.iter_mut().find(|field| field.0 == name);
        field.unwrap().1 = kib;
        self
    }

    /// From now on, there are so many huge pages of 2 MiB.
    pub(crate) fn huge_pages(&mut self, count: u64) -> &mut Self {
        self.pools.insert(2_048, count);
        self.set("HugePages_Total", count)
            .set("Hugetlb", count * 2_048)
    }

    /// From now on, so many free pages are on the lists of the CPUs.
    pub(crate) fn per_cpu(&mut self, pages: u64) -> &mut Self {
        self.per_cpu = pages;
        self
    }

    /// The next scan comes so much later than it should.
    pub(crate) fn late(&mut self, ms: u64) -> &mut Self {
        self.t_ms += ms;
        self
    }

    /// Scans in which this is unaccounted for.
    pub(crate) fn scans(&mut self, unaccounted: &[u64]) -> &mut Self {
        for &kib in unaccounted {
            self.scan(kib);
        }
        self
    }

    fn scan(&mut self, unaccounted: u64) {
        let accounted: u64 = ACCOUNTED.map(|name| self.field(name)).iter().sum();
        let huge: u64 = self.pools.iter().map(|(size, count)| size * count).sum();
        self.set(
            "MemFree",
            self.field("MemTotal") - accounted - huge - unaccounted,
        );
        let files = self.files();
        let mut changed = Map::new();
        for (path, text) in &files {
            if self.known.get(path) != Some(text) {
                changed.insert(path.clone(), text.as_str().into());
            }
        }
        self.known.extend(files);
        self.frame(&changed);
    }

    /// A scan in which a file is gone. All others are as they were.
    pub(crate) fn without(&mut self, path: &str) -> &mut Self {
        self.known.remove(path);
        self.frame(&Map::from_iter([(path.to_owned(), Value::Null)]));
        self
    }

    fn frame(&mut self, files: &Map<String, Value>) {
        let frame = json!({ "t_ms": self.t_ms, "files": files });
        self.lines.push_str(&frame.to_string());
        self.lines.push('\n');
        self.t_ms += PERIOD;
    }

    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::from([("proc/meminfo".to_owned(), self.meminfo())]);
        for (size, count) in &self.pools {
            let path = format!("sys/kernel/mm/hugepages/hugepages-{size}kB/nr_hugepages");
            files.insert(path, format!("{count}\n"));
        }
        if self.has_zones {
            files.insert("proc/vmstat".to_owned(), VMSTAT.to_owned());
            files.insert("proc/zoneinfo".to_owned(), self.zoneinfo());
        }
        files
    }

    fn field(&self, name: &str) -> u64 {
        let field = self.meminfo.iter().find(|field| field.0 == name);
        field.map_or(0, |field| field.1)
    }

    /// The file as the kernel prints it.
    pub(crate) fn meminfo(&self) -> String {
        let line = |(name, value): &(String, u64)| {
            let unit = if name.starts_with("HugePages_") {
                ""
            } else {
                " kB"
            };
            format!("{:<16}{value:>8}{unit}\n", format!("{name}:"))
        };
        self.meminfo.iter().map(line).collect()
    }

    fn zoneinfo(&self) -> String {
        let free = self.field("MemFree") / 4;
        format!(
            "Node 0, zone   Normal\n  pages free     {free}\n        min      16000\n        low      20000\n        \
             high     24000\n        present  2560000\n        managed  2500000\n  pagesets\n    cpu: 0\n              \
             count: {}\n              high:  60000\n",
            self.per_cpu
        )
    }

    /// The trace.
    pub(crate) fn text(&self) -> &str {
        &self.lines
    }

    /// The same, recorded so much later.
    pub(crate) fn shifted(&self, ms: u64) -> Self {
        let line = |line: &str| {
            let mut object: Value = serde_json::from_str(line).unwrap();
            if let Some(t_ms) = object.get("t_ms").and_then(Value::as_u64) {
                object["t_ms"] = (t_ms + ms).into();
            }
            format!("{object}\n")
        };
        Self {
            lines: self.lines.lines().map(line).collect(),
            ..self.clone()
        }
    }

    /// What the daemon would have logged, with this configuration and no other module than memleak.
    pub(crate) fn log(&self, config: &str, options: &[&str]) -> String {
        let config = format!("{config}\n{}", only(&["memleak"]));
        let files = Files::new(&[("trace.jsonl", self.text()), ("config.toml", &config)]);
        let (trace, config) = (files.path("trace.jsonl"), files.path("config.toml"));
        printed(&[&["replay", &trace, "-c", &config], options].concat())
    }

    /// The same for programs.
    pub(crate) fn events(&self, config: &str) -> Vec<Value> {
        let lines = self.log(config, &["--json"]);
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The leaks that are reported: in which scan, the first of which is 0, and what kind. The log and
    /// the events must tell the same.
    pub(crate) fn leaks(&self, config: &str) -> Vec<(usize, String)> {
        let mut leaks = Vec::new();
        let mut scan = 0;
        for event in self.events(config) {
            let code = event["code"].as_str().unwrap_or_default();
            let is_notice = event["severity"] == "notice" && code.ends_with("-leak");
            if event["severity"] == "warning" || is_notice {
                leaks.push((scan, code.to_owned()));
            }
            scan += usize::from(event["kind"] == "metric");
        }
        assert_eq!(logged_leaks(&self.log(config, &[])), kinds(&leaks));
        leaks
    }
}

fn kinds(leaks: &[(usize, String)]) -> Vec<&str> {
    leaks.iter().map(|(_, code)| code.as_str()).collect()
}

/// The kinds of the leaks in a log, by the first words of the lines.
fn logged_leaks(log: &str) -> Vec<&'static str> {
    let kind = |line: &str| {
        let mut texts = [" warning memleak: ", " notice memleak: "].into_iter();
        let text = texts.find_map(|head| Some(line.split_once(head)?.1))?;
        let words = [
            ("Possible slow memory leak: ", "slow-leak"),
            ("Possible sudden memory leak: ", "sudden-leak"),
            ("Possible memory leak (level): ", "level-leak"),
        ];
        let known = words.into_iter().find(|(words, _)| text.starts_with(words));
        known.map(|(_, kind)| kind)
    };
    log.lines().filter_map(kind).collect()
}

/// So many kB, and then scans of which each has just more than 10 % more.
pub(crate) fn growing(from: u64, scans: usize) -> Vec<u64> {
    let more = |kib: &u64| Some(kib * 11 / 10 + 1);
    std::iter::successors(Some(from), more)
        .take(scans + 1)
        .collect()
}

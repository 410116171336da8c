//! A machine that is made up: pages are used, kswapd reclaims, and the tunable has effect.

use core::time::Duration;

use adaptivemm_module_api::Tunable;
use adaptivemm_module_api::testing::{self, Machine, Rig, Verdict, Words};
use adaptivemm_module_api::units::{PageSize, Pages};

use crate::{pressure, scale};

/// 4 GiB in pages of 4 KiB.
pub(super) const NODE: u64 = 1 << 20;

/// A node whose kswapd does what the kernel's does.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) id: u32,
    pub(super) managed: f64,
    pub(super) free: f64,
    /// Pages of a page cache.
    pub(super) inactive: f64,
    pub(super) is_kswapd_awake: bool,
}

impl Node {
    pub(super) fn new(id: u32, free: u64) -> Self {
        Self {
            id,
            managed: f(NODE),
            free: f(free),
            inactive: f(NODE) / 2.0,
            is_kswapd_awake: false,
        }
    }
}

/// A machine on which pages are used, kswapd reclaims, and a tunable has effect.
#[derive(Debug, Clone)]
pub(super) struct Simulation {
    pub(super) seconds: u64,
    pub(super) period: u64,
    pub(super) page_size: PageSize,
    pub(super) scale: i64,
    /// The value of the administrator.
    pub(super) original: i64,
    /// Somebody else set it, and it is not changed.
    pub(super) is_yielded: bool,
    /// The time that tasks waited for memory, where the kernel tells; up to 10 ms in 100.
    pub(super) waited: Option<Duration>,
    /// The largest value that the kernel accepts.
    pub(super) largest: i64,
    pub(super) nodes: Vec<Node>,
    pub(super) hugepages: u64,
    /// Pages per second; it starts at a tenth of that, and gets up to speed within a second.
    pub(super) kswapd: f64,
    pub(super) reclaimed: f64,
    pub(super) direct: f64,
    pub(super) stalls: u64,
    pub(super) writes: Vec<(u64, i64)>,
}

pub(super) fn f(count: u64) -> f64 {
    Pages::new(count).as_f64()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "test code"
)]
pub(super) fn whole(pages: f64) -> u64 {
    pages.max(0.0) as u64
}

impl Simulation {
    const MIN: f64 = 4_000.0;

    pub(super) fn new(free: u64) -> Self {
        Self {
            seconds: 1000,
            period: 1,
            page_size: PageSize::FOUR_KIB,
            scale: 10,
            original: 10,
            is_yielded: false,
            waited: None,
            largest: 3000,
            nodes: vec![Node::new(0, free)],
            hugepages: 0,
            kswapd: 200_000.0,
            reclaimed: 5e6,
            direct: 0.0,
            stalls: 7,
            writes: Vec::new(),
        }
    }

    /// Somebody else sets the value.
    pub(super) fn set(&mut self, value: i64) {
        (self.scale, self.original) = (value, value);
    }

    pub(super) fn watermarks(&self, node: &Node) -> [f64; 3] {
        let gap = (node.managed * f(self.scale.unsigned_abs()) / 1e4).max(Self::MIN / 4.0);
        [Self::MIN, Self::MIN + gap, Self::MIN + 2.0 * gap]
    }

    /// A period in which each node uses so many pages per second; less than nothing are given back.
    pub(super) fn run(&mut self, used: &[f64]) {
        let step = 0.1;
        for _ in 0..self.period * 10 {
            for index in 0..self.nodes.len() {
                let [min, low, high] = self.watermarks(&self.nodes[index]);
                let (used, kswapd) = (used[index] * step, self.kswapd * step);
                let node = &mut self.nodes[index];
                node.free = (node.free - used).min(node.managed - node.inactive);
                node.is_kswapd_awake =
                    node.free < low || (node.is_kswapd_awake && node.free < high);
                if node.is_kswapd_awake {
                    let pages = kswapd.min(high - node.free).max(0.0);
                    node.free += pages;
                    self.reclaimed += pages;
                }
                if node.free < min {
                    let pages = min - node.free;
                    node.free = min;
                    let stalls = 1 + whole(pages / 32.0);
                    self.stalls += stalls;
                    let waited = Duration::from_millis(stalls.min(10));
                    self.waited = self.waited.map(|time| time + waited);
                    self.direct += pages;
                }
            }
        }
        self.seconds += self.period;
    }

    fn tunable(&self) -> Tunable {
        Tunable::new(self.scale)
            .with_original(self.original)
            .with_yielded(self.is_yielded)
    }

    pub(super) fn machine(&self) -> Machine {
        let machine = Machine::new()
            .uptime(Duration::from_secs(self.seconds))
            .period(Duration::from_secs(self.period))
            .page_size(self.page_size)
            .meminfo(&[("SwapFree", 0), ("Hugetlb", self.hugepages)])
            .vmstat(&[
                ("pgsteal_kswapd", whole(self.reclaimed)),
                ("pgsteal_direct", whole(self.direct)),
                ("pgsteal_anon", 99),
                ("pgsteal_file", 99),
                ("allocstall_normal", self.stalls),
                ("allocstall_movable", 0),
            ])
            .tunable_of(scale::TUNABLE, self.tunable());
        let machine = match self.waited {
            Some(waited) => machine.file(
                pressure::FILE,
                format!("some avg10=0.00 total={}\n", waited.as_micros()),
            ),
            None => machine,
        };
        let add = |machine: Machine, node: &Node| {
            let [min, low, high] = self
                .watermarks(node)
                .map(|pages| Some(Pages::new(whole(pages))));
            let zone = testing::Zone {
                free: Some(Pages::new(whole(node.free))),
                min,
                low,
                high,
                managed: Some(Pages::new(whole(node.managed))),
                ..testing::Zone::new(node.id, "Normal")
            };
            machine
                .zone(zone)
                .node_stats(node.id, &[("nr_inactive_file", whole(node.inactive))])
        };
        self.nodes.iter().fold(machine, add)
    }

    /// Scans, and does what the module asks for.
    pub(super) fn scan(&mut self, rig: &mut Rig) -> Words {
        let words = rig.scan(&self.machine());
        assert_eq!(words.verdict, Verdict::Good);
        for request in &words.requests {
            let testing::Action::Set { value, .. } = request.action else {
                unreachable!("it writes nothing else");
            };
            self.writes.push((self.seconds, value));
            if value <= self.largest && !self.is_yielded {
                self.scale = value;
            }
        }
        words
    }

    /// The words of so many scans, before each of which each node uses so many pages per second.
    pub(super) fn scans(&mut self, rig: &mut Rig, count: u64, used: &[f64]) -> Vec<Words> {
        let scan = |_| {
            self.run(used);
            self.scan(rig)
        };
        (0..count).map(scan).collect()
    }
}

//! The numbers of a moment, as the kernel counts them, and what became of them until a later moment.

use std::collections::BTreeMap;

use crate::outcome::Outcome;
use crate::problem::{Problem, Result};

/// Lines of `name number`, as in `/proc/vmstat`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counters(BTreeMap<String, u64>);

impl Counters {
    /// Reads lines of `name number`; others are left out. A `:` after the name and a unit after the number are too.
    pub(crate) fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let mut words = line.split_whitespace();
            let name = words.next()?.trim_end_matches(':');
            Some((name.to_owned(), words.next()?.parse().ok()?))
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// What is counted under a name, 0 if nothing is.
    pub(crate) fn of(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// The sum of all whose names begin so.
    pub(crate) fn beginning(&self, beginning: &str) -> u64 {
        let alike = self
            .0
            .iter()
            .filter(|(name, _)| name.starts_with(beginning));
        alike.map(|(_, number)| number).sum()
    }

    /// By how much each has grown since an earlier moment.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let grown = |(name, &number): (&String, &u64)| {
            (name.clone(), number.saturating_sub(earlier.of(name)))
        };
        Self(self.0.iter().map(grown).collect())
    }
}

/// A count as a number to reckon with.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts below 2^53, or printed with few digits"
)]
pub(crate) fn real(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

/// What a job noted at one moment.
#[derive(Debug)]
pub(crate) struct Moment {
    pub(crate) vmstat: Counters,
    pub(crate) wsf: u64,
    /// Time that some, and that all, tasks waited for memory, in us.
    pub(crate) pressure: Option<(u64, u64)>,
    /// Bytes in free blocks of all sizes, and in those of order 9 or more.
    pub(crate) free: (u64, u64),
}

impl Moment {
    /// Reads what `note NAME` left.
    pub(crate) fn read(outcome: &Outcome, name: &str) -> Result<Self> {
        let file = |file: &str| outcome.read(&format!("{name}/{file}"));
        let wsf = file("wsf")?;
        Ok(Self {
            vmstat: Counters::parse(&file("vmstat")?),
            wsf: wsf
                .trim()
                .parse()
                .map_err(|_| Problem::new(format!("{name}/wsf: not a number: {wsf:?}")))?,
            pressure: file("pressure").ok().and_then(|text| stall_times(&text)),
            free: free_blocks(&file("buddyinfo")?),
        })
    }
}

impl Moment {
    /// For how long some, and all, waited since an earlier moment, in us.
    pub(crate) fn stalled_since(&self, earlier: &Self) -> (u64, u64) {
        let (some, full) = self.pressure.unwrap_or_default();
        let (before_some, before_full) = earlier.pressure.unwrap_or_default();
        (
            some.saturating_sub(before_some),
            full.saturating_sub(before_full),
        )
    }
}

/// The totals of `/proc/pressure/memory`: some, full.
fn stall_times(text: &str) -> Option<(u64, u64)> {
    let total = |kind: &str| {
        let line = text.lines().find(|line| line.starts_with(kind))?;
        line.rsplit("total=").next()?.trim().parse().ok()
    };
    Some((total("some")?, total("full")?))
}

/// Free bytes of `/proc/buddyinfo`: in all blocks, and in those of order 9 or more.
fn free_blocks(buddyinfo: &str) -> (u64, u64) {
    let mut all = 0;
    let mut huge = 0;
    for line in buddyinfo.lines() {
        let counts = line.split_whitespace().skip(4);
        for (order, count) in counts.enumerate() {
            let bytes = count.parse::<u64>().unwrap_or(0) << (12 + order);
            all += bytes;
            huge += if order >= 9 { bytes } else { 0 };
        }
    }
    (all, huge)
}

/// Latencies in classes of powers of two, as memburst and the load makers count them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Latencies {
    classes: Vec<u64>,
    pub(crate) max_us: u64,
}

impl Latencies {
    /// Reads the lines `classes N,N,...` and `max_us N`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let classes = text
            .lines()
            .find_map(|line| line.strip_prefix("classes "))
            .ok_or_else(|| Problem::new(format!("no classes of latencies in {text:?}")))?;
        Ok(Self {
            classes: classes
                .split(',')
                .filter_map(|count| count.trim().parse().ok())
                .collect(),
            max_us: Counters::parse(text).of("max_us"),
        })
    }

    /// An upper bound of the latency of all but `one_in` of a million, in us.
    pub(crate) fn all_but_per_million(&self, exceptions: u64) -> u64 {
        let total: u64 = self.classes.iter().sum();
        let allowed = total * exceptions / 1_000_000;
        let mut above = total;
        for (class, count) in self.classes.iter().enumerate() {
            above -= count;
            if above <= allowed {
                return (1 << class).min(self.max_us.max(1));
            }
        }
        self.max_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_grow_and_never_become_huge() {
        let before = Counters::parse("allocstall_dma 1\nallocstall_normal 2\nnr_free 9\n");
        let after = Counters::parse("allocstall_dma 1\nallocstall_normal 7\nnr_free 3\nnew 4\n");
        let grown = after.since(&before);
        assert_eq!(grown.beginning("allocstall_"), 5);
        assert_eq!(
            (grown.of("nr_free"), grown.of("new"), grown.of("no")),
            (0, 4, 0)
        );
    }

    #[test]
    fn meminfo_is_counters_too() {
        let meminfo = Counters::parse("MemTotal:       24105 kB\nHugePages_Total:       3\n");
        assert_eq!(
            (meminfo.of("MemTotal"), meminfo.of("HugePages_Total")),
            (24105, 3)
        );
    }

    #[test]
    fn pressure_is_its_totals() {
        let text = "some avg10=0.00 avg60=0.00 avg300=0.00 total=12\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n";
        assert_eq!(stall_times(text), Some((12, 5)));
        assert_eq!(stall_times(""), None);
    }

    #[test]
    fn blocks_of_order_9_and_10_are_huge() {
        let text = "Node 0, zone   Normal      1      0      0      0      0      0      0      0      0      1      1 \n";
        assert_eq!(free_blocks(text), (4096 + 3 * (2 << 20), 3 * (2 << 20)));
    }

    #[test]
    fn latencies_are_bounded_by_their_class() {
        let latencies = Latencies::parse("max_us 900\nclasses 0,98,1,0,0,0,0,0,0,0,1\n").unwrap();
        assert_eq!(latencies.all_but_per_million(500_000), 2);
        assert_eq!(latencies.all_but_per_million(10_000), 4);
        assert_eq!(latencies.all_but_per_million(0), 900);
    }
}

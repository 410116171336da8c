//! One moment of the machine, in the numbers that pressure shows in.

use core::fmt;
use core::time::Duration;

use adaptivemm_module_api::units::Uptime;
use adaptivemm_module_api::{ScanError, Snapshot, Unavailable};

/// Since Linux 4.20.
pub(crate) const PATH: &str = "/proc/pressure/memory";

/// On all but some old architectures. Kernels with `psi=0` have the file or not, depending on their age.
const EOPNOTSUPP: i32 = 95;

const UNMEASURED: &str = "this kernel does not measure pressure (no /proc/pressure/memory): it needs CONFIG_PSI=y and, \
                          if that is off by default, psi=1 on its command line";

/// What this module takes from a snapshot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample<'a> {
    pub(crate) at: Uptime,
    /// Between two scans.
    pub(crate) period: Duration,
    /// At least one task waited for memory.
    pub(crate) some: Pressure,
    /// All tasks that were not idle did.
    pub(crate) full: Pressure,
    /// As the kernel printed it: evidence.
    pub(crate) text: &'a str,
}

/// One line of `/proc/pressure/memory`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pressure {
    /// `avg10`: in the last 10 seconds, with more weight on the later ones.
    pub(crate) avg10: Share,
    /// `total`: since boot. The file has it in microseconds.
    pub(crate) stalled: Duration,
}

/// A share of time. Displayed in percent.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Share(f64);

impl<'a> Sample<'a> {
    /// # Errors
    ///
    /// If this kernel does not measure pressure, or not in the way that is documented.
    pub(crate) fn of(snapshot: &Snapshot<'a>) -> Result<Self, ScanError> {
        let content = snapshot.file(PATH).map_err(unmeasured)?;
        Self::parse(snapshot.uptime(), snapshot.period(), content).ok_or_else(|| {
            ScanError::new(
                "/proc/pressure/memory has no lines `some avg10=... total=...` and `full ...`",
            )
        })
    }

    fn parse(at: Uptime, period: Duration, content: &'a [u8]) -> Option<Self> {
        let text = core::str::from_utf8(content).ok()?;
        Some(Self {
            at,
            period,
            some: Pressure::parse(text, "some")?,
            full: Pressure::parse(text, "full")?,
            text,
        })
    }
}

fn unmeasured(why: Unavailable) -> ScanError {
    if why.is_absent() || why.errno() == Some(EOPNOTSUPP) {
        ScanError::new(UNMEASURED)
    } else {
        why.into()
    }
}

impl Pressure {
    /// The line that starts with `label`.
    fn parse(text: &str, label: &str) -> Option<Self> {
        let mut lines = text.lines();
        let fields = lines.find_map(|line| line.strip_prefix(label)?.strip_prefix(' '))?;
        let field = |name: &str| {
            let mut fields = fields.split_ascii_whitespace();
            fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
        };
        let avg10: f64 = field("avg10")?.parse().ok()?;
        Some(Self {
            avg10: avg10.is_finite().then(|| Share::of_percent(avg10))?,
            stalled: Duration::from_micros(field("total")?.parse().ok()?),
        })
    }
}

impl Share {
    /// `percent` of the time; at most all of it, at least none.
    pub(crate) fn of_percent(percent: f64) -> Self {
        Self(percent.clamp(0.0, 100.0))
    }

    /// The share that `part` is of `whole`, which is not zero.
    pub(crate) fn of_time(part: Duration, whole: Duration) -> Self {
        Self::of_percent(part.as_secs_f64() / whole.as_secs_f64() * 100.0)
    }

    pub(crate) const fn percent(self) -> f64 {
        self.0
    }

    pub(crate) const fn half(self) -> Self {
        Self(self.0 / 2.0)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} %", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stalled(text: &str) -> Option<[u128; 2]> {
        let sample = Sample::parse(Uptime::default(), Duration::ZERO, text.as_bytes())?;
        Some([sample.some, sample.full].map(|line| line.stalled.as_micros()))
    }

    #[test]
    fn both_lines_are_read_whatever_their_order_and_whatever_else_there_is() {
        let today = "some avg10=7.63 avg60=1.58 avg300=0.33 total=1160816\n\
                     full avg10=6.85 avg60=1.42 avg300=0.30 total=1078100\n";
        let tomorrow =
            "irq total=5\nfull total=2 avg10=0.00\nsome avg10=0.00 total=3 avg3600=1.00\n";

        assert_eq!(stalled(today), Some([1_160_816, 1_078_100]));
        assert_eq!(stalled(tomorrow), Some([3, 2]));
    }

    #[test]
    fn what_is_not_documented_is_refused() {
        let texts = [
            "",
            "some",
            "some avg10=0.00 total=1\n",
            "some avg10=0.00 total=1\nfull avg10=0.00 total=-1\n",
            "some avg10=0.00 total=1\nfull avg10=NaN total=1\n",
            "something avg10=0.00 total=1\nfull avg10=0.00 total=1\n",
        ];

        assert_eq!(texts.map(stalled), [None; 6]);
    }

    #[test]
    fn a_share_is_from_0_to_100_percent() {
        let shares = [-1.0, 0.04, 99.96, 1e300].map(Share::of_percent);

        assert_eq!(
            shares.map(|share| share.to_string()),
            ["0.0 %", "0.0 %", "100.0 %", "100.0 %"]
        );
    }
}

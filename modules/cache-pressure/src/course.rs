//! The trend of the number of dentries or of inodes.

use core::fmt;
use core::time::Duration;

use adaptivemm_module_api::trend::{Window, of_count};
use adaptivemm_module_api::units::Uptime;

/// The number of scans over which a trend is looked for.
pub(crate) const WINDOW: usize = 8;

/// The last numbers of one kind of objects.
#[derive(Debug)]
pub(crate) struct Course {
    window: Window,
}

/// The line through a full window.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Change {
    /// The number at the beginning of the line.
    pub(crate) from: f64,
    /// The number at its end.
    pub(crate) to: f64,
    /// The time from one to the other.
    pub(crate) span: Duration,
    /// The largest distance of a sample from the line.
    distance: f64,
}

/// The direction of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heading {
    Up,
    Down,
    Level,
}

impl Course {
    pub(crate) fn new() -> Self {
        Self {
            window: Window::new(WINDOW),
        }
    }

    /// Adds a number. Returns `None` until there are enough of them without a gap.
    pub(crate) fn push(&mut self, at: Uptime, period: Duration, count: u64) -> Option<Change> {
        self.window
            .forget_after_gap(at, period.saturating_mul(5) / 2);
        self.window.push(at, of_count(count));
        let line = self.window.line().filter(|_| self.window.is_full())?;
        let (start, _) = self.window.samples().next()?;
        let distances = self
            .window
            .samples()
            .map(|(at, value)| (value - line.at(at)).abs());
        Some(Change {
            from: line.at(start),
            to: line.at(at),
            span: at.since(start),
            distance: distances.fold(0.0, f64::max),
        })
    }

    pub(crate) fn clear(&mut self) {
        self.window.clear();
    }
}

impl Change {
    /// The change in percent of the number in the middle.
    pub(crate) fn percent(self) -> f64 {
        let middle = f64::midpoint(self.from, self.to);
        if middle > 0.0 {
            (self.to - self.from) / middle * 100.0
        } else {
            0.0
        }
    }

    /// The direction of the change. Less than `dead_band` percent is no change, and neither is a line that the samples do
    /// not follow: a saw-tooth has one, too.
    pub(crate) fn heading(self, dead_band: f64) -> Heading {
        let percent = self.percent();
        if self.is_followed() && percent >= dead_band {
            Heading::Up
        } else if self.is_followed() && percent <= -dead_band {
            Heading::Down
        } else {
            Heading::Level
        }
    }

    /// The direction in words.
    pub(crate) fn assessed(self, dead_band: f64) -> impl fmt::Display {
        let what = match self.heading(dead_band) {
            Heading::Up => "growing, by",
            Heading::Down => "shrinking, by",
            Heading::Level if self.percent().abs() < dead_band => "no trend, less than",
            Heading::Level => return "no trend, up and down".to_owned(),
        };
        let more = if self.percent().abs() < dead_band {
            ""
        } else {
            " more than"
        };
        format!("{what}{more} the dead band of {dead_band:.1} %")
    }

    fn is_followed(self) -> bool {
        self.distance <= (self.to - self.from).abs() / 2.0
    }
}

impl Heading {
    /// The direction of both kinds together; they are level if they contradict each other.
    pub(crate) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Up, Self::Up | Self::Level) | (Self::Level, Self::Up) => Self::Up,
            (Self::Down, Self::Down | Self::Level) | (Self::Level, Self::Down) => Self::Down,
            (Self::Level, Self::Level) | (Self::Up, Self::Down) | (Self::Down, Self::Up) => {
                Self::Level
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, .. } = self;
        write!(f, "{:+.1} % ({from:.0} to {to:.0})", self.percent())
    }
}

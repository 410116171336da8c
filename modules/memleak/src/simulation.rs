//! Made-up machines for tests: what memory does when nothing leaks, and leaks on top of it.
//!
//! Each machine follows one of eleven models of unaccounted memory, from free pages on per-CPU lists to caches
//! that warm up for days. Same seed, same machine.

use core::f64::consts::PI;
use core::time::Duration;

use adaptivemm_module_api::units::{Balance, Bytes, Uptime};

use crate::sample::Sample;
use crate::series::{Levels, Series};

mod cost;
mod evaluation;

pub(crate) const MIB: f64 = 1_048_576.0;
const GIB: f64 = 1024.0 * MIB;
pub(crate) const HOUR: f64 = 3600.0;
pub(crate) const DAY: f64 = 24.0 * HOUR;

/// Seconds between two scans.
const PERIOD: u32 = 60;

/// What makes memory come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Idle,
    /// Free pages on per-CPU lists, as if they were not accounted for.
    PerCpuLists,
    /// Buffers of sockets: the daily load of a server, and bursts.
    Sockets,
    /// Five busy days, two calm ones.
    Week,
    /// Two gigabytes by day, none by night.
    BigDay,
    /// A cache that fills within hours and is dropped every few days.
    Warm,
    /// The same within days, never dropped.
    WarmSlowly,
    /// Programs that start, hold memory for a day, and end.
    Steps,
    /// A load that wanders around its mean within half a day.
    Wander,
    /// A random walk.
    Walk,
    /// Sockets, a warm cache and programs at once.
    Mix,
}

impl Kind {
    pub(crate) const ALL: [Self; 11] = [
        Self::Idle,
        Self::PerCpuLists,
        Self::Sockets,
        Self::Week,
        Self::BigDay,
        Self::Warm,
        Self::WarmSlowly,
        Self::Steps,
        Self::Wander,
        Self::Walk,
        Self::Mix,
    ];
}

/// A machine whose unaccounted memory follows a model, a minute at a time.
#[derive(Debug)]
pub(crate) struct Machine {
    kind: Kind,
    chance: Chance,
    /// Seconds so far.
    pub(crate) now: u32,
    /// Seconds by which its days are shifted.
    phase: f64,
    wander: f64,
    burst: f64,
    warm: f64,
    next_drop: f64,
    next_step: f64,
    /// The size of each program, and when it ends.
    steps: Vec<(f64, f64)>,
    /// Bytes per second from some second on.
    pub(crate) leak: Option<(f64, f64)>,
}

impl Machine {
    pub(crate) fn new(kind: Kind, seed: u64) -> Self {
        let mut chance = Chance::new(seed.wrapping_mul(64).wrapping_add(kind as u64));
        Self {
            kind,
            now: 0,
            phase: chance.uniform(0.0, DAY),
            wander: 0.0,
            burst: 0.0,
            warm: 0.0,
            next_drop: chance.wait(5.0 * DAY),
            next_step: chance.wait(2.0 * DAY),
            steps: Vec::new(),
            leak: None,
            chance,
        }
    }

    /// The sample of the next minute, on 24 GiB of memory with 60 % of it available.
    pub(crate) fn scan(&mut self) -> Sample<'static> {
        let total = 24.0 * GIB;
        let unaccounted = 15.0 * MIB + self.benign() + self.leaked();
        let mut levels = Levels::default();
        levels.set(Series::Unaccounted, Some(balance(unaccounted.max(0.0))));
        let sample = Sample {
            at: Uptime(Duration::from_secs(u64::from(self.now))),
            period: Duration::from_secs(u64::from(PERIOD)),
            total: Bytes::new(24 << 30),
            available: bytes(0.6 * total - self.leaked()),
            levels,
            ..Sample::quiet()
        };
        self.now += PERIOD;
        sample
    }

    fn leaked(&self) -> f64 {
        self.leak.map_or(0.0, |(rate, from)| {
            rate * (f64::from(self.now) - from).max(0.0)
        })
    }

    fn benign(&mut self) -> f64 {
        let kind = self.kind;
        let mut sum = self.chance.normal(0.1 * MIB);
        match kind {
            Kind::PerCpuLists => sum += 60.0 * MIB + self.wanders(30.0, 50.0),
            Kind::BigDay => sum += 2.0 * GIB * self.daylight() + self.wanders(600.0, 20.0).abs(),
            Kind::Week => sum += self.week(),
            Kind::Wander => sum += 400.0 * MIB + self.wanders(12.0 * HOUR, 100.0),
            Kind::Walk => {
                self.wander += self
                    .chance
                    .normal(5.0 * MIB * (f64::from(PERIOD) / HOUR).sqrt());
                sum += 500.0 * MIB + self.wander;
            }
            Kind::WarmSlowly => sum += self.warms(3.0 * DAY),
            Kind::Idle | Kind::Sockets | Kind::Warm | Kind::Steps | Kind::Mix => {}
        }
        if matches!(kind, Kind::Sockets | Kind::Mix) {
            sum += self.sockets();
        }
        if matches!(kind, Kind::Warm | Kind::Mix) {
            if f64::from(self.now) > self.next_drop {
                self.warm *= self.chance.uniform(0.2, 0.7);
                self.next_drop = f64::from(self.now) + self.chance.wait(5.0 * DAY);
            }
            sum += self.warms(6.0 * HOUR);
        }
        if matches!(kind, Kind::Steps | Kind::Mix) {
            sum += self.programs();
        }
        sum
    }

    /// An Ornstein-Uhlenbeck process of so many MiB, which forgets within so many seconds.
    fn wanders(&mut self, seconds: f64, mib: f64) -> f64 {
        let kept = (-f64::from(PERIOD) / seconds).exp();
        self.wander =
            self.wander * kept + self.chance.normal(mib * MIB * (1.0 - kept * kept).sqrt());
        self.wander
    }

    /// From 0 at night to 1 at noon.
    fn daylight(&self) -> f64 {
        (1.0 - (2.0 * PI * self.time() / DAY).cos()) / 2.0
    }

    fn time(&self) -> f64 {
        f64::from(self.now) + self.phase
    }

    fn sockets(&mut self) -> f64 {
        if self.chance.uniform(0.0, 1.0) < f64::from(PERIOD) / (2.0 * HOUR) {
            self.burst = self.chance.uniform(100.0, 600.0) * MIB;
        }
        self.burst *= (-f64::from(PERIOD) / 600.0).exp();
        let load = 200.0 * MIB * self.daylight() + self.wanders(600.0, 50.0);
        load.max(0.0) + self.burst
    }

    fn week(&mut self) -> f64 {
        let is_workday = (self.time() / DAY) % 7.0 < 5.0;
        let height = if is_workday { 400.0 } else { 80.0 };
        let hill = (PI * (self.time() % DAY) / DAY).sin().powi(2);
        height * MIB * hill + self.wanders(1800.0, 20.0).abs()
    }

    fn warms(&mut self, seconds: f64) -> f64 {
        let part = f64::from(PERIOD) / seconds * self.chance.uniform(0.0, 2.0);
        self.warm += (2.0 * GIB - self.warm) * part;
        self.warm
    }

    fn programs(&mut self) -> f64 {
        let now = f64::from(self.now);
        if now > self.next_step {
            let size = self.chance.uniform(64.0, 512.0) * MIB;
            self.steps.push((size, now + self.chance.wait(DAY)));
            self.next_step = now + self.chance.wait(2.0 * DAY);
        }
        self.steps.retain(|&(_, end)| end > now);
        self.steps.iter().map(|&(size, _)| size).sum()
    }
}

/// `SplitMix64`: small, and the same everywhere.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn uniform(&mut self, from: f64, to: f64) -> f64 {
        let share = f64::from(u32::try_from(self.next() >> 32).unwrap()) / 4_294_967_296.0;
        from + (to - from) * share
    }

    /// Of mean 0, with this deviation: twelve uniform numbers are near enough.
    fn normal(&mut self, deviation: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.uniform(-0.5, 0.5)).sum();
        sum * deviation
    }

    /// A time that is so long on average.
    fn wait(&mut self, seconds: f64) -> f64 {
        -seconds * (1.0 - self.uniform(0.0, 1.0)).ln()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
fn balance(value: f64) -> Balance {
    Balance::new(value as i64)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates"
)]
fn bytes(value: f64) -> Bytes {
    Bytes::new(value as u64)
}

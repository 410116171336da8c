//! All detectors together, and one voice for what they see.

use core::time::Duration;

use adaptivemm_module_api::units::{Balance, Uptime};
use adaptivemm_module_api::{Finding, Out, Severity};

use crate::accounting::Exact;
use crate::circumstances::Circumstances;
use crate::classic::{self, Classic, Verdict};
use crate::episode::{Claim, Episode, Heard};
use crate::horizon::Grade;
use crate::jump::{self, Jump, Leap};
use crate::level::{Excess, Level};
use crate::options::Options;
use crate::report::growth::Growth;
use crate::report::{self, Opinion, Report};
use crate::sample::Sample;
use crate::series::{Members, Series};
use crate::setup::Setup;
use crate::trend::{self, Rising, Seen, Trend};

/// The time over which a jump is looked for.
const HOUR: Duration = Duration::from_secs(3600);

/// The detectors and what they saw so far.
#[derive(Debug)]
pub(crate) struct Detection {
    options: Options,
    pub(crate) classic: Classic,
    pub(crate) trend: Trend,
    pub(crate) jump: Jump,
    pub(crate) level: Level,
    pub(crate) episode: Episode,
    pub(crate) circumstances: Circumstances,
    setup: Setup,
}

impl Detection {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            classic: Classic::new(options.min_growth_percent),
            trend: Trend::new(trend::Choices {
                least: options.trend_min_growth,
                horizons_left: options.trend_horizons_left,
            }),
            jump: Jump::new(jump::Choices {
                least: options.jump_min_growth,
                least_percent: options.jump_percent,
            }),
            level: Level::new(options.level_percent),
            episode: Episode::default(),
            circumstances: Circumstances::default(),
            setup: Setup::default(),
        }
    }

    /// The least unaccounted memory so far.
    pub(crate) const fn baseline(&self) -> Option<Balance> {
        self.classic.baseline()
    }

    /// By how much memory that was reported has grown by now; zero if none was.
    pub(crate) fn growth(&self, sample: &Sample<'_>) -> Balance {
        self.episode.growth(&sample.levels)
    }

    /// Looks at one scan.
    pub(crate) fn observe(&mut self, sample: &Sample<'_>, out: &mut Out<'_>) {
        self.circumstances.observe(sample);
        if self.setup.goes_on(sample) {
            self.start_again();
            let unsteady = Sample {
                is_steady: false,
                ..sample.clone()
            };
            self.observe_trend(&unsteady, out);
            return;
        }
        let baseline = self.observe_classic(sample, out);
        // Before the rings take in this scan: a jump is one against the hour before.
        self.observe_jump(sample, out);
        self.observe_trend(sample, out);
        self.observe_level(sample, baseline, out);
    }

    /// Forgets what the next scan cannot be compared with: these files cannot be believed.
    pub(crate) fn start_again(&mut self) {
        self.classic.start_again();
        self.jump.start_again();
        self.level.start_again();
    }

    /// The least unaccounted memory so far.
    fn observe_classic(&mut self, sample: &Sample<'_>, out: &mut Out<'_>) -> Balance {
        let verdict = self.classic.observe(sample);
        say_what_moved(&verdict, sample.unaccounted, out);
        let baseline = verdict.baseline;
        if !self.options.classic {
            return baseline;
        }
        let is_to_the_letter = self.options.min_growth_percent == 0.0;
        let least = self.jump.least(sample.total);
        let slow = verdict.slow.map(|growth| (Report::slow(&growth), growth));
        let sudden = verdict.sudden.map(|growth| {
            let is_small = growth.amount() < least && !is_to_the_letter;
            let report = Report::sudden(&growth);
            (if is_small { report.small() } else { report }, growth)
        });
        for (report, growth) in [slow, sudden].into_iter().flatten() {
            let opinion = Opinion::of(&growth);
            let heard = hear_classic(&mut self.episode, opinion, report.grade(), &growth, sample);
            if opinion == Opinion::Explained && !is_to_the_letter {
                report.doubtful().say(heard, sample.at, out);
            } else {
                report.say(heard, sample.at, out);
            }
        }
        baseline
    }

    fn observe_jump(&mut self, sample: &Sample<'_>, out: &mut Out<'_>) {
        let Ok(exact) = sample.exact else {
            self.jump.start_again();
            return;
        };
        if !self.options.jump || !sample.is_steady {
            return;
        }
        let before = self.trend.lowest_of_hour();
        let lowest = before.get(Series::Unaccounted);
        if let Some(leap) = self.jump.observe(exact.unaccounted, lowest, sample.total) {
            self.tell_jump(sample, &leap, out);
        }
    }

    fn tell_jump(&mut self, sample: &Sample<'_>, leap: &Leap, out: &mut Out<'_>) {
        let hour = earlier(sample.at, HOUR);
        let growth = Growth {
            // The hour is how far is looked back; what grew, grew since the least was seen.
            from: self.trend.lowest_of_hour_at().unwrap_or(sample.at),
            before: self.trend.lowest_of_hour(),
            now: sample.levels,
            ..self.growth_since(hour, sample)
        };
        let claim = Claim {
            from: hour,
            ..claim(&growth, Members::of(Series::Unaccounted), Grade::Warning)
        };
        Report::jump(&growth, leap).say(self.episode.hear(&claim), sample.at, out);
    }

    fn observe_trend(&mut self, sample: &Sample<'_>, out: &mut Out<'_>) {
        let seen = self.trend.observe(sample);
        self.episode.glimpse(seen.hits, sample.at);
        if self.options.trend {
            self.suspect(&seen, sample.at, out);
        }
        if let Some(rising) = seen.rising.filter(|_| self.options.trend) {
            self.tell_trend(sample, &rising, out);
        }
        if seen.has_closed {
            let from = earlier(sample.at, trend::SHORTEST.saturating_mul(2));
            if let Some(over) = self.episode.look_back(&self.trend.floors(), from) {
                report::say_over(&over, sample.at, out);
            }
        }
    }

    /// Lets the core take evidence, to be compared with that of the report.
    fn suspect(&mut self, seen: &Seen, at: Uptime, out: &mut Out<'_>) {
        let Some((series, horizon, rise)) = seen.hit else {
            return;
        };
        if let Some(incident) = self.episode.suspect(seen.hits, at, seen.lasts) {
            report::say_suspicion(incident, series, trend::length(horizon), &rise, out);
        }
    }

    fn tell_trend(&mut self, sample: &Sample<'_>, rising: &Rising, out: &mut Out<'_>) {
        let (before, now) = self.trend.ends(rising.horizon);
        let growth = Growth {
            before,
            now,
            ..self.growth_since(earlier(sample.at, rising.length()), sample)
        };
        let floors = self.trend.horizon(rising.series, rising.horizon).ring;
        let first = &self.trend.firsts[rising.horizon].reading;
        let report = Report::trend(&growth, rising, floors.floors(), first);
        let claim = claim(&growth, rising.members, rising.alarm.grade);
        report.say(self.episode.hear(&claim), sample.at, out);
    }

    fn observe_level(&mut self, sample: &Sample<'_>, baseline: Balance, out: &mut Out<'_>) {
        match sample.exact {
            Ok(exact) if self.options.level && sample.is_steady => {
                let missing = exact.unaccounted;
                let least = || {
                    let lowest = self.trend.lowest_of(Series::Unaccounted);
                    lowest.unwrap_or(missing)
                };
                let excess = self.level.observe(sample.at, missing, least, sample.total);
                if let Some(excess) = excess {
                    self.tell_level(sample, &exact, &excess, baseline, out);
                }
            }
            // Switched off, or too unsteady a scan to count for or against a leak.
            Ok(_) => {}
            Err(_) => self.level.start_again(),
        }
    }

    fn tell_level(
        &mut self,
        sample: &Sample<'_>,
        exact: &Exact,
        excess: &Excess,
        baseline: Balance,
        out: &mut Out<'_>,
    ) {
        let growth = Growth {
            before: self.trend.lowest(),
            ..self.growth_since(earlier(sample.at, excess.lasted), sample)
        };
        let members = Members::of(Series::Unaccounted);
        let rise = growth.now.growth(&growth.before, members);
        // Of what was missing before anybody looked nobody knows how it grew.
        let is_growth = rise.get() >= exact.unaccounted.get() / 2;
        let claim = is_growth.then(|| claim(&growth, members, excess.grade));
        let heard = self.episode.hear_level(excess.grade, claim.as_ref());
        let rise = is_growth.then_some(rise);
        let since = self.trend.remembered_since().unwrap_or(sample.at);
        let watched = sample.at.since(since);
        Report::level(sample, exact, excess, (baseline, watched), rise).say(heard, sample.at, out);
    }

    fn growth_since<'a>(&self, from: Uptime, sample: &'a Sample<'a>) -> Growth<'a> {
        Growth {
            sample,
            from,
            before: sample.levels,
            now: sample.levels,
            circumstances: self.circumstances.since(from, sample.at),
        }
    }
}

/// The seed's growth is told even where the exact accounting does not see it.
fn hear_classic(
    episode: &mut Episode,
    opinion: Opinion,
    grade: Grade,
    growth: &classic::Growth<'_>,
    sample: &Sample<'_>,
) -> Heard {
    let from = growth.from.at;
    let Some(members) = opinion.members() else {
        return episode.hear_classic(from, sample.at);
    };
    episode.hear(&Claim {
        members,
        grade,
        from,
        before: growth.from.levels,
        at: sample.at,
        now: sample.levels,
    })
}

fn claim(growth: &Growth<'_>, members: Members, grade: Grade) -> Claim {
    Claim {
        members,
        grade,
        from: growth.from,
        before: growth.before,
        at: growth.sample.at,
        now: growth.now,
    }
}

fn earlier(at: Uptime, by: Duration) -> Uptime {
    Uptime(at.0.saturating_sub(by))
}

/// What the classic detector saw on the way, for higher verbosities.
fn say_what_moved(verdict: &Verdict<'_>, now: Balance, out: &mut Out<'_>) {
    if verdict.is_baseline_lower {
        let text = format!("Base memory consumption updated to {} K", now.kib());
        out.finding(&Finding::new(Severity::Debug, "baseline", &text).from_verbosity(5));
    }
    if let Some(before) = verdict.changed_from {
        let text = format!(
            "Unaccounted memory changed by more than 10 % since the last scan, from {before} to {now}"
        );
        out.finding(&Finding::new(Severity::Debug, "unaccounted-changed", &text));
    }
}

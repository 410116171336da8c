//! Decides when the pressure is to be changed, and in which direction.

use core::fmt;

use adaptivemm_module_api::Tunable;
use adaptivemm_module_api::trend::of_count;

use crate::course::{Change, Course, Heading, WINDOW};
use crate::options::{Options, Preference};
use crate::pressure::{Pressure, Seen, Step};
use crate::sample::Sample;

/// The number of scans in a row that must agree before a step. Swings shorter than both together are not a trend.
pub(crate) const AGREEING: usize = WINDOW;

/// Follows both numbers, and takes a step when they have headed the same way for a while.
#[derive(Debug)]
pub(crate) struct Detector {
    options: Options,
    dentries: Course,
    inodes: Course,
    /// The heading that the last scans agreed on, and their number.
    heading: Heading,
    agreeing: usize,
    ground: Option<Ground>,
    /// The tunable; `None` before the first scan.
    pressure: Option<Pressure>,
}

/// The least and the most objects at which a step was taken since the tunable last rested at its original value.
/// Only a number beyond these is a reason for another step, so that one that goes up and down moves the tunable once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ground {
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// The result of a scan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Observation {
    pub(crate) course: Option<(Change, Change)>,
    pub(crate) heading: Heading,
    pub(crate) seen: Option<Seen>,
    pub(crate) adjustment: Option<Adjustment>,
    pub(crate) state: State,
}

/// The state of the tunable, which says if anything may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Tuning,
    /// The last request was not carried out.
    Pausing,
    /// It was changed externally.
    Yielded,
    /// The administrator chose a value beyond what this module would set.
    OutOfBounds,
}

/// A value that should be set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Adjustment {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) original: i64,
    pub(crate) dentries: Change,
    pub(crate) inodes: Change,
    pub(crate) step: Step,
    pub(crate) options: Options,
    /// The number of scans that agreed on the heading.
    pub(crate) agreed: usize,
    pub(crate) objects: f64,
    /// The numbers of objects at which steps were taken before.
    pub(crate) ground: Option<Ground>,
}

impl Detector {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            dentries: Course::new(),
            inodes: Course::new(),
            heading: Heading::Level,
            agreeing: 0,
            ground: None,
            pressure: None,
        }
    }

    /// Looks at the machine.
    pub(crate) fn observe(&mut self, sample: &Sample) -> Observation {
        let found = sample.pressure;
        let seen = self.see(found);
        let Sample { at, period, .. } = *sample;
        let dentries = self.dentries.push(at, period, sample.dentries);
        let inodes = self.inodes.push(at, period, sample.inodes);
        let course = dentries.zip(inodes);
        self.agree(course);
        let adjustment = course.and_then(|course| self.adjustment(sample, course));
        let pressure = self.pressure.get_or_insert(Pressure::new(found));
        Observation {
            course,
            heading: self.heading,
            seen,
            adjustment,
            state: State::from_pressure(pressure),
        }
    }

    /// Looks at the tunable, and returns the change of its owner, if any.
    fn see(&mut self, found: Tunable) -> Option<Seen> {
        let Some(pressure) = &mut self.pressure else {
            self.pressure = Some(Pressure::new(found));
            let to = found.value;
            return found.is_yielded.then_some(Seen::Yielded { to });
        };
        let seen = pressure.see(found);
        if seen.is_some() {
            self.start_again();
        }
        seen
    }

    /// Forgets all scans, as they led to a value that is no longer in place.
    fn start_again(&mut self) {
        self.dentries.clear();
        self.inodes.clear();
        self.agreeing = 0;
        self.ground = None;
    }

    fn agree(&mut self, course: Option<(Change, Change)>) {
        let dead_band = self.options.dead_band_percent;
        match course
            .map(|(dentries, inodes)| dentries.heading(dead_band).and(inodes.heading(dead_band)))
        {
            Some(heading) if heading == self.heading => self.agreeing += 1,
            Some(heading) => (self.heading, self.agreeing) = (heading, 1),
            None => self.agreeing = 0,
        }
    }

    fn adjustment(&mut self, sample: &Sample, course: (Change, Change)) -> Option<Adjustment> {
        let objects = of_count(sample.objects());
        if self.agreeing < AGREEING || !self.is_new_ground(objects) {
            return None;
        }
        let agreed = core::mem::take(&mut self.agreeing);
        let ground = self.ground;
        let step = match (self.heading, self.options.preference) {
            (Heading::Level, _) => Step::Return,
            (Heading::Up, Preference::Objects) | (Heading::Down, Preference::Pages) => Step::Lower,
            (Heading::Down, Preference::Objects) | (Heading::Up, Preference::Pages) => Step::Raise,
        };
        let pressure = self.pressure.as_mut()?;
        if step == Step::Return && pressure.is_original() {
            self.ground = None;
        }
        let to = pressure.step(step)?;
        let original = pressure.original();
        if step != Step::Return {
            self.ground = Some(Ground::with(self.ground, objects));
        }
        let (dentries, inodes) = course;
        Some(Adjustment {
            from: sample.pressure.value,
            to,
            original,
            dentries,
            inodes,
            step,
            options: self.options,
            agreed,
            objects,
            ground,
        })
    }

    fn is_new_ground(&self, objects: f64) -> bool {
        let band = self.options.dead_band_percent / 100.0;
        match (self.ground, self.heading) {
            (None, _) | (_, Heading::Level) => true,
            (Some(ground), Heading::Up) => objects > ground.most * (1.0 + band),
            (Some(ground), Heading::Down) => objects < ground.least * (1.0 - band),
        }
    }
}

impl Ground {
    fn with(before: Option<Self>, objects: f64) -> Self {
        let Self { least, most } = before.unwrap_or(Self {
            least: objects,
            most: objects,
        });
        Self {
            least: least.min(objects),
            most: most.max(objects),
        }
    }
}

impl State {
    const fn from_pressure(pressure: &Pressure) -> Self {
        if pressure.is_yielded() {
            Self::Yielded
        } else if !pressure.is_tuned() {
            Self::OutOfBounds
        } else if pressure.is_pausing() {
            Self::Pausing
        } else {
            Self::Tuning
        }
    }
}

impl fmt::Display for Adjustment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            dentries,
            inodes,
            original,
            options,
            ..
        } = self;
        write!(
            f,
            "dentries {dentries}, inodes {inodes} in {:.0} s, dead band {:.1} %: ",
            dentries.span.as_secs_f64(),
            options.dead_band_percent,
        )?;
        match (self.step, options.preference) {
            (Step::Return, _) => f.write_str("the trend has ended, so this is a step back")?,
            (Step::Lower, Preference::Objects) => f.write_str("they grow, and are to be kept")?,
            (Step::Raise, Preference::Objects) => f.write_str("they are no longer needed")?,
            (Step::Raise, Preference::Pages) => {
                f.write_str("they grow, and page cache is to be kept")?;
            }
            (Step::Lower, Preference::Pages) => f.write_str("they shrink, and may stay")?,
        }
        write!(f, "; originally {original}")
    }
}

//! One growth, however many detectors see it.
//!
//! The first warning opens an episode. Whatever else is seen growing before the growth has stopped is
//! evidence of the same, and told aside; aloud only if a note becomes a warning, or the growth has doubled
//! since it was last told. An episode ends when half of the growth is gone, or with a growth that began
//! after the last one had stopped.

use adaptivemm_module_api::units::{Balance, Uptime};

use crate::horizon::Grade;
use crate::series::{Levels, Members, Series};

/// What a detector saw growing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) members: Members,
    pub(crate) grade: Grade,
    /// When it began, as far as this detector looks back, and how things were then.
    pub(crate) from: Uptime,
    pub(crate) before: Levels,
    pub(crate) at: Uptime,
    pub(crate) now: Levels,
}

/// How a claim is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// As news.
    Aloud,
    /// As more evidence of what was told at this time.
    Aside(Uptime),
}

/// The growth that goes on, if there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Episode(pub(crate) Option<Open>);

/// A growth that was told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Open {
    pub(crate) opened: Uptime,
    pub(crate) origin: Levels,
    pub(crate) members: Members,
    pub(crate) grade: Grade,
    /// The growth when it was last told aloud.
    pub(crate) told: Balance,
    pub(crate) told_at: Uptime,
    /// When it was last seen growing.
    pub(crate) last_seen: Uptime,
}

/// What the core is to call a growth that was told at this time for the first time.
pub(crate) fn name(opened: Uptime) -> String {
    format!("growth-{}", opened.0.as_secs())
}

/// A growth that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) opened: Uptime,
    pub(crate) told: Balance,
    pub(crate) left: Balance,
}

impl Episode {
    /// Takes in what a detector claims.
    pub(crate) fn hear(&mut self, claim: &Claim) -> Telling {
        let same = self.0.as_mut().filter(|open| claim.from <= open.last_seen);
        let Some(open) = same else {
            self.0 = Some(Open::of(claim));
            return Telling::Aloud;
        };
        open.join(claim)
    }

    /// What the core is to call the growth that goes on.
    pub(crate) fn name(&self) -> Option<String> {
        self.0.as_ref().map(|open| name(open.opened))
    }

    /// How much missing memory is told: its growth may have been already.
    pub(crate) fn telling_of_level(&self) -> Telling {
        match &self.0 {
            Some(open) if open.grade == Grade::Warning && open.members.has(Series::Unaccounted) => {
                Telling::Aside(open.opened)
            }
            Some(_) | None => Telling::Aloud,
        }
    }

    /// Notes which series a detector saw growing, without being sure of it yet.
    pub(crate) fn glimpse(&mut self, members: Members, at: Uptime) {
        if let Some(open) = &mut self.0 {
            if Series::ALL
                .into_iter()
                .any(|series| members.has(series) && open.members.has(series))
            {
                open.last_seen = open.last_seen.max(at);
            }
        }
    }

    /// Looks whether the growth is gone by now, in the floors of a time that began at `from`.
    pub(crate) fn look_back(&mut self, floors: &Levels, from: Uptime) -> Option<Over> {
        let open = self.0.as_ref().filter(|open| from >= open.told_at)?;
        // What is unknown now may still be there.
        let is_known = Series::ALL
            .into_iter()
            .all(|series| !open.members.has(series) || floors.get(series).is_some());
        let left = floors.growth(&open.origin, open.members);
        let is_over = is_known && left.get() < open.told.get() / 2;
        let over = Over {
            opened: open.opened,
            told: open.told,
            left,
        };
        is_over.then(|| {
            self.0 = None;
            over
        })
    }

    /// How much the growth is by now; zero without one.
    pub(crate) fn growth(&self, now: &Levels) -> Balance {
        let growth = |open: &Open| now.growth(&open.origin, open.members);
        self.0.as_ref().map_or(Balance::default(), growth)
    }
}

impl Open {
    fn of(claim: &Claim) -> Self {
        Self {
            opened: claim.at,
            origin: claim.before,
            members: claim.members,
            grade: claim.grade,
            told: claim.now.growth(&claim.before, claim.members),
            told_at: claim.at,
            last_seen: claim.at,
        }
    }

    fn join(&mut self, claim: &Claim) -> Telling {
        for series in Series::ALL {
            if claim.members.has(series) && !self.members.has(series) {
                self.origin.set(series, claim.before.get(series));
            }
        }
        self.members = self.members.and(claim.members);
        self.last_seen = self.last_seen.max(claim.at);
        let growth = claim.now.growth(&self.origin, self.members);
        let has_doubled = growth.get() / 2 >= self.told.get();
        if claim.grade <= self.grade && !has_doubled {
            return Telling::Aside(self.opened);
        }
        self.grade = self.grade.max(claim.grade);
        self.told = growth;
        self.told_at = claim.at;
        Telling::Aloud
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const UNACCOUNTED: Members = Members::of(Series::Unaccounted);
    const SLAB: Members = Members::of(Series::Slab);

    fn hours(hours: u64) -> Uptime {
        Uptime(Duration::from_secs(hours * 3600))
    }

    fn levels(unaccounted: i64, slab: i64) -> Levels {
        let mut levels = Levels::default();
        levels.set(Series::Unaccounted, Some(Balance::new(unaccounted)));
        levels.set(Series::Slab, Some(Balance::new(slab)));
        levels
    }

    /// That something grew from nothing to this within the hours before.
    fn claim(members: Members, grade: Grade, from: u64, at: u64, now: Levels) -> Claim {
        Claim {
            members,
            grade,
            from: hours(from),
            before: levels(0, 0),
            at: hours(at),
            now,
        }
    }

    fn warning(members: Members, from: u64, at: u64, now: Levels) -> Claim {
        claim(members, Grade::Warning, from, at, now)
    }

    #[test]
    fn two_detectors_of_one_growth_are_told_as_one() {
        let mut episode = Episode::default();

        assert_eq!(
            episode.hear(&warning(UNACCOUNTED, 0, 6, levels(100, 0))),
            Telling::Aloud
        );
        let aside = Telling::Aside(hours(6));
        assert_eq!(
            episode.hear(&warning(UNACCOUNTED, 0, 7, levels(120, 0))),
            aside
        );
        assert_eq!(episode.hear(&warning(SLAB, 1, 7, levels(120, 79))), aside);
    }

    #[test]
    fn growth_that_doubled_is_told_again_and_then_must_double_again() {
        let mut episode = Episode::default();
        let told = [100, 199, 200, 399, 400].map(|growth| {
            episode.hear(&warning(UNACCOUNTED, 0, 6, levels(growth, 0))) == Telling::Aloud
        });

        assert_eq!(told, [true, false, true, false, true]);
    }

    #[test]
    fn a_note_that_becomes_a_warning_is_told_and_a_warning_is_never_a_note_again() {
        let mut episode = Episode::default();
        let told = [Grade::Note, Grade::Note, Grade::Warning, Grade::Note].map(|grade| {
            episode.hear(&claim(UNACCOUNTED, grade, 0, 6, levels(100, 0))) == Telling::Aloud
        });

        assert_eq!(told, [true, false, true, false]);
    }

    #[test]
    fn what_grows_after_the_growth_had_stopped_is_another_one() {
        let mut episode = Episode::default();
        episode.hear(&warning(UNACCOUNTED, 0, 6, levels(900, 0)));
        episode.glimpse(UNACCOUNTED, hours(8));
        episode.glimpse(SLAB, hours(20));

        assert_eq!(
            episode.hear(&warning(SLAB, 8, 14, levels(900, 90))),
            Telling::Aside(hours(6))
        );
        assert_eq!(
            episode.hear(&warning(SLAB, 15, 21, levels(900, 90))),
            Telling::Aloud
        );
    }

    #[test]
    fn it_is_over_when_half_of_it_is_gone() {
        let mut episode = Episode::default();
        episode.hear(&warning(UNACCOUNTED, 0, 6, levels(100, 0)));
        let look_back =
            |episode: &mut Episode, from, floors| episode.look_back(&floors, hours(from));

        assert_eq!(look_back(&mut episode, 5, levels(0, 0)), None, "before it");
        assert_eq!(look_back(&mut episode, 6, levels(50, 0)), None);
        assert_eq!(
            look_back(&mut episode, 6, Levels::default()),
            None,
            "nobody knows"
        );
        assert_eq!(
            look_back(&mut episode, 6, levels(49, 0)),
            Some(Over {
                opened: hours(6),
                told: Balance::new(100),
                left: Balance::new(49),
            })
        );
        assert_eq!(look_back(&mut episode, 6, levels(0, 0)), None);
        assert_eq!(
            episode.hear(&warning(UNACCOUNTED, 0, 9, levels(100, 0))),
            Telling::Aloud
        );
    }

    #[test]
    fn growth_that_nobody_can_measure_is_always_told() {
        let mut episode = Episode::default();
        let unknown = warning(UNACCOUNTED, 0, 6, Levels::default());

        assert_eq!([0; 3].map(|_| episode.hear(&unknown)), [Telling::Aloud; 3]);
    }
}

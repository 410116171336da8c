//! One growth, however many detectors see it.
//!
//! The first warning opens an episode. Whatever else is seen growing before the growth has stopped is
//! evidence of the same, and told aside; aloud only if a note becomes a warning, or the growth has doubled
//! since it was last told. An episode ends when half of the growth is gone, or with a growth that began
//! after the last one had stopped.

use core::time::Duration;

use adaptivemm_module_api::units::{Balance, Uptime};

use crate::horizon::Grade;
use crate::incident::{Incident, Lasting};
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

/// What is said of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) telling: Telling,
    pub(crate) incident: Incident,
    /// The growth before, which nobody will look after any more.
    pub(crate) replaced: Option<Over>,
}

/// The growth that goes on, if there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Episode {
    pub(crate) open: Option<Open>,
    /// A rise that nobody is sure of yet.
    pub(crate) suspicion: Lasting,
    /// Growth that only the classic formula sees.
    pub(crate) classic: Lasting,
}

/// A growth that was told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Open {
    /// When it was suspected or told first: its name.
    pub(crate) named: Uptime,
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

/// A growth that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) incident: Incident,
    pub(crate) opened: Uptime,
    pub(crate) told: Balance,
    pub(crate) left: Balance,
}

impl Over {
    /// Whether half of it is there, or more.
    pub(crate) fn is_left(&self) -> bool {
        self.left.get() >= self.told.get() / 2
    }
}

impl Episode {
    /// Takes in what a detector claims.
    pub(crate) fn hear(&mut self, claim: &Claim) -> Heard {
        let same = self
            .open
            .as_mut()
            .filter(|open| claim.from <= open.last_seen);
        if let Some(open) = same {
            return Heard {
                telling: open.join(claim),
                incident: open.incident(),
                replaced: None,
            };
        }
        let suspected = self.suspicion.since(claim.at);
        let open = Open::of(claim, suspected.unwrap_or(claim.at));
        let incident = open.incident();
        let before = self.open.replace(open);
        self.suspicion = Lasting::default();
        Heard {
            telling: Telling::Aloud,
            incident,
            replaced: before.map(|before| before.over(&claim.now)),
        }
    }

    /// Takes in a growth that only the classic formula sees. It is always told, but is no part of another
    /// growth, and no other is part of it.
    pub(crate) fn hear_classic(&mut self, from: Uptime, at: Uptime) -> Heard {
        // The next report of the same comes after as long, more or less.
        let lasts = at.since(from).saturating_mul(2);
        let (since, _) = self.classic.see(at, lasts);
        Heard {
            telling: Telling::Aloud,
            incident: Incident::Classic(since),
            replaced: None,
        }
    }

    /// How much missing memory is told: its growth may have been already, or, if somebody saw it grow, is now.
    pub(crate) fn hear_level(&mut self, grade: Grade, grown: Option<&Claim>) -> Heard {
        match &self.open {
            Some(open) if open.grade >= grade && open.members.has(Series::Unaccounted) => Heard {
                telling: Telling::Aside(open.opened),
                incident: open.incident(),
                replaced: None,
            },
            Some(_) | None => grown.map_or(
                Heard {
                    telling: Telling::Aloud,
                    incident: Incident::Level,
                    replaced: None,
                },
                |claim| self.hear(claim),
            ),
        }
    }

    /// Takes in that some series rise, of which a detector will be sure, if it goes on, within this time. The
    /// incident that this may become, if that is news.
    pub(crate) fn suspect(
        &mut self,
        members: Members,
        at: Uptime,
        lasts: Duration,
    ) -> Option<Incident> {
        if self.is_known(members) {
            return None;
        }
        let (since, is_new) = self.suspicion.see(at, lasts);
        is_new.then_some(Incident::Growth(since))
    }

    /// Notes which series a detector saw growing, without being sure of it yet.
    pub(crate) fn glimpse(&mut self, members: Members, at: Uptime) {
        if !self.is_known(members) {
            return;
        }
        if let Some(open) = &mut self.open {
            open.last_seen = open.last_seen.max(at);
        }
    }

    /// Whether one of them was told to grow.
    fn is_known(&self, members: Members) -> bool {
        let is_known = |open: &Open| {
            Series::ALL
                .into_iter()
                .any(|series| members.has(series) && open.members.has(series))
        };
        self.open.as_ref().is_some_and(is_known)
    }

    /// Looks whether the growth is gone by now, in the floors of a time that began at `from`.
    pub(crate) fn look_back(&mut self, floors: &Levels, from: Uptime) -> Option<Over> {
        let open = self.open.as_ref().filter(|open| from >= open.told_at)?;
        // What is unknown now may still be there.
        let is_known = Series::ALL
            .into_iter()
            .all(|series| !open.members.has(series) || floors.get(series).is_some());
        let over = open.over(floors);
        let is_over = is_known && !over.is_left();
        is_over.then(|| {
            self.open = None;
            over
        })
    }

    /// How much the growth is by now; zero without one.
    pub(crate) fn growth(&self, now: &Levels) -> Balance {
        let growth = |open: &Open| now.growth(&open.origin, open.members);
        self.open.as_ref().map_or(Balance::default(), growth)
    }
}

impl Open {
    fn of(claim: &Claim, named: Uptime) -> Self {
        Self {
            named,
            opened: claim.at,
            origin: claim.before,
            members: claim.members,
            grade: claim.grade,
            told: claim.now.growth(&claim.before, claim.members),
            told_at: claim.at,
            last_seen: claim.at,
        }
    }

    /// What is to be said when it is over, with what there is of it now.
    fn over(&self, now: &Levels) -> Over {
        Over {
            incident: self.incident(),
            opened: self.opened,
            told: self.told,
            left: now.growth(&self.origin, self.members),
        }
    }

    const fn incident(&self) -> Incident {
        Incident::Growth(self.named)
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

    fn heard(telling: Telling, named: u64) -> Heard {
        Heard {
            telling,
            incident: Incident::Growth(hours(named)),
            replaced: None,
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
            heard(Telling::Aloud, 6)
        );
        let aside = heard(Telling::Aside(hours(6)), 6);
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
            let claim = warning(UNACCOUNTED, 0, 6, levels(growth, 0));
            episode.hear(&claim).telling == Telling::Aloud
        });

        assert_eq!(told, [true, false, true, false, true]);
    }

    #[test]
    fn a_note_that_becomes_a_warning_is_told_and_a_warning_is_never_a_note_again() {
        let mut episode = Episode::default();
        let told = [Grade::Note, Grade::Note, Grade::Warning, Grade::Note].map(|grade| {
            let claim = claim(UNACCOUNTED, grade, 0, 6, levels(100, 0));
            episode.hear(&claim).telling == Telling::Aloud
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
            heard(Telling::Aside(hours(6)), 6)
        );
        let replaced = Over {
            incident: Incident::Growth(hours(6)),
            opened: hours(6),
            told: Balance::new(900),
            left: Balance::new(500),
        };
        assert_eq!(
            episode.hear(&warning(SLAB, 15, 21, levels(410, 90))),
            Heard {
                replaced: Some(replaced),
                ..heard(Telling::Aloud, 21)
            }
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
                incident: Incident::Growth(hours(6)),
                opened: hours(6),
                told: Balance::new(100),
                left: Balance::new(49),
            })
        );
        assert_eq!(look_back(&mut episode, 6, levels(0, 0)), None);
        assert_eq!(
            episode.hear(&warning(UNACCOUNTED, 0, 9, levels(100, 0))),
            heard(Telling::Aloud, 9)
        );
    }

    #[test]
    fn a_growth_has_the_name_of_its_suspicion_if_that_did_not_pass() {
        let hour = Duration::from_secs(3600);
        let name = |seen: u64, told: u64| {
            let mut episode = Episode::default();
            let first = episode.suspect(UNACCOUNTED, hours(3), hour);
            assert_eq!(first, Some(Incident::Growth(hours(3))));
            for at in 4..=seen {
                assert_eq!(episode.suspect(UNACCOUNTED, hours(at), hour), None);
            }
            let heard = episode.hear(&warning(UNACCOUNTED, 0, told, levels(100, 0)));
            assert_eq!(episode.suspect(UNACCOUNTED, hours(99), hour), None, "known");
            heard.incident
        };

        assert_eq!(name(3, 4), Incident::Growth(hours(3)));
        assert_eq!(name(3, 5), Incident::Growth(hours(5)));
        assert_eq!(name(6, 7), Incident::Growth(hours(3)));
    }

    #[test]
    fn growth_of_the_classic_formula_only_is_one_for_as_long_as_it_goes_on() {
        let mut episode = Episode::default();
        let mut name = |from, at| episode.hear_classic(hours(from), hours(at)).incident;

        assert_eq!(name(0, 10), Incident::Classic(hours(10)));
        assert_eq!(name(10, 20), Incident::Classic(hours(10)));
        assert_eq!(name(30, 40), Incident::Classic(hours(10)));
        assert_eq!(name(71, 81), Incident::Classic(hours(81)));
    }

    #[test]
    fn missing_memory_belongs_to_the_growth_that_was_told_of_it() {
        let mut episode = Episode::default();
        assert_eq!(
            episode.hear_level(Grade::Warning, None).incident,
            Incident::Level
        );

        episode.hear(&warning(SLAB, 0, 6, levels(0, 100)));
        assert_eq!(
            episode.hear_level(Grade::Warning, None).incident,
            Incident::Level
        );

        episode.hear(&warning(UNACCOUNTED, 0, 7, levels(100, 100)));
        assert_eq!(
            episode.hear_level(Grade::Warning, None),
            heard(Telling::Aside(hours(6)), 6)
        );
    }

    #[test]
    fn missing_memory_that_was_seen_to_grow_is_a_growth_that_others_see_later() {
        let mut episode = Episode::default();
        let grown = warning(UNACCOUNTED, 0, 6, levels(100, 0));

        assert_eq!(
            episode.hear_level(Grade::Warning, Some(&grown)),
            heard(Telling::Aloud, 6)
        );
        assert_eq!(
            episode.hear(&warning(UNACCOUNTED, 4, 8, levels(120, 0))),
            heard(Telling::Aside(hours(6)), 6)
        );
    }

    #[test]
    fn growth_that_nobody_can_measure_is_always_told() {
        let mut episode = Episode::default();
        let unknown = warning(UNACCOUNTED, 0, 6, Levels::default());

        assert_eq!(
            [0; 3].map(|_| episode.hear(&unknown)),
            [heard(Telling::Aloud, 6); 3]
        );
    }
}

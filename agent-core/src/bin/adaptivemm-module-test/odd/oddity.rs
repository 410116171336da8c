//! What can be odd about a machine: its files, or the time.

use crate::large::enlarge;
use crate::reel::Files;
use crate::stage::Whose;
use crate::text;
use agent_core::kernel::tunables;
use agent_core::modules::abi::Description;

const HOUR: u64 = 3_600_000;
const WEEK: u64 = 7 * 24 * HOUR;

/// What is odd about a machine.
#[derive(Debug, Clone)]
pub(super) enum Oddity {
    NoFiles,
    Without(String),
    EmptyFiles,
    HalfTheLines(usize),
    EachLineMissing,
    HugeNumbers,
    Zeros,
    Garbage,
    CutOff,
    ManyNodes,
    TunablesOfOurs,
    TunablesOfOthers,
    TimeStandsStill,
    WeekLater,
    TimeGoesBack,
    LongPause,
}

impl Oddity {
    /// All that can be odd for a module.
    pub(super) fn all(module: &Description) -> Vec<Self> {
        let mut oddities = vec![Oddity::NoFiles, Oddity::EmptyFiles];
        oddities.extend(sights(module).into_iter().map(Oddity::Without));
        oddities.extend([
            Oddity::HalfTheLines(0),
            Oddity::HalfTheLines(1),
            Oddity::EachLineMissing,
            Oddity::HugeNumbers,
            Oddity::Zeros,
            Oddity::Garbage,
            Oddity::CutOff,
        ]);
        let wanted = module.wanted();
        if wanted.zoneinfo || wanted.buddyinfo || wanted.node_meminfo {
            oddities.push(Oddity::ManyNodes);
        }
        if !wanted.tunables.is_empty() {
            oddities.extend([Oddity::TunablesOfOurs, Oddity::TunablesOfOthers]);
        }
        oddities.extend([
            Oddity::TimeStandsStill,
            Oddity::WeekLater,
            Oddity::TimeGoesBack,
            Oddity::LongPause,
        ]);
        oddities
    }

    pub(super) fn name(&self) -> String {
        let name = match self {
            Self::NoFiles => "no-files",
            Self::Without(sight) => return format!("without-{}", sight.replace('/', "-")),
            Self::EmptyFiles => "empty-files",
            Self::HalfTheLines(0) => "odd-lines-only",
            Self::HalfTheLines(_) => "even-lines-only",
            Self::EachLineMissing => "each-line-missing",
            Self::HugeNumbers => "huge-numbers",
            Self::Zeros => "zeros",
            Self::Garbage => "garbage",
            Self::CutOff => "cut-off",
            Self::ManyNodes => "many-nodes",
            Self::TunablesOfOurs => "changed-tunables",
            Self::TunablesOfOthers => "yielded-tunables",
            Self::TimeStandsStill => "time-stands-still",
            Self::WeekLater => "week-later",
            Self::TimeGoesBack => "time-goes-back",
            Self::LongPause => "long-pause",
        };
        name.to_owned()
    }

    /// The same files, made odd.
    pub(super) fn odd(&self, files: &Files) -> Files {
        let mut odd = files.clone();
        let each = |change: &dyn Fn(&str) -> String| {
            files
                .iter()
                .map(|(path, text)| (path.clone(), change(text)))
                .collect::<Files>()
        };
        match self {
            Self::NoFiles => odd.clear(),
            Self::Without(sight) => odd.retain(|path, _| !is_of(path, sight)),
            Self::EmptyFiles => odd.values_mut().for_each(String::clear),
            Self::HalfTheLines(from) => return each(&|text| text::half(text, *from)),
            Self::HugeNumbers => return each(&|text| text::with_numbers(text, huge)),
            Self::Zeros => return each(&|text| text::with_numbers(text, |_| "0".to_owned())),
            Self::Garbage => return each(&|_| text::garbage()),
            Self::CutOff => return each(&text::cut_off),
            Self::ManyNodes => enlarge(&mut odd),
            Self::EachLineMissing
            | Self::TunablesOfOurs
            | Self::TunablesOfOthers
            | Self::TimeStandsStill
            | Self::WeekLater
            | Self::TimeGoesBack
            | Self::LongPause => {}
        }
        odd
    }

    /// Whose values the tunables have.
    pub(super) const fn whose(&self) -> Whose {
        match self {
            Self::TunablesOfOurs => Whose::Ours,
            Self::TunablesOfOthers => Whose::Theirs,
            _ => Whose::Original,
        }
    }

    /// Whether a trace can hold it, which has only files, and a time that does not go back.
    pub(super) const fn fits_into_a_trace(&self) -> bool {
        !matches!(
            self,
            Self::TimeGoesBack | Self::TunablesOfOurs | Self::TunablesOfOthers
        )
    }

    /// When the scans are, if that is what is odd.
    pub(super) fn times(&self, period: u64) -> Option<[u64; 6]> {
        // Late enough that there is a time before.
        let at = |scans: [u64; 6]| scans.map(|scan| HOUR + scan * period);
        let with_pause = |pause: u64| {
            let mut times = at([0, 1, 2, 3, 4, 5]);
            times[2..].iter_mut().for_each(|time| *time += pause);
            times
        };
        match self {
            Self::TimeStandsStill => Some(at([0, 1, 1, 1, 1, 2])),
            Self::TimeGoesBack => Some(at([5, 6, 4, 0, 5, 6])),
            Self::WeekLater => Some(with_pause(WEEK)),
            Self::LongPause => Some(with_pause(HOUR)),
            _ => None,
        }
    }
}

/// The largest number that there is: of bytes where the file says kB.
fn huge(is_kib: bool) -> String {
    (if is_kib { u64::MAX / 1024 } else { u64::MAX }).to_string()
}

/// The files, directories and tunables that a module can see.
pub(crate) fn sights(module: &Description) -> Vec<String> {
    let knobs = module.writes.iter().filter_map(|name| tunables::find(name));
    let paths = module
        .needs
        .iter()
        .cloned()
        .chain(knobs.map(|knob| knob.path.to_owned()));
    paths
        .map(|path| path.trim_start_matches('/').to_owned())
        .collect()
}

/// Whether a path is a sight, or below one.
pub(crate) fn is_of(path: &str, sight: &str) -> bool {
    path.strip_prefix(sight)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

//! Odd machines: what no test of the author may have thought of, and a kernel, a container or a sleeping laptop
//! shows some day.

mod oddity;

use std::io;

use adaptivemm_module_api::units::PageSize;

use super::candidate::Candidate;
use super::manners::Manners;
use super::reel::{Files, Reel, milliseconds};
use super::report::{Level, Report};
use super::stage::{Answer, Stage, Whose};
use super::text;
use agent_core::kernel::trace::{Compression, Header, Writer};
use agent_core::modules::abi::Description;

use oddity::Oddity;
pub(super) use oddity::{is_of, sights};

/// After so many failures the rest is left out: each may take seconds.
const ENOUGH: usize = 5;
/// The most lines of a file that are left out, each in a scan of its own.
const LINES: usize = 100;

/// An odd machine for one module.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    oddity: Oddity,
    /// Good moments, of those files only that the module can see.
    good: Vec<Files>,
    period: u64,
}

/// What a machine is like at one moment.
struct Moment {
    t_ms: u64,
    files: Files,
    /// Whose values the tunables have.
    whose: Whose,
    /// The module misses the scans since the last moment.
    is_late: bool,
}

/// The odd machines for a module.
pub(super) fn cases(module: &Description, reel: &Reel) -> Vec<Case> {
    let good: Vec<Files> = reel
        .start()
        .into_iter()
        .map(|files| seen(files, module))
        .collect();
    let case = |oddity: Oddity| Case {
        name: oddity.name(),
        oddity,
        good: good.clone(),
        period: milliseconds(reel.period),
    };
    Oddity::all(module).into_iter().map(case).collect()
}

fn seen(mut files: Files, module: &Description) -> Files {
    let sights = sights(module);
    files.retain(|path, _| sights.iter().any(|sight| is_of(path, sight)));
    files
}

impl Case {
    /// What is shown. Good moments are in between and at the end: what is odd passes.
    fn moments(&self) -> Vec<Moment> {
        if let Some(times) = self.oddity.times(self.period) {
            let is_late = |index| matches!(self.oddity, Oddity::LongPause) && index == 2;
            let moment = |(index, t_ms)| Moment {
                t_ms,
                files: self.good(index),
                whose: Whose::Original,
                is_late: is_late(index),
            };
            return times.into_iter().enumerate().map(moment).collect();
        }
        let odd = |index| self.oddity.odd(&self.good(index));
        let files = match self.oddity {
            Oddity::EachLineMissing => self.lines_missing(),
            _ => vec![
                odd(0),
                self.good(1),
                self.good(2),
                odd(3),
                odd(4),
                self.good(5),
            ],
        };
        let moment = |(index, (t_ms, files))| Moment {
            t_ms,
            files,
            whose: if Self::is_good(index) {
                Whose::Original
            } else {
                self.oddity.whose()
            },
            is_late: false,
        };
        let step = usize::try_from(self.period).unwrap_or(usize::MAX).max(1);
        let times = (0..).step_by(step);
        times.zip(files).enumerate().map(moment).collect()
    }

    /// Whether the moment is one of the good ones in between.
    const fn is_good(index: usize) -> bool {
        matches!(index, 1 | 2 | 5)
    }

    fn good(&self, index: usize) -> Files {
        self.good[index % self.good.len()].clone()
    }

    fn lines_missing(&self) -> Vec<Files> {
        let good = self.good(0);
        let mut moments = vec![good.clone()];
        for (path, text) in &good {
            let lines = text.lines().count();
            for line in (0..lines).step_by(lines.div_ceil(LINES).max(1)) {
                let mut files = good.clone();
                files.insert(path.clone(), text::without_line(text, line));
                moments.push(files);
            }
        }
        moments.push(good);
        moments
    }

    /// Whether a trace can hold it.
    pub(super) const fn fits_into_a_trace(&self) -> bool {
        self.oddity.fits_into_a_trace()
    }

    /// As a trace, for a replay.
    pub(super) fn trace(&self, reel: &Reel) -> io::Result<String> {
        let page_size = reel.page_size.unwrap_or(PageSize::FOUR_KIB).bytes().get();
        let header = Header::new(
            "",
            std::env::consts::ARCH,
            page_size,
            self.period,
            &self.name,
        );
        let mut trace = Writer::new(Vec::new(), Compression::None, &header)?;
        let moments = self.moments();
        for moment in &moments {
            let all = moments.iter().flat_map(|moment| moment.files.keys());
            let files =
                all.map(|path| (path.as_str(), moment.files.get(path).map(String::as_bytes)));
            trace.frame(moment.t_ms, files)?;
        }
        String::from_utf8(trace.finish()?).map_err(io::Error::other)
    }

    /// Shows the machine to the module. Whether it did its work in the end.
    fn play(
        &self,
        candidate: &Candidate,
        reel: &Reel,
        manners: &mut Manners,
    ) -> Result<bool, String> {
        let stage = Stage::new(candidate, &candidate.values, reel, manners);
        let mut stage = stage.map_err(|not_created| not_created.to_string())?;
        let mut last = Answer::Good;
        for (index, moment) in self.moments().iter().enumerate() {
            if moment.is_late {
                (0..100).for_each(|_| stage.miss(moment.t_ms));
            }
            stage.give_tunables(moment.whose);
            let shown = stage.show_files(moment.t_ms, &moment.files);
            last = shown.map_err(|why| format!("in scan {}: {why}", index + 1))?;
        }
        stage.end().map_err(|why| format!("at the end: {why}"))?;
        Ok(last == Answer::Good)
    }
}

/// Shows all odd machines to a module. `is_able` says that it had no trouble with the good one, `typed` what was
/// typed to test it.
pub(super) fn judge(
    candidate: &Candidate,
    (reel, is_able, typed): (&Reel, bool, &str),
    manners: &mut Manners,
    report: &mut Report,
) {
    let cases = cases(&candidate.module, reel);
    let mut complaints = Vec::new();
    let mut example = None;
    for case in &cases {
        let (level, why) = match case.play(candidate, reel, manners) {
            Err(why) => (Level::Fail, why),
            Ok(is_well) if is_well || !is_able => continue,
            Ok(_) => (
                Level::Warning,
                "once the machine is as before, it still fails".to_owned(),
            ),
        };
        complaints.push((level, format!("{}: {why}", case.name)));
        example = example.or(Some(case).filter(|case| case.fits_into_a_trace()));
        if complaints.len() == ENOUGH {
            complaints.push((
                Level::Note,
                "the other odd machines are left out".to_owned(),
            ));
            break;
        }
    }
    if let Some(Case { name, .. }) = example {
        let how = format!(
            "to see {name}, replay what `adaptivemmd module-test {typed} --show {name}` prints"
        );
        complaints.push((Level::Note, how));
    }
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let good = format!("it stood {}", names.join(", "));
    report.judge(complaints, candidate.name(), "odd machines", &good);
}

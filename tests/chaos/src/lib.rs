//! A module that misbehaves on request, and one beside it that does not. Only tests load it.
//!
//! `mode` says what goes wrong, as in the table below; a mode that is not in it concerns the time before or after the scans.
#![allow(clippy::disallowed_methods, reason = "does what no module may")]

mod calm;
mod deaths;
mod delays;
mod escapes;
mod floods;
mod forgeries;
mod panics;
mod sink;
mod texts;

use adaptivemm_module_api::{
    Action, Config, ConfigProblem, ConfigProblems, Info, Module, Need, Opt, Out, ScanError,
    Snapshot,
};

/// What it may change.
const WATERMARK: &str = "vm.watermark_scale_factor";

const MODE: Opt<&str> = Opt::text("mode", "none", "What goes wrong");
const FROM_SCAN: Opt<i64> = Opt::integer(
    "from-scan",
    1,
    1,
    1_000_000,
    "The first scan that goes wrong",
);
const SCANS: Opt<i64> = Opt::integer(
    "scans",
    1_000_000,
    1,
    1_000_000,
    "How many scans in a row go wrong",
);
const AGAIN_FROM: Opt<i64> = Opt::integer(
    "again-from-scan",
    1_000_000,
    1,
    1_000_000,
    "The scan from which on all go wrong",
);

/// What can go wrong in a scan.
type Mischief = fn(&Snapshot<'_>, &mut Out<'_>);

const MISCHIEF: [(&str, Mischief); 37] = [
    ("none", |_, _| ()),
    ("panic-str", |_, _| panics::with_a_str()),
    ("panic-string", |_, _| panics::with_a_string()),
    ("panic-number", |_, _| panics::with_a_number()),
    ("panic-drop", |_, _| panics::with_a_payload_that_panics()),
    ("panic-after-words", panics::after_words),
    ("hang", |_, _| delays::hang()),
    ("spin", |_, _| delays::spin()),
    ("slow", delays::slow),
    ("slow-warning", delays::slow_warning),
    ("flood-findings", floods::findings),
    ("flood-metrics", floods::metrics),
    ("flood-requests", floods::requests),
    ("flood-log", floods::log),
    ("flood-status", floods::status),
    ("huge", texts::huge),
    ("not-utf-8", |_, _| texts::not_utf_8()),
    ("controls", texts::controls),
    ("numbers", texts::numbers),
    ("ask", texts::ask),
    ("incident", texts::incident),
    ("null", |_, _| sink::nothing()),
    ("stray-thread", |_, _| sink::from_another_thread()),
    ("segfault", |_, _| deaths::segfault()),
    ("abort", |_, _| std::process::abort()),
    ("exit", |_, _| std::process::exit(0)),
    ("overflow", |_, _| deaths::overflow()),
    ("oom", |_, _| deaths::out_of_memory()),
    ("close", |_, _| forgeries::close()),
    ("garbage", |_, _| forgeries::garbage()),
    ("truncated", |_, _| forgeries::truncated()),
    ("huge-length", |_, _| forgeries::huge_length()),
    ("forge", forgeries::request),
    ("forge-much", forgeries::much),
    ("wrong-scan", forgeries::wrong_scan),
    ("print", floods::print),
    ("escape", |_, out| escapes::all(out)),
];

/// Misbehaves.
struct Chaos {
    mode: String,
    mischief: Mischief,
    from: u64,
    scans: u64,
    again_from: u64,
}

impl Module for Chaos {
    const INFO: Info = Info {
        enabled: false,
        needs: &[Need::MEMINFO],
        writes: &[Action::set(WATERMARK), Action::COMPACT_NODE],
        options: &[&MODE, &FROM_SCAN, &SCANS, &AGAIN_FROM],
        ..Info::new("chaos", "1", "Misbehaves on request")
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        let mode = config.text(&MODE);
        match mode {
            "create-panic" => panics::with_a_str(),
            "create-panic-drop" => panics::with_a_payload_that_panics(),
            "create-hang" => delays::hang(),
            "create-exit" => std::process::exit(0),
            "create-segfault" => deaths::segfault(),
            "create-wrong" => return Err(wrong("chaos by request")),
            _ => {}
        }
        let known = MISCHIEF.iter().find(|(name, _)| *name == mode);
        let number = |option| config.integer(option).unsigned_abs();
        Ok(Self {
            mode: mode.to_owned(),
            mischief: known.map_or(MISCHIEF[0].1, |(_, mischief)| *mischief),
            from: number(&FROM_SCAN),
            scans: number(&SCANS),
            again_from: number(&AGAIN_FROM),
        })
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let scan = snapshot.scan();
        if (self.from..self.from + self.scans).contains(&scan) || scan >= self.again_from {
            (self.mischief)(snapshot, out);
            if self.mode == "fail" {
                return Err(ScanError::new("chaos by request"));
            }
        }
        Ok(())
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        match self.mode.as_str() {
            "destroy-panic" => panic!("destroyed by request"),
            "destroy-panic-drop" => panics::with_a_payload_that_panics(),
            "destroy-hang" => delays::hang(),
            "stray-destroy" => sink::later(),
            _ => {}
        }
    }
}

fn wrong(text: &str) -> ConfigProblems {
    ConfigProblems(vec![ConfigProblem::new("mode", text)])
}

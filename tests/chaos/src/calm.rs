//! The module beside it: says which scan it sees, and takes as long for it as it is told.
#![allow(clippy::disallowed_methods, reason = "does what no module may")]

use std::thread;
use std::time::Duration;

use adaptivemm_module_api::{
    Config, ConfigProblems, Finding, Info, Module, Opt, Out, ScanError, Severity, Snapshot,
    register,
};

const TAKES_MS: Opt<i64> = Opt::integer(
    "takes-ms",
    0,
    0,
    10_000,
    "How long it works on a scan, in milliseconds",
);

struct Calm {
    takes: Duration,
}

register!(Calm);

impl Module for Calm {
    const INFO: Info = Info {
        enabled: false,
        options: &[&TAKES_MS],
        ..Info::new("calm", "1", "Says which scan it sees")
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        let takes = Duration::from_millis(config.integer(&TAKES_MS).unsigned_abs());
        Ok(Self { takes })
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        thread::sleep(self.takes);
        let text = format!("scan {}", snapshot.scan());
        out.finding(&Finding::new(Severity::Notice, "seen", &text));
        Ok(())
    }
}

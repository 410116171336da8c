//! Says too much.

use std::io::{self, Write};

use adaptivemm_module_api::{Finding, Out, Request, Severity, Snapshot};

use crate::WATERMARK;

const MANY: u32 = 100_000;
const VERY_MANY: u32 = 1_000_000;

pub(crate) fn findings(_: &Snapshot<'_>, out: &mut Out<'_>) {
    let details = "evidence ".repeat(7000);
    let finding = Finding::new(Severity::Debug, "flood", "one of many").details(&details);
    for _ in 0..VERY_MANY {
        out.finding(&finding);
    }
}

pub(crate) fn metrics(_: &Snapshot<'_>, out: &mut Out<'_>) {
    for _ in 0..MANY {
        out.metric("one_of_many", 1.0);
    }
}

pub(crate) fn requests(_: &Snapshot<'_>, out: &mut Out<'_>) {
    for _ in 0..MANY {
        let _taken = out.request(&Request::set(WATERMARK, 11, "one of many"));
    }
}

/// The same and something else, as often as it is taken.
pub(crate) fn log(snapshot: &Snapshot<'_>, out: &mut Out<'_>) {
    let text = format!("somebody else set it to {}", snapshot.scan());
    out.finding(&Finding::new(Severity::Info, "changed-by-others", &text));
    for number in 0..31 {
        out.finding(&Finding::new(Severity::Warning, "same", "the same again"));
        let text = format!("news {number} of scan {}", snapshot.scan());
        out.finding(&Finding::new(Severity::Warning, "news", &text));
    }
}

pub(crate) fn status(_: &Snapshot<'_>, out: &mut Out<'_>) {
    for _ in 0..MANY {
        out.status("one of many");
    }
}

/// More than a pipe holds, a little in each scan; nobody waits for readers.
pub(crate) fn print(snapshot: &Snapshot<'_>, out: &mut Out<'_>) {
    let line = "printed ".repeat(100);
    for _ in 0..60 {
        println!("{line}");
        eprintln!("{line}");
    }
    let is_written = io::stderr().flush().is_ok();
    let text = format!("printed in scan {}: {is_written}", snapshot.scan());
    out.finding(&Finding::new(Severity::Notice, "printed", &text));
}

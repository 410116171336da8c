//! Takes its time.

use std::hint::spin_loop;
use std::thread;
use std::time::Duration;

use adaptivemm_module_api::{Finding, Out, Request, Severity, Snapshot};

use crate::WATERMARK;

pub(crate) fn hang() {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

pub(crate) fn spin() {
    loop {
        spin_loop();
    }
}

/// Longer than the deadlines of the tests, and then it talks.
pub(crate) fn slow(_: &Snapshot<'_>, out: &mut Out<'_>) {
    thread::sleep(Duration::from_millis(400));
    out.finding(&Finding::new(Severity::Notice, "late", "a late word"));
    let _taken = out.request(&Request::set(WATERMARK, 99, "late"));
}

/// Longer than the deadlines of the tests, and then it has something to say that must not be lost.
pub(crate) fn slow_warning(snapshot: &Snapshot<'_>, out: &mut Out<'_>) {
    thread::sleep(Duration::from_millis(400));
    let text = format!("trouble in scan {}", snapshot.scan());
    out.finding(&Finding::new(Severity::Warning, "trouble", &text));
}

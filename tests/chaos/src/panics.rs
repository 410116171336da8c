//! Panics with payloads of all kinds.

use std::panic::panic_any;

use adaptivemm_module_api::{Finding, Out, Request, Severity, Snapshot};

use crate::WATERMARK;

pub(crate) fn with_a_str() {
    panic!("a text");
}

pub(crate) fn with_a_string() {
    panic!("a string: {} \u{1b}[2J \u{202e}", "formatted");
}

pub(crate) fn with_a_number() {
    panic_any(7_u32);
}

pub(crate) fn with_a_payload_that_panics() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a payload is dropped");
        }
    }
    panic_any(Bomb);
}

/// What was said before must not count.
pub(crate) fn after_words(_: &Snapshot<'_>, out: &mut Out<'_>) {
    out.finding(&Finding::new(Severity::Notice, "half", "a half-baked word"));
    let _taken = out.request(&Request::set(WATERMARK, 99, "half-baked"));
    panic!("after words");
}

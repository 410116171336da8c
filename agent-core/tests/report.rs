//! How an incident is shown: the page for a terminal and the page for a browser.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

#[path = "report/samples.rs"]
mod samples;

use std::path::Path;

use agent_core::incidents::report;

const LARGEST_PAGE: usize = 300 << 10;

/// Where `tests/report/render` finds the pages.
const PAGES: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/report");

#[test]
fn every_page_is_below_a_size_and_is_kept_for_the_browser() {
    std::fs::create_dir_all(PAGES).unwrap();
    for (name, incident) in samples::all() {
        let page = report::html(&incident);

        assert!(page.len() < LARGEST_PAGE, "{name}: {} bytes", page.len());
        std::fs::write(Path::new(PAGES).join(format!("{name}.html")), page).unwrap();
        std::fs::write(
            Path::new(PAGES).join(format!("{name}.txt")),
            report::text(&incident, 80),
        )
        .unwrap();
    }
}

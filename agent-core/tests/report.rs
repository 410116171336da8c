//! How an incident is shown, on a terminal and in a browser, and handed on.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

#[path = "report/markup.rs"]
mod markup;
#[path = "report/pages.rs"]
mod pages;
#[path = "report/samples.rs"]
mod samples;
#[path = "report/sharing.rs"]
mod sharing;
#[path = "report/standing.rs"]
mod standing;
#[path = "report/texts.rs"]
mod texts;

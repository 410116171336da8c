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

mod markup;
mod pages;
mod samples;
mod sharing;
mod standing;
mod texts;

//! An incident as people see it: a page for the terminal, a page for the browser, and a file to hand on.
//!
//! All of it is made of the [`Incident`](crate::incidents::Incident) alone: no file is read, no clock asked.

mod advice;
mod calendar;
mod curve;
mod export;
mod html;
mod identity;
mod now;
mod outlook;
mod phrases;
mod redaction;
mod text;
mod view;

pub use export::{Names, export};
pub use html::{html, html_with};
pub use identity::SiteKey;
pub use now::{classes, holder, now};
pub use redaction::redacted;
pub use text::text;

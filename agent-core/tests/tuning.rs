//! Replays of made traces on which the tuning modules have to decide: what is done changes what they see next, and
//! nothing else.
#![cfg(all(
    feature = "cache-pressure",
    feature = "compaction",
    feature = "free-pages"
))]
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

#[path = "tuning/free_pages.rs"]
mod free_pages;
mod linked_in;
#[path = "tuning/other_modules.rs"]
mod other_modules;
mod outside;
#[path = "tuning/rehearsal.rs"]
mod rehearsal;

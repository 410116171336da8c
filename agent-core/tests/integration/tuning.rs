//! Replays of made traces on which the tuning modules have to decide: what is done changes what they see next, and
//! nothing else.
#![cfg(all(
    feature = "cache-pressure",
    feature = "compaction",
    feature = "free-pages"
))]

mod free_pages;
mod other_modules;
mod rehearsal;

//! Modules in files: which are taken, which are refused and why, and what becomes of them when they are
//! replaced.
#![allow(
    clippy::disallowed_methods,
    reason = "builds modules, and looks at real processes and their files"
)]

mod constructors;
mod declarations;
mod files;
mod lacking;
mod libraries;
mod listing;
mod maps;
mod names;
mod panic_abort;
mod place;
mod prying;
mod reloads;
mod runpath;
mod same_bytes;
mod standings;
mod startup;
mod symbols;
mod telltale;
mod trust;

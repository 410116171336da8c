//! Modules in files: which are taken, which are refused and why, and what becomes of them when they are
//! replaced.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![allow(
    clippy::disallowed_methods,
    reason = "builds modules, and looks at real processes and their files"
)]

#[path = "../../tests/abi/cc.rs"]
mod cc;
#[path = "loading/constructors.rs"]
mod constructors;
#[path = "loading/declarations.rs"]
mod declarations;
#[path = "loading/files.rs"]
mod files;
#[path = "../../tests/common/hang.rs"]
mod hang;
#[path = "loading/lacking.rs"]
mod lacking;
#[path = "loading/libraries.rs"]
mod libraries;
mod linked_in;
#[path = "loading/listing.rs"]
mod listing;
#[path = "loading/maps.rs"]
mod maps;
#[path = "loading/names.rs"]
mod names;
#[path = "loading/panic_abort.rs"]
mod panic_abort;
#[path = "loading/place.rs"]
mod place;
#[path = "daemon/process.rs"]
mod process;
#[path = "loading/prying.rs"]
mod prying;
#[path = "loading/reloads.rs"]
mod reloads;
#[path = "loading/runpath.rs"]
mod runpath;
#[path = "loading/same_bytes.rs"]
mod same_bytes;
#[path = "../../tests/common/skip.rs"]
mod skip;
#[path = "loading/standings.rs"]
mod standings;
#[path = "loading/startup.rs"]
mod startup;
#[path = "loading/symbols.rs"]
mod symbols;
#[path = "loading/telltale.rs"]
mod telltale;
#[path = "loading/trust.rs"]
mod trust;

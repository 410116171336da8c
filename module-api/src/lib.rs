//! All that a module of adaptivemmd imports.
//!
//! A module watches one thing about the memory of a machine. The core reads the kernel's files once
//! per scan and hands every module a [`Snapshot`]; the module answers with what it saw (a
//! [`Finding`]), what it would have changed (a [`Request`]), its numbers and a sentence on how things
//! stand. It opens no file, writes nothing, and reads no clock: time comes with the snapshot. So the
//! same snapshots always give the same words, live, in a replay and in a test.
//!
//! ```
//! use adaptivemm_module_api::{
//!     Config, ConfigProblems, Finding, Info, Module, Need, Opt, Out, ScanError, Severity, Snapshot, register,
//! };
//!
//! const LIMIT: Opt<i64> = Opt::integer("limit-mib", 64, 1, 1 << 20, "Dirty memory that is worth a word");
//!
//! #[derive(Debug)]
//! struct Dirty {
//!     limit: u64,
//! }
//!
//! impl Module for Dirty {
//!     const INFO: Info = Info {
//!         flag: "ENABLE_DIRTY_CHECK",
//!         needs: &[Need::MEMINFO],
//!         options: &[&LIMIT],
//!         ..Info::new("dirty", "0.1.0", "Says when much memory waits to be written to disk")
//!     };
//!
//!     fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
//!         Ok(Self { limit: config.integer(&LIMIT).unsigned_abs() << 20 })
//!     }
//!
//!     fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
//!         let dirty = snapshot.meminfo()?.bytes("Dirty").ok_or_else(|| ScanError::new("/proc/meminfo has no Dirty"))?;
//!         out.metric("dirty_bytes", dirty.as_f64());
//!         if dirty.get() > self.limit {
//!             out.finding(&Finding::new(Severity::Warning, "much-dirty", &format!("{dirty} wait to be written")));
//!         }
//!         Ok(())
//!     }
//! }
//!
//! register!(Dirty);
//! # fn main() {}
//! ```
//!
//! The feature `testing` adds a module `testing` for tests of a module, and the README of this crate leads from nothing to a module that is
//! packaged. [`trend`] says where a number is heading. Under the trait lies a plain C interface, [`abi`]; modules that are linked in go through it too.

pub mod abi;
mod config;
mod counters;
mod error;
mod info;
mod module;
mod out;
mod registry;
mod snapshot;
#[cfg(feature = "testing")]
pub mod testing;
mod thunk;
pub mod trend;
pub mod units;

pub use config::{Config, ConfigProblem, ConfigProblems};
pub use counters::{Meminfo, Vmstat};
pub use error::{ScanError, Unavailable};
pub use info::{Action, AnyOpt, Info, Need, Opt};
pub use module::Module;
pub use out::{Finding, MAX_STATE, Number, Out, Refused, Request, Severity};
pub use snapshot::{Hugepages, Node, Snapshot, Tunable, Zone};

// For the host, and for what `register!` writes into a module.
#[doc(hidden)]
pub use inventory;
#[doc(hidden)]
pub use registry::{Registered, linked};
#[doc(hidden)]
pub use thunk::{OwnedDeclaration, declaration_of};

/// The module of the guide compiles.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../README.md")]
struct Guide;

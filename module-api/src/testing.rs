//! For tests of a module: a machine that a test describes, and a rig that runs the module on it.
//!
//! It goes the way that the daemon goes, through the C interface, with neither the daemon nor `unsafe` in
//! the test. A [`Machine`] is what the kernel's files say at one moment; what a test does not give is absent.
//! A [`Rig`] creates a module, lets it scan machines, and returns its [`Words`].
//!
//! ```
//! # use adaptivemm_module_api::{
//! #     Config, ConfigProblems, Finding, Info, Module, Need, Opt, Out, ScanError, Severity, Snapshot,
//! # };
//! # const LIMIT: Opt<i64> = Opt::integer("limit-mib", 64, 1, 1 << 20, "Dirty memory that is worth a word");
//! # struct Dirty(u64);
//! # impl Module for Dirty {
//! #     const INFO: Info = Info {
//! #         needs: &[Need::MEMINFO],
//! #         options: &[&LIMIT],
//! #         ..Info::new("dirty", "0.1.0", "Says when much memory waits to be written to disk")
//! #     };
//! #     fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
//! #         Ok(Self(config.integer(&LIMIT).unsigned_abs() << 20))
//! #     }
//! #     fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
//! #         let dirty = snapshot.meminfo()?.bytes("Dirty").ok_or_else(|| ScanError::new("/proc/meminfo has no Dirty"))?;
//! #         out.metric("dirty_bytes", dirty.as_f64());
//! #         if dirty.get() > self.0 {
//! #             out.finding(&Finding::new(Severity::Warning, "much-dirty", &format!("{dirty} wait to be written")));
//! #         }
//! #         Ok(())
//! #     }
//! # }
//! use adaptivemm_module_api::testing::{Machine, Refusal, Rig, Verdict};
//!
//! // `Dirty` is the module of the example on the first page of this crate.
//! let mut rig = Rig::create::<Dirty>(&[("limit-mib", 100.into())])?;
//!
//! let words = rig.scan(&Machine::new().meminfo(&[("MemTotal", 1 << 30), ("Dirty", 200 << 20)]));
//!
//! assert_eq!(words.told(), ["warning much-dirty: 200.0 MiB wait to be written"]);
//! assert_eq!(words.metric("dirty_bytes"), Some(209_715_200.0));
//!
//! let words = rig.scan(&Machine::new());
//!
//! assert_eq!(words.verdict, Verdict::Failed("there is no /proc/meminfo".to_owned()));
//!
//! let refusal = Rig::create::<Dirty>(&[("limit-mib", 0.into())]).unwrap_err();
//!
//! assert_eq!(refusal.to_string(), "limit-mib: expected a whole number from 1 to 1048576, found 0");
//! # Ok::<(), Refusal>(())
//! ```
//!
//! Words are kept as they were said. The daemon also cuts what is too long, and refuses requests for a tunable
//! that it does not know or a value out of its range; `adaptivemm-module-test` shows that on the built module.
//!
//! A module that panics does not fail the test by itself: the message is the verdict, as it would be the
//! reason of a quarantine.

mod lent;
mod machine;
mod rig;
mod settings;
mod sink;
mod words;

pub use machine::{Machine, Zone};
pub use rig::{Refusal, Rig};
pub use settings::Value;
pub use words::{Action, Finding, Request, Verdict, Words};

#[cfg(test)]
mod tests;

//! The evidence of who holds memory, taken from the kernel's files, and how much of a growth that explains.
//!
//! One collector per source, named after its file. Each reads through the [`Root`](crate::kernel::Root), so that
//! it works on a recorded tree, and says what it found, why it found nothing, or that it had to stop early.

mod allocinfo;
mod ask;
mod budget;
mod census;
mod cma;
mod comparison;
mod dma_buf;
mod holdings;
mod kind;
mod levels;
mod meter;
mod modules;
mod now;
mod page_owner;
mod processes;
mod programs;
mod request;
mod services;
mod slabinfo;
mod sockets;
mod take;
mod vmallocinfo;
mod zram;

pub use comparison::{
    Certainty, Class, Comparison, Explanation, Growth, Level, Source, SourceStatus, Taken,
};
pub use holdings::Holding;
pub use kind::SourceKind;
pub use now::{Holder, NotAsked, Now};
pub use request::{EvidenceRequest, RawText, SourceReport, Trigger};
pub use take::{Evidence, VERSION};

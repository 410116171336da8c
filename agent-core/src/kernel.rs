//! Reads what the kernel says: the tree of its files, a parser for each, the snapshot of a scan, recorded machines, and the
//! table of tunables.

mod buddyinfo;
mod counters;
mod error;
mod fields;
mod hugepages;
mod lines;
mod meminfo;
mod module_files;
mod page_size;
mod pressure;
mod quick_files;
mod root;
mod sampler;
pub mod snapshot;
pub mod trace;
mod tunable_file;
pub mod tunables;
mod uptime;
mod vmstat;
mod walk;
mod wanted;
mod wire;
mod zoneinfo;

pub use buddyinfo::Buddyinfo;
pub use error::{ParseError, ReadError};
pub use hugepages::{page_count, page_size};
pub use meminfo::Meminfo;
pub(crate) use module_files::Excess;
pub use module_files::{FileBudget, FileCost, FileCosts};
pub(crate) use pressure::PRESSURE;
pub use pressure::{Pressure, pressure};
pub use root::Text;
pub use root::{Recorded, Root};
pub use sampler::Sampler;
pub use snapshot::Snapshot;
pub(crate) use uptime::{BOOT_ID, UPTIME};
pub use uptime::{boot_id, uptime};
pub use vmstat::Vmstat;
pub use wanted::Wanted;
pub(crate) use wire::{Received, WireSnapshot};
pub use zoneinfo::Zoneinfo;

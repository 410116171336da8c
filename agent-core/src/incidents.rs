//! Incidents: findings worth keeping evidence for.

mod record;
pub mod report;

pub use record::{History, Incident, Machine, Moment, Told, VERSION};

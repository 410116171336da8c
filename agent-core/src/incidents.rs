//! Incidents: findings worth keeping evidence for.

mod record;

pub use record::{History, Incident, Machine, Moment, Told, VERSION};

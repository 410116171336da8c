//! Carries out requests: the owners of tunables, the only code that writes to the machine, and the original values.

mod actuator;
mod compactor;
mod ledger;
mod outcome;
pub mod policy;
mod rate;
pub mod request_outcome;

pub use actuator::{Actuator, Mode, TunableOwner};
pub use ledger::{Entry, Ledger, LedgerError};
pub use outcome::{ActionFailed, ActionOutcome, Notice, Restored};

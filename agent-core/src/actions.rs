//! What becomes of requests: who may change what, the only code that writes to the machine, and what it was before.

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

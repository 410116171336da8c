//! Modules: what they declare and ask for, where they come from, how they are called, and what is kept of them.

pub mod abi;
pub mod catalogue;
pub mod crash_marker;
pub mod isolation;
pub mod output;
pub mod permit;
pub mod pool;
pub mod runner;
pub mod saved_state;

//! The process that stays: its main loop, the control socket, the service manager, signals, the lock.

pub(crate) mod background;
pub mod control;
pub mod lock;
pub mod main_loop;
pub mod sd_notify;
pub mod signals;

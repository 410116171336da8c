//! A module that misbehaves costs itself and nobody else: not the daemon, and not the module beside it.
#![allow(
    clippy::disallowed_methods,
    reason = "a deadline is about real time; looks at real processes"
)]

mod bench;
mod crashes;
mod daemons;
mod deaths;
mod delays;
mod floods;
mod jail;
mod output;
mod panics;
mod pauses;
mod places;
mod processors;
mod starts;

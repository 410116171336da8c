//! Decisions that can be asked about: by the log, by `adaptivemmd explain`, and by a replay.
#![allow(
    clippy::disallowed_methods,
    reason = "looks at real processes and their files"
)]

mod daemon;
mod replay;

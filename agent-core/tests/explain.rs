//! Decisions that can be asked about: by the log, by `adaptivemmd explain`, and by a replay.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![allow(
    clippy::disallowed_methods,
    reason = "looks at real processes and their files"
)]
#![allow(dead_code, reason = "what other tests share is more than is used here")]

#[path = "faults/bench.rs"]
mod bench;
#[path = "../../tests/abi/cc.rs"]
mod cc;
#[path = "explain/daemon.rs"]
mod daemon;
mod linked_in;
#[path = "daemon/process.rs"]
mod process;
#[path = "explain/replay.rs"]
mod replay;

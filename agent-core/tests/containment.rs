//! A module that misbehaves costs itself and nobody else: not the daemon, and not the module beside it.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![allow(
    clippy::disallowed_methods,
    reason = "a deadline is about real time; looks at real processes"
)]

#[path = "containment/bench.rs"]
mod bench;
#[path = "containment/crashes.rs"]
mod crashes;
#[path = "containment/daemons.rs"]
mod daemons;
#[path = "containment/deaths.rs"]
mod deaths;
#[path = "containment/delays.rs"]
mod delays;
#[path = "containment/floods.rs"]
mod floods;
#[path = "containment/jail.rs"]
mod jail;
mod linked_in;
#[path = "daemon/machine.rs"]
#[expect(dead_code, reason = "shared with the tests of the daemon")]
mod machine;
#[path = "daemon/manager.rs"]
#[expect(dead_code, reason = "shared with the tests of the daemon")]
mod manager;
#[path = "containment/panics.rs"]
mod panics;
#[path = "containment/pauses.rs"]
mod pauses;
#[path = "containment/places.rs"]
mod places;
#[path = "daemon/process.rs"]
mod process;
#[path = "containment/processors.rs"]
mod processors;
#[path = "../../tests/common/skip.rs"]
mod skip;
#[path = "containment/starts.rs"]
mod starts;
#[path = "containment/words.rs"]
mod words;
#[path = "../../tests/common/workshop.rs"]
mod workshop;

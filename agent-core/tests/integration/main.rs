//! The daemon and its commands from the outside, and the core in this process, on trees, traces and live machines. One binary,
//! so that the core is linked once; `cargo test -p adaptivemmd --test integration incidents::` runs one subject.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

mod abi_versions;
mod bus;
#[path = "../../../tests/abi/cc.rs"]
mod cc;
mod check_config;
mod classic;
mod completions;
mod containment;
mod control;
mod corpus;
mod daemon;
mod doctor;
mod evaluation;
mod evidence;
mod explain;
mod faults;
mod floors;
#[path = "../../../tests/common/hang.rs"]
mod hang;
#[path = "../../../tests/abi/host.rs"]
mod host;
mod incidents;
mod journald;
mod linked_in;
mod live_evidence;
mod live_leak;
mod live_tuning;
mod loading;
mod machines;
mod manual;
mod module_test;
mod outside;
mod packaging;
mod profiled;
mod report;
#[path = "../../../tests/common/skip.rs"]
mod skip;
mod syslog;
mod traces;
mod tuning;

//! Takes a module's words as the core does.
#![expect(
    unsafe_code,
    reason = "reads what a module lends for the length of a call"
)]

use core::ffi::c_void;

use super::words::{Action, Finding, Request, Words};
use crate::abi::{self, size_of_u32};
use crate::config::ConfigProblem;
use crate::out::{MAX_STATE, Refused, Severity};

/// Where the words of one call go.
pub(super) struct Collector<'a> {
    pub(super) words: Words,
    pub(super) problems: Vec<ConfigProblem>,
    writes: &'a [String],
}

impl<'a> Collector<'a> {
    pub(super) const fn new(writes: &'a [String]) -> Self {
        Self {
            words: Words::new(),
            problems: Vec::new(),
            writes,
        }
    }

    /// Lends a sink to `call`.
    pub(super) fn lend<R>(&mut self, call: impl FnOnce(*const abi::Sink) -> R) -> R {
        let sink = abi::Sink {
            struct_size: size_of_u32::<abi::Sink>(),
            pad: 0,
            context: (&raw mut *self).cast(),
            finding: Some(finding),
            request: Some(request),
            metric: Some(metric),
            status: Some(status),
            problem: Some(problem),
            keep: Some(keep),
        };
        call(&raw const sink)
    }

    /// Why the last call failed, in one line.
    pub(super) fn reason(&mut self) -> String {
        let problem = self.problems.pop();
        problem.map_or_else(String::new, |problem| problem.text)
    }

    fn refused(&self, action: &Action) -> Option<Refused> {
        let name = match action {
            Action::Set { tunable, .. } => tunable.as_str(),
            Action::CompactNode { .. } => "compact-node",
        };
        let is_declared = self.writes.iter().any(|write| write == name);
        (!is_declared).then_some(Refused::Denied)
    }
}

/// A string that the other side lends, copied.
pub(super) fn owned_text(text: abi::Str) -> String {
    // SAFETY: a module's strings live as long as the call; that is its side of the contract.
    let bytes = unsafe { text.bytes() };
    String::from_utf8_lossy(bytes).into_owned()
}

/// The elements of an array that the other side lends.
pub(super) fn elements<T: abi::Versioned>(seq: abi::Seq<T>) -> impl Iterator<Item = T> {
    // SAFETY: a module's arrays are well formed; that is its side of the contract.
    (0..seq.len()).filter_map(move |index| unsafe { seq.get(index) })
}

fn numbers(seq: abi::Seq<abi::Number>) -> Vec<(String, f64)> {
    let number = |number: abi::Number| (owned_text(number.name), number.value);
    elements(seq).map(number).collect()
}

fn take(context: *mut c_void, take: impl FnOnce(&mut Collector<'_>) -> i32) -> i32 {
    // SAFETY: the context is the collector that `lend` keeps alive for the call, on this thread.
    let collector = unsafe { context.cast::<Collector<'_>>().as_mut() };
    collector.map_or(abi::INVALID, take)
}

unsafe extern "C" fn finding(context: *mut c_void, raw: *const abi::Finding) -> i32 {
    take(context, |collector| {
        // SAFETY: a module passes null or a sized structure that lives for the call.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return abi::INVALID;
        };
        let severity = match raw.severity {
            0..=3 => Severity::Error,
            4 => Severity::Warning,
            5 => Severity::Notice,
            6 => Severity::Info,
            _ => Severity::Debug,
        };
        collector.words.findings.push(Finding {
            severity,
            verbosity: u8::try_from(raw.verbosity).unwrap_or(u8::MAX).min(5),
            code: owned_text(raw.code),
            text: owned_text(raw.text),
            details: owned_text(raw.details),
            numbers: numbers(raw.numbers),
            incident: owned_text(raw.incident),
            ends_incident: raw.effect == abi::EFFECT_ENDS,
            is_leak: raw.kind == abi::KIND_LEAK,
        });
        abi::OK
    })
}

unsafe extern "C" fn request(context: *mut c_void, raw: *const abi::Request) -> i32 {
    take(context, |collector| {
        // SAFETY: a module passes null or a sized structure that lives for the call.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return abi::INVALID;
        };
        let action = match raw.kind {
            abi::SET_TUNABLE => Action::Set {
                tunable: owned_text(raw.tunable),
                value: raw.value,
            },
            abi::COMPACT_NODE => Action::CompactNode { node: raw.node },
            _ => return abi::UNSUPPORTED,
        };
        let refused = collector.refused(&action);
        collector.words.requests.push(Request {
            action,
            reason: owned_text(raw.reason),
            details: owned_text(raw.details),
            numbers: numbers(raw.numbers),
            refused,
        });
        refused.map_or(abi::OK, |_| abi::DENIED)
    })
}

unsafe extern "C" fn metric(context: *mut c_void, name: abi::Str, value: f64) -> i32 {
    take(context, |collector| {
        collector.words.metrics.push((owned_text(name), value));
        abi::OK
    })
}

unsafe extern "C" fn status(context: *mut c_void, line: abi::Str) -> i32 {
    take(context, |collector| {
        collector.words.status = owned_text(line);
        abi::OK
    })
}

unsafe extern "C" fn problem(context: *mut c_void, raw: *const abi::Problem) -> i32 {
    take(context, |collector| {
        // SAFETY: a module passes null or a sized structure that lives for the call.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return abi::INVALID;
        };
        collector.problems.push(ConfigProblem {
            key: owned_text(raw.key),
            text: owned_text(raw.text),
        });
        abi::OK
    })
}

unsafe extern "C" fn keep(context: *mut c_void, state: abi::Str) -> i32 {
    take(context, |collector| {
        // SAFETY: a module's bytes live as long as the call; that is its side of the contract.
        let state = unsafe { state.bytes() };
        if state.len() > MAX_STATE {
            return abi::INVALID;
        }
        collector.words.kept = Some(state.to_vec());
        abi::OK
    })
}

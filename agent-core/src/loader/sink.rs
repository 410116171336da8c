//! Takes a module's words: copied, capped, and free of control characters before anyone sees them.
#![expect(
    unsafe_code,
    reason = "reads what a module lends for the length of a call"
)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use adaptivemm_module_api::{Severity, abi};

use crate::arbiter::{Answer, Permit};
use crate::words::clean::{self, Lines, MAX_LINE};
use crate::words::{Action, Finding, MAX_NUMBERS, Number, Request, Words};

/// Where the words of one call go.
struct Collector<'a> {
    words: &'a mut Words,
    permit: &'a Permit,
}

impl Collector<'_> {
    /// Takes note of what is not done, and answers so.
    fn refuse(&mut self, what: &dyn Display, answer: Answer) -> i32 {
        self.words
            .add_refused(|| (what.to_string(), answer.to_string()));
        match answer {
            Answer::Taken => abi::OK,
            Answer::Denied => abi::DENIED,
            Answer::Unsupported => abi::UNSUPPORTED,
            Answer::OutOfRange => abi::INVALID,
        }
    }
}

thread_local! {
    /// The call that this thread is in: whose sink was lent, and where the words go.
    static CURRENT: Cell<Option<(usize, *mut c_void)>> = const { Cell::new(None) };
}

/// How many words came through a sink outside of its call or from another thread, by [`Sink::number`].
static STRAYS: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());
/// Whether there are any, so that the lock is only taken then.
static STRAYED: AtomicBool = AtomicBool::new(false);

/// The sink of one instance.
///
/// The instance is lent a number that means something during its calls, on their thread, and nothing
/// otherwise: one that keeps the sink can do no harm with it.
#[derive(Debug)]
pub(super) struct Sink {
    number: usize,
}

impl Sink {
    /// One that no other instance has.
    pub(super) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Lends the sink to `call`. What the module said is in `words` afterwards.
    pub(super) fn lend<R>(
        &self,
        words: &mut Words,
        permit: &Permit,
        call: impl FnOnce(*const abi::Sink) -> R,
    ) -> R {
        let mut collector = Collector { words, permit };
        let sink = abi::Sink {
            struct_size: abi::size_of_u32::<abi::Sink>(),
            pad: 0,
            context: ptr::without_provenance_mut(self.number),
            finding: Some(finding),
            request: Some(request),
            metric: Some(metric),
            status: Some(status),
            problem: Some(problem),
            keep: Some(keep),
        };
        CURRENT.set(Some((self.number, (&raw mut collector).cast())));
        let result = call(&raw const sink);
        CURRENT.set(None);
        words.strays += self.take_strays();
        result
    }

    fn take_strays(&self) -> usize {
        if !STRAYED.load(Ordering::Relaxed) {
            return 0;
        }
        let mut strays = STRAYS.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = strays.remove(&self.number).unwrap_or_default();
        STRAYED.store(!strays.is_empty(), Ordering::Relaxed);
        mine
    }
}

/// Notes a word that is dropped, as it did not come from the call that its sink was lent to.
fn stray(number: usize) {
    /// Whoever makes up numbers need not fill our memory.
    const MOST: usize = 1024;
    let mut strays = STRAYS.lock().unwrap_or_else(PoisonError::into_inner);
    if strays.len() < MOST || strays.contains_key(&number) {
        *strays.entry(number).or_default() += 1;
    }
    STRAYED.store(true, Ordering::Relaxed);
}

/// The elements of an array that the other side lends.
pub(super) fn elements<T: abi::Versioned>(seq: abi::Seq<T>) -> impl Iterator<Item = T> {
    // SAFETY: a module's arrays are well formed; that is its side of the contract.
    (0..seq.len()).filter_map(move |index| unsafe { seq.get(index) })
}

/// The bytes of a string that the other side lends for the call.
pub(super) fn bytes<'call>(text: abi::Str) -> &'call [u8] {
    // SAFETY: a module's strings live as long as the call; that is its side of the contract.
    unsafe { text.bytes() }
}

fn numbers(seq: abi::Seq<abi::Number>) -> Vec<Number> {
    let number = |number: abi::Number| Number {
        name: clean::name(bytes(number.name)),
        value: number.value,
    };
    elements(seq).take(MAX_NUMBERS).map(number).collect()
}

/// Runs our side of a call so that no panic of ours unwinds into a module.
fn take(context: *mut c_void, take: impl FnOnce(&mut Collector<'_>) -> i32) -> i32 {
    // While a thread ends its locals are gone; a module that talks then is late, too.
    let current = CURRENT.try_with(Cell::get).unwrap_or_default();
    let Some((_, collector)) = current.filter(|(number, _)| *number == context.addr()) else {
        stray(context.addr());
        return abi::INVALID;
    };
    // SAFETY: it is set only while `lend` keeps the collector alive, on this thread, and a sink's
    // functions do not call back into a module.
    let collector = unsafe { &mut *collector.cast::<Collector<'_>>() };
    catch_unwind(AssertUnwindSafe(|| take(collector))).unwrap_or(abi::FAILED)
}

unsafe extern "C" fn finding(context: *mut c_void, raw: *const abi::Finding) -> i32 {
    take(context, |collector| {
        // SAFETY: a module passes null or a sized structure that lives for the call.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return abi::INVALID;
        };
        collector.words.add_finding(|| Finding {
            severity: Severity::from_number(raw.severity),
            verbosity: u8::try_from(raw.verbosity).unwrap_or(u8::MAX).min(5),
            code: clean::name(bytes(raw.code)),
            text: clean::line(bytes(raw.text)),
            details: clean::details(bytes(raw.details)),
            numbers: numbers(raw.numbers),
            incident: clean::name(bytes(raw.incident)),
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
                tunable: clean::name(bytes(raw.tunable)),
                value: raw.value,
            },
            abi::COMPACT_NODE => Action::CompactNode { node: raw.node },
            kind => {
                return collector.refuse(
                    &format_args!("a request of kind {kind}"),
                    Answer::Unsupported,
                );
            }
        };
        let answer = collector.permit.answer(&action);
        if answer != Answer::Taken {
            return collector.refuse(&action, answer);
        }
        collector.words.add_request(|| Request {
            action,
            reason: clean::line(bytes(raw.reason)),
            details: clean::details(bytes(raw.details)),
            numbers: numbers(raw.numbers),
        });
        abi::OK
    })
}

unsafe extern "C" fn metric(context: *mut c_void, name: abi::Str, value: f64) -> i32 {
    take(context, |collector| {
        if collector.words.add_metric(bytes(name), value) {
            abi::OK
        } else {
            abi::INVALID
        }
    })
}

unsafe extern "C" fn status(context: *mut c_void, line: abi::Str) -> i32 {
    take(context, |collector| {
        collector.words.status.clear();
        clean::append(
            bytes(line),
            MAX_LINE,
            Lines::One,
            &mut collector.words.status,
        );
        abi::OK
    })
}

unsafe extern "C" fn problem(context: *mut c_void, raw: *const abi::Problem) -> i32 {
    take(context, |collector| {
        // SAFETY: a module passes null or a sized structure that lives for the call.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return abi::INVALID;
        };
        collector
            .words
            .add_problem(|| (clean::name(bytes(raw.key)), clean::line(bytes(raw.text))));
        abi::OK
    })
}

unsafe extern "C" fn keep(context: *mut c_void, state: abi::Str) -> i32 {
    take(context, |collector| {
        if !state.is_broken() && collector.words.keep(bytes(state)) {
            abi::OK
        } else {
            abi::INVALID
        }
    })
}

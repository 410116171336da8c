//! Takes a module's output: copied, capped, and free of control characters before anyone sees them.
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

use crate::base::clean_text::{self, Lines, MAX_LINE};
use crate::modules::output::{Action, Finding, MAX_NUMBERS, ModuleOutput, Number, Request};
use crate::modules::permit::Answer;
use crate::modules::permit::Permit;

/// Where the words of one call go.
struct Collector<'a> {
    output: &'a mut ModuleOutput,
    permit: &'a Permit,
}

impl Collector<'_> {
    /// Takes note of what is not done, and answers so.
    fn refuse(&mut self, what: &dyn Display, answer: Answer) -> i32 {
        self.output
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

    /// Lends the sink to `call`. What the module said is in `output` afterwards.
    pub(super) fn lend<R>(
        &self,
        output: &mut ModuleOutput,
        permit: &Permit,
        call: impl FnOnce(*const abi::Sink) -> R,
    ) -> R {
        let mut collector = Collector { output, permit };
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
        output.strays += self.take_strays();
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
///
/// # Safety
///
/// The array is well formed, and lives for as long as the reference to its place.
pub(super) unsafe fn elements<T: abi::Versioned>(seq: &abi::Seq<T>) -> impl Iterator<Item = T> {
    // SAFETY: the caller vouches for the array.
    (0..seq.len()).filter_map(move |index| unsafe { seq.get(index) })
}

/// The bytes of a string that the other side lends.
///
/// # Safety
///
/// The string lives for as long as the reference to its place.
pub(super) unsafe fn bytes(text: &abi::Str) -> &[u8] {
    // SAFETY: the caller vouches for the string.
    unsafe { text.bytes() }
}

/// A name that is lent.
///
/// # Safety
///
/// As for [`bytes`].
unsafe fn name(text: &abi::Str) -> String {
    // SAFETY: the caller vouches for the string.
    clean_text::name(unsafe { bytes(text) })
}

/// A line of text that is lent.
///
/// # Safety
///
/// As for [`bytes`].
unsafe fn line(text: &abi::Str) -> String {
    // SAFETY: the caller vouches for the string.
    clean_text::line(unsafe { bytes(text) })
}

/// Details that are lent.
///
/// # Safety
///
/// As for [`bytes`].
unsafe fn details(text: &abi::Str) -> String {
    // SAFETY: the caller vouches for the string.
    clean_text::details(unsafe { bytes(text) })
}

/// Numbers that are lent.
///
/// # Safety
///
/// As for [`elements`], and for the names of all of them.
unsafe fn numbers(seq: &abi::Seq<abi::Number>) -> Vec<Number> {
    // SAFETY: the caller vouches for the array.
    let numbers = unsafe { elements(seq) }.take(MAX_NUMBERS);
    let number = |number: abi::Number| Number {
        // SAFETY: the caller vouches for the names, too.
        name: unsafe { name(&number.name) },
        value: number.value,
    };
    numbers.map(number).collect()
}

/// Whether a length is garbage: then nothing is read, not even in part.
fn is_absurd(texts: &[abi::Str], numbers: abi::Seq<abi::Number>) -> bool {
    numbers.is_absurd() || texts.iter().any(|text| text.is_absurd())
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
        // SAFETY: a module passes null or a sized structure that lives for the call, as all that it points to does.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return abi::INVALID;
        };
        if is_absurd(
            &[raw.code, raw.text, raw.details, raw.incident],
            raw.numbers,
        ) {
            return abi::INVALID;
        }
        collector.output.add_finding(|| Finding {
            severity: Severity::from_number(raw.severity),
            verbosity: u8::try_from(raw.verbosity).unwrap_or(u8::MAX).min(5),
            // SAFETY: it lives for the call.
            code: unsafe { name(&raw.code) },
            // SAFETY: as above.
            text: unsafe { line(&raw.text) },
            // SAFETY: as above.
            details: unsafe { details(&raw.details) },
            // SAFETY: as above.
            numbers: unsafe { numbers(&raw.numbers) },
            // SAFETY: as above.
            incident: unsafe { name(&raw.incident) },
            ends_incident: raw.effect == abi::EFFECT_ENDS,
            is_leak: raw.kind == abi::KIND_LEAK,
        });
        abi::OK
    })
}

unsafe extern "C" fn request(context: *mut c_void, raw: *const abi::Request) -> i32 {
    take(context, |collector| {
        // SAFETY: a module passes null or a sized structure that lives for the call, as all that it points to does.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return abi::INVALID;
        };
        if is_absurd(&[raw.tunable, raw.reason, raw.details], raw.numbers) {
            return abi::INVALID;
        }
        let action = match raw.kind {
            abi::SET_TUNABLE => Action::Set {
                // SAFETY: it lives for the call.
                tunable: unsafe { name(&raw.tunable) },
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
        collector.output.add_request(|| Request {
            action,
            // SAFETY: it lives for the call.
            reason: unsafe { line(&raw.reason) },
            // SAFETY: as above.
            details: unsafe { details(&raw.details) },
            // SAFETY: as above.
            numbers: unsafe { numbers(&raw.numbers) },
        });
        abi::OK
    })
}

unsafe extern "C" fn metric(context: *mut c_void, name: abi::Str, value: f64) -> i32 {
    take(context, |collector| {
        if name.is_absurd() {
            return abi::INVALID;
        }
        // SAFETY: a module passes a string that lives for the call.
        let name = unsafe { bytes(&name) };
        if collector.output.add_metric(name, value) {
            abi::OK
        } else {
            abi::INVALID
        }
    })
}

unsafe extern "C" fn status(context: *mut c_void, line: abi::Str) -> i32 {
    take(context, |collector| {
        if line.is_absurd() {
            return abi::INVALID;
        }
        // SAFETY: a module passes a string that lives for the call.
        let line = unsafe { bytes(&line) };
        collector.output.status.clear();
        clean_text::append(line, MAX_LINE, Lines::One, &mut collector.output.status);
        abi::OK
    })
}

unsafe extern "C" fn problem(context: *mut c_void, raw: *const abi::Problem) -> i32 {
    take(context, |collector| {
        // SAFETY: a module passes null or a sized structure that lives for the call, as all that it points to does.
        let Some(raw) = (unsafe { abi::read_sized(raw) }) else {
            return abi::INVALID;
        };
        if raw.key.is_absurd() || raw.text.is_absurd() {
            return abi::INVALID;
        }
        collector.output.add_problem(|| {
            // SAFETY: it lives for the call.
            let key = unsafe { name(&raw.key) };
            // SAFETY: as above.
            (key, unsafe { line(&raw.text) })
        });
        abi::OK
    })
}

unsafe extern "C" fn keep(context: *mut c_void, state: abi::Str) -> i32 {
    take(context, |collector| {
        if state.is_broken() || state.is_absurd() {
            return abi::INVALID;
        }
        // SAFETY: a module passes bytes that live for the call.
        let state = unsafe { bytes(&state) };
        if collector.output.keep(state) {
            abi::OK
        } else {
            abi::INVALID
        }
    })
}

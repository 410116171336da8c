//! Keeps the sink, and calls its functions with what the interface does not allow.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::LazyLock;
use std::thread;

use adaptivemm_module_api::abi::{self, Seq, Str};
use adaptivemm_module_api::{OwnedDeclaration, Registered, declaration_of, inventory};

use crate::Chaos;

static OF_THE_TRAIT: LazyLock<OwnedDeclaration> = LazyLock::new(declaration_of::<Chaos>);

static DECLARATION: LazyLock<OwnedDeclaration> = LazyLock::new(|| {
    let mut owned = declaration_of::<Chaos>();
    owned.declaration.scan = Some(scan);
    owned
});

inventory::submit! { Registered(&DECLARATION) }

thread_local! {
    /// The sink of the last call on this thread.
    static KEPT: Cell<Option<abi::Sink>> = const { Cell::new(None) };
}

unsafe extern "C" fn scan(
    instance: *mut c_void,
    snapshot: *const abi::Snapshot,
    sink: *const abi::Sink,
) -> i32 {
    // SAFETY: the core lends a sink for the call.
    KEPT.set(unsafe { abi::read_sized(sink) });
    let Some(scan) = OF_THE_TRAIT.declaration.scan else {
        return abi::FAILED;
    };
    // SAFETY: the arguments are those of the core.
    unsafe { scan(instance, snapshot, sink) }
}

/// Says something through the sink of the last call, whether that still goes on or not.
pub(crate) fn finding_of(text: &[u8]) {
    if let Some(sink) = KEPT.get() {
        finding(sink, text);
    }
}

pub(crate) fn later() {
    finding_of(b"a stray word");
}

pub(crate) fn from_another_thread() {
    let Some(sink) = KEPT.get() else { return };
    let kept = Kept(sink);
    let stray = move || finding(kept.into_inner(), b"a stray word");
    let _ended = thread::spawn(stray).join();
}

/// A sink that goes to another thread, which is not allowed.
struct Kept(abi::Sink);

// SAFETY: there is none; the core must not rely on it.
unsafe impl Send for Kept {}

impl Kept {
    fn into_inner(self) -> abi::Sink {
        self.0
    }
}

fn finding(sink: abi::Sink, text: &[u8]) {
    let raw = abi::Finding {
        struct_size: abi::size_of_u32::<abi::Finding>(),
        severity: abi::SEVERITY_NOTICE,
        verbosity: 0,
        kind: u32::MAX,
        code: Str::of_bytes(text),
        text: Str::of_bytes(text),
        details: Str::of_bytes(text),
        numbers: Seq::ABSENT,
        incident: Str::of_bytes(text),
        effect: u32::MAX,
        pad: 0,
    };
    if let Some(take) = sink.finding {
        // SAFETY: a sink can be called at any time; the finding is complete.
        unsafe { take(sink.context, &raw const raw) };
    }
}

/// A request of a kind that there is not; the answer.
pub(crate) fn request_of_kind(kind: u32) -> &'static str {
    let raw = abi::Request {
        struct_size: abi::size_of_u32::<abi::Request>(),
        kind,
        tunable: Str::new(crate::WATERMARK),
        value: 11,
        node: 0,
        pad: 0,
        reason: Str::new("no such kind"),
        details: Str::ABSENT,
        numbers: Seq::ABSENT,
    };
    let take = KEPT
        .get()
        .and_then(|sink| Some((sink.context, sink.request?)));
    // SAFETY: the sink is that of this call, the request is complete.
    let answer = take.map(|(context, take)| unsafe { take(context, &raw const raw) });
    match answer {
        Some(abi::UNSUPPORTED) => "unsupported",
        Some(abi::OK) => "taken",
        _ => "something else",
    }
}

/// Null pointers in the place of words, and strings that are null with a length.
pub(crate) fn nothing() {
    let Some(sink) = KEPT.get() else { return };
    let (Some(finding), Some(request), Some(problem)) = (sink.finding, sink.request, sink.problem)
    else {
        return;
    };
    // SAFETY: null is allowed.
    unsafe { finding(sink.context, ptr::null()) };
    // SAFETY: null is allowed.
    unsafe { request(sink.context, ptr::null()) };
    // SAFETY: null is allowed.
    unsafe { problem(sink.context, ptr::null()) };
}

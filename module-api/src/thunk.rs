//! From the C interface to the trait: the functions behind a [`Declaration`](crate::abi::Declaration).
#![expect(unsafe_code, reason = "called by the core with pointers that it lends")]

use core::any::Any;
use core::cell::RefCell;
use core::ffi::c_void;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::abi::{self, size_of_u32};
use crate::config::Config;
use crate::info::{Info, Sealed};
use crate::module::Module;
use crate::out::Out;
use crate::snapshot::Snapshot;

/// A declaration, and the array of options that it points to.
#[derive(Debug)]
pub struct OwnedDeclaration {
    /// Valid as long as `self` lives.
    pub declaration: abi::Declaration,
    _options: Vec<abi::OptionDeclaration>,
}

/// What the core needs to know to run a module; [`register!`](crate::register) puts it where it is found.
#[must_use]
pub fn declaration_of<M: Module>() -> OwnedDeclaration {
    let options = M::INFO.options.iter();
    let options: Vec<_> = options
        .map(|option| option.declaration(Sealed::new()))
        .collect();
    OwnedDeclaration {
        declaration: declaration::<M>(&options),
        // The elements keep their place when the vector that owns them moves.
        _options: options,
    }
}

const fn declaration<M: Module>(options: &[abi::OptionDeclaration]) -> abi::Declaration {
    let info = M::INFO;
    abi::Declaration {
        struct_size: size_of_u32::<abi::Declaration>(),
        flags: flags(&info),
        needs_minor: info.needs_minor,
        pad: 0,
        name: abi::Str::new(info.name),
        version: abi::Str::new(info.version),
        description: abi::Str::new(info.description),
        flag: abi::Str::new(info.flag),
        needs: strings(info.needs),
        writes: strings(info.writes),
        options: abi::Seq::new(options),
        create: Some(create::<M>),
        scan: Some(scan::<M>),
        destroy: Some(destroy::<M>),
    }
}

const fn flags(info: &Info) -> u32 {
    let enabled = if info.enabled {
        abi::ENABLED_BY_DEFAULT
    } else {
        0
    };
    let panic_aborts = if cfg!(panic = "abort") {
        abi::PANIC_ABORTS
    } else {
        0
    };
    enabled | panic_aborts
}

/// An array of `Need` or `Action`, both transparent wrappers of a string.
const fn strings<T>(wrapped: &'static [T]) -> abi::Seq<abi::Str> {
    assert!(
        size_of::<T>() == size_of::<abi::Str>(),
        "not a wrapper of a string"
    );
    // SAFETY: the only callers pass `Need` and `Action`, which are `repr(transparent)` over `Str`.
    abi::Seq::new(unsafe { core::slice::from_raw_parts(wrapped.as_ptr().cast(), wrapped.len()) })
}

unsafe extern "C" fn create<M: Module>(
    config: *const abi::Config,
    sink: *const abi::Sink,
    instance: *mut *mut c_void,
) -> i32 {
    guarded(sink, |out| {
        // SAFETY: the core passes null or a sized structure that lives for the call.
        let Some(raw) = (unsafe { abi::read_sized(config) }) else {
            return abi::INVALID;
        };
        if instance.is_null() {
            return abi::INVALID;
        }
        // SAFETY: the core lends well-formed arrays for the call.
        match M::create(&unsafe { Config::new(raw) }) {
            Ok(module) => {
                // SAFETY: not null, and the core made room for one pointer.
                unsafe { *instance = Box::into_raw(Box::new(module)).cast() };
                abi::OK
            }
            Err(problems) => {
                for problem in &problems.0 {
                    out.problem(&problem.key, &problem.text);
                }
                abi::INVALID
            }
        }
    })
}

unsafe extern "C" fn scan<M: Module>(
    instance: *mut c_void,
    snapshot: *const abi::Snapshot,
    sink: *const abi::Sink,
) -> i32 {
    guarded(sink, |out| {
        // SAFETY: the core passes null or a sized structure that lives for the call.
        let Some(raw) = (unsafe { abi::read_sized(snapshot) }) else {
            return abi::INVALID;
        };
        // SAFETY: the core passes what `create` made, to one thread at a time.
        let Some(module) = (unsafe { instance.cast::<M>().as_mut() }) else {
            return abi::INVALID;
        };
        // SAFETY: the core lends well-formed arrays for the call.
        match module.scan(&unsafe { Snapshot::new(raw) }, out) {
            Ok(()) => abi::OK,
            Err(error) => {
                out.problem("", &error.to_string());
                abi::FAILED
            }
        }
    })
}

unsafe extern "C" fn destroy<M: Module>(instance: *mut c_void) {
    if instance.is_null() {
        return;
    }
    // SAFETY: the core passes what `create` made, once.
    let module = unsafe { Box::from_raw(instance.cast::<M>()) };
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(|| drop(module))) {
        core::mem::forget(payload);
    }
}

/// Runs module code so that no panic leaves this library: one that crosses into another aborts.
fn guarded(sink: *const abi::Sink, call: impl FnOnce(&mut Out<'_>) -> i32) -> i32 {
    // SAFETY: the core passes null or a sized structure that lives for the call.
    let Some(raw) = (unsafe { abi::read_sized(sink) }) else {
        return abi::INVALID;
    };
    // SAFETY: the core lends the sink for the call, on this thread.
    let mut out = unsafe { Out::new(raw) };
    note_panics();
    IN_MODULE.with_borrow_mut(|note| *note = Some(String::new()));
    let result = panic::catch_unwind(AssertUnwindSafe(|| call(&mut out)));
    let note = IN_MODULE.with_borrow_mut(Option::take);
    result.unwrap_or_else(|payload| {
        out.problem("", &panic_message(note, payload));
        abi::PANICKED
    })
}

thread_local! {
    /// While module code runs on this thread: the note of a panic, empty so far.
    static IN_MODULE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Lets panics of module code be noted, with file and line, instead of printed. All others go the way
/// that they went before.
pub(crate) fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let noted = IN_MODULE.try_with(|note| {
                note.try_borrow_mut().is_ok_and(|mut note| {
                    note.as_mut().map(|note| *note = info.to_string()).is_some()
                })
            });
            if !noted.unwrap_or(false) {
                before(info);
            }
        }));
    });
}

fn panic_message(note: Option<String>, payload: Box<dyn Any + Send>) -> String {
    let message = note.filter(|note| !note.is_empty());
    // Dropping a payload may panic again, so it is leaked.
    core::mem::forget(payload);
    message.unwrap_or_else(|| "panicked without a message".to_owned())
}

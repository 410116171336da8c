//! The last word of a thread that ends the daemon: that it was the one.
//!
//! Several modules can be at work when the daemon dies; only one of them is to blame. A signal that a thread
//! brings upon itself is handled in that thread, and so are the functions that `exit` calls.
#![expect(
    unsafe_code,
    reason = "handles signals that nothing safe can handle, and asks to be called at the end"
)]

use std::cell::Cell;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::{io, process};

use libc::{
    SA_ONSTACK, SA_SIGINFO, SI_USER, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP, c_int,
    c_void, sigaction, siginfo_t,
};

use super::DIED;

/// The signals that a thread brings upon itself.
const FATAL: [c_int; 6] = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP];

thread_local! {
    /// The place to note that this thread's module ended the daemon; null while it is in none. It needs no destructor,
    /// so that a signal handler can use it.
    static HERE: Cell<*const AtomicU8> = const { Cell::new(ptr::null()) };
}

/// The process that is to speak, and what was done about the signals before.
static SPEAKER: OnceLock<(u32, [sigaction; FATAL.len()])> = OnceLock::new();

/// From now on, whatever ends this process by itself is noted as the doing of the module that its thread is in.
///
/// # Errors
///
/// Returns an error if the signals cannot be handled, or nothing can be done at the end.
pub fn listen() -> io::Result<()> {
    if SPEAKER.get().is_some() {
        return Ok(());
    }
    let mut before = [ours(); FATAL.len()];
    for (signal, before) in FATAL.into_iter().zip(&mut before) {
        // SAFETY: only asks, and `before` is ours to write to.
        checked(unsafe { libc::sigaction(signal, ptr::null(), before) })?;
    }
    if SPEAKER.set((process::id(), before)).is_err() {
        return Ok(());
    }
    for signal in FATAL {
        // SAFETY: the handler calls only what a signal handler may call.
        checked(unsafe { libc::sigaction(signal, &ours(), ptr::null_mut()) })?;
    }
    // SAFETY: the function does not unwind, and is there until the process ends.
    checked(unsafe { libc::atexit(at_exit) })
}

/// Notes that this thread enters a module, or with `None` that it leaves it.
pub(super) fn is_in(cell: Option<&AtomicU8>) {
    HERE.set(cell.map_or(ptr::null(), ptr::from_ref));
}

fn checked(result: c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn ours() -> sigaction {
    // SAFETY: all zeros is a valid value: the default action, no flags, no signals blocked.
    let mut ours: sigaction = unsafe { std::mem::zeroed() };
    ours.sa_sigaction = at_signal as *const () as usize;
    // On the stack that the standard library has set aside: the thread's own may be what is full.
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ours
}

/// Speaks, and leaves the rest to whoever handled the signal before.
extern "C" fn at_signal(signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    // SAFETY: with `SA_SIGINFO` the kernel passes a valid one.
    let code = unsafe { (*info).si_code };
    // One that somebody else sent is no fault of the thread that happens to handle it. The watchdog of
    // systemd sends one.
    if code != SI_USER {
        speak();
    }
    let index = FATAL.iter().position(|fatal| *fatal == signal);
    if let (Some(index), Some((_, before))) = (index, SPEAKER.get()) {
        // SAFETY: gives back what was there; allowed in a signal handler.
        unsafe { libc::sigaction(signal, &raw const before[index], ptr::null_mut()) };
    }
    // A fault happens again as soon as we return, and the kernel logs it as if we had not been there. What was
    // sent does not, nor does a breakpoint.
    let comes_again = code > 0 && signal != SIGTRAP;
    if !comes_again {
        // SAFETY: allowed in a signal handler; it waits until we return.
        unsafe { libc::raise(signal) };
    }
}

extern "C" fn at_exit() {
    speak();
}

fn speak() {
    // A process that a module made by itself is not the daemon.
    let are_we = SPEAKER
        .get()
        .is_some_and(|(daemon, _)| *daemon == process::id());
    // SAFETY: null, or a byte of a map that whoever set it holds as long as it is set.
    let cell = unsafe { HERE.get().as_ref() };
    if let Some(cell) = cell.filter(|_| are_we) {
        cell.store(DIED, Ordering::Relaxed);
    }
}

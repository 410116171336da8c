//! Signals as events on a channel.
#![expect(
    unsafe_code,
    reason = "the mask of signals is reached through the C library only"
)]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::thread;

use crossbeam_channel::{Receiver, bounded};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A request of an administrator by signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalRequest {
    /// SIGTERM, SIGINT: end cleanly.
    End,
    /// SIGHUP: read the configuration again.
    Reload,
}

/// The signals that are received.
const SIGNALS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// Holds signals back until they can be received: one that came while the daemon looks for its modules would end it by the
/// kernel's default, as if it had died, or SIGHUP would. To be called before there is another thread.
pub fn hold_back() {
    change_mask(libc::SIG_BLOCK);
}

/// Lets signals through: those that were held back come now. Also for a command that is to end at once when it is told to,
/// and for what was started by somebody who held them back.
pub fn let_through() {
    change_mask(libc::SIG_UNBLOCK);
}

/// Adds the signals to the mask of this thread, and of those that it starts, or takes them out.
fn change_mask(how: i32) {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the set is ours, and it is written.
    let _never_fails = unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in SIGNALS {
        // SAFETY: the set is made, and ours.
        let _never_fails = unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
    }
    // SAFETY: the set is made, and nobody wants the old one. It fails for another `how` only.
    let _never_fails = unsafe { libc::pthread_sigmask(how, set.as_ptr(), ptr::null_mut()) };
}

/// Receives signals from now on, and those that were held back before.
///
/// # Errors
///
/// If the kernel does not let us handle them.
pub fn receive() -> io::Result<Receiver<SignalRequest>> {
    let mut signals = Signals::new(SIGNALS)?;
    let_through();
    let (tell, wishes) = bounded(8);
    thread::Builder::new()
        .name("signals".to_owned())
        .stack_size(64 << 10)
        .spawn(move || {
            for signal in signals.forever() {
                let wish = if signal == SIGHUP {
                    SignalRequest::Reload
                } else {
                    SignalRequest::End
                };
                // Waits while the core is busy: the wish to end must not be lost behind those to reload.
                // Of the signals that come meanwhile, one of each kind is kept.
                if tell.send(wish).is_err() {
                    break;
                }
            }
        })?;
    Ok(wishes)
}

//! Signals as events on a channel.

use std::io;
use std::thread;

use crossbeam_channel::{Receiver, bounded};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What an administrator asks for with a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// SIGTERM, SIGINT: end cleanly.
    End,
    /// SIGHUP: read the configuration again.
    Reload,
}

/// Receives signals from now on.
///
/// # Errors
///
/// If the kernel does not let us handle them.
pub fn receive() -> io::Result<Receiver<Wish>> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let (tell, wishes) = bounded(8);
    thread::Builder::new()
        .name("signals".to_owned())
        .stack_size(64 << 10)
        .spawn(move || {
            for signal in signals.forever() {
                let wish = if signal == SIGHUP {
                    Wish::Reload
                } else {
                    Wish::End
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

//! What the process of a module gives up before it loads the module, and after.
#![expect(
    unsafe_code,
    reason = "closes descriptors that nobody in this program owns"
)]

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};

use rustix::io::{Errno, fcntl_getfd};
use rustix::process::{
    DumpableBehavior, Gid, Pid, Resource, Rlimit, Signal, Uid, geteuid, getppid,
    set_dumpable_behavior, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_no_new_privs,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::filter;

/// The user and group `nobody`, who owns nothing.
const NOBODY: u32 = 65534;
/// More than a module needs, in bytes of address space: program and libraries take about 20 MiB.
const MEMORY: u64 = 512 << 20;
/// Enough to load a library and those that it needs.
const FILES: u64 = 64;

/// Gives up everything that a module must not have. `parent` is the daemon.
///
/// The process must have one thread only: a thread gives up for itself.
///
/// # Errors
///
/// What could not be given up; then no module may be loaded.
pub(super) fn enter(parent: u32) -> io::Result<()> {
    close_all_but_standard()?;
    set_no_new_privs(true)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Memlock, 0)?;
    limit(Resource::Nofile, FILES)?;
    limit(Resource::As, MEMORY)?;
    if geteuid().is_root() {
        become_nobody()?;
    }
    give_up_capabilities()?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // Another user is another process to the kernel: this comes last, or it is forgotten.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The daemon may have ended before.
    if getppid().map(Pid::as_raw_pid) != i32::try_from(parent).ok() {
        return Err(io::Error::other("the daemon has ended"));
    }
    // Without it nobody can still make every call that needs no rights, and root without capabilities far too many.
    filter::apply().map_err(|error| {
        io::Error::other(format!(
            "no filter of system calls: {error}; a module that is trusted can run with isolation = \"none\""
        ))
    })
}

/// After the library is loaded: no file, no socket, no process and no thread can be made any more.
///
/// # Errors
///
/// If the kernel does not allow it.
pub(super) fn shut() -> io::Result<()> {
    limit(Resource::Nofile, 0)?;
    limit(Resource::Nproc, 0)
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    Ok(setrlimit(resource, limit)?)
}

/// A daemon that the service manager has left no capability cannot do this. Then only [`filter`] keeps the process
/// from harming it.
fn become_nobody() -> io::Result<()> {
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    match set_thread_groups(&[]) {
        Err(Errno::PERM) => return Ok(()),
        groups => groups?,
    }
    set_thread_res_gid(group, group, group)?;
    set_thread_res_uid(user, user, user)?;
    Ok(())
}

/// A user who is not root may have been lent some.
fn give_up_capabilities() -> io::Result<()> {
    let none = CapabilitySet::empty();
    // Where there are none, the call may be forbidden, too.
    let held = capabilities(None)?;
    if (held.permitted | held.inheritable).is_empty() {
        return Ok(());
    }
    let sets = CapabilitySets {
        effective: none,
        permitted: none,
        inheritable: none,
    };
    Ok(set_capabilities(None, sets)?)
}

/// Descriptors that somebody else left open for the daemon, and so for us.
fn close_all_but_standard() -> io::Result<()> {
    let number = |entry: io::Result<fs::DirEntry>| -> io::Result<Option<RawFd>> {
        Ok(entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok()))
    };
    // Collected first, so that the directory itself is closed before.
    let open: Vec<Option<RawFd>> = fs::read_dir("/proc/self/fd")?
        .map(number)
        .collect::<Result<_, _>>()?;
    for descriptor in open
        .into_iter()
        .flatten()
        .filter(|descriptor| *descriptor > 2)
    {
        // SAFETY: only asked whether it is open; the one of the directory is not any more.
        let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
        if fcntl_getfd(borrowed).is_ok() {
            // SAFETY: nothing in this process owns a descriptor but the standard ones yet.
            unsafe { rustix::io::close(descriptor) };
        }
    }
    Ok(())
}

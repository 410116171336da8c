//! The rights that the process of a module gives up before it loads the module, and after.
#![expect(
    unsafe_code,
    reason = "closes descriptors that nobody in this program owns"
)]

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::PathBuf;

use rustix::io::{Errno, fcntl_getfd};
use rustix::process::{
    DumpableBehavior, Gid, Pid, Resource, Rlimit, Signal, Uid, geteuid, getppid, getrlimit,
    set_dumpable_behavior, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_no_new_privs,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::files::libraries_only;
use super::filter::{self, Stage};
use super::message::Confinement;

/// The user and group `nobody`, who owns nothing.
const NOBODY: u32 = 65534;
/// More than a module needs, in bytes of address space: program and libraries take about 20 MiB.
const MEMORY: u64 = 512 << 20;
/// Enough to load a library and those that it needs.
const FILES: u64 = 64;
/// The first to be ended when memory is short, whatever the daemon itself was promised.
const ENDED_FIRST: &str = "1000";
/// The first descriptor that is not a standard one.
const FIRST_OTHER: RawFd = 3;
/// The way that is left to an administrator who trusts a module.
const TRUSTED: &str = "a module that is trusted can run with isolation = \"none\"";
/// The reason why a module cannot run apart where the daemon is root, and has not the right to become another user.
const STAYS_ROOT: &str = "it would stay root and could read what belongs to root, as this kernel has no Landlock; boot with \
                          landlock in lsm=, or give the service CAP_SETUID and CAP_SETGID (\"isolation\" in \
                          adaptivemmd.toml(5)); a module that is trusted can run with isolation = \"none\"";

/// Gives up everything that a module must not have, and says what the kernel sees to. `parent` is the daemon, `files`
/// are all that may be read besides the libraries of this machine.
///
/// `lenient` lets pass a kernel that cannot do all of it: for a library that is to run in the daemon, which is
/// looked into here and would have more rights there.
///
/// The process must have one thread only: a thread gives up for itself.
///
/// # Errors
///
/// Returns what could not be given up; then no module may be loaded.
pub(super) fn enter(parent: u32, files: &[PathBuf], lenient: bool) -> io::Result<Confinement> {
    be_ended_first();
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
    let has_landlock = libraries_only(files)
        .map_err(|error| io::Error::other(format!("cannot restrict its files: {error}")))?;
    if geteuid().is_root() && !has_landlock && !lenient {
        return Err(io::Error::other(STAYS_ROOT));
    }
    // Without it nobody can still make every call that needs no rights, and root without capabilities far too many.
    let filtered = filter::apply(Stage::Loading);
    if let (Err(error), false) = (&filtered, lenient) {
        return Err(io::Error::other(format!(
            "cannot filter its system calls: {error}; {TRUSTED}"
        )));
    }
    Ok(Confinement {
        has_landlock,
        has_filter: filtered.is_ok(),
    })
}

/// Asks to be ended first when memory runs out. Where /proc cannot be written to, the kernel chooses as it does for the
/// daemon: no right depends on it.
#[expect(
    clippy::disallowed_methods,
    reason = "concerns this process, and not the machine"
)]
fn be_ended_first() {
    let _inherited = fs::write("/proc/self/oom_score_adj", ENDED_FIRST);
}

/// Closes the sandbox, after the library is loaded: no file, no socket, no process and no thread can be made any more,
/// and none that its constructors opened stays open.
///
/// # Errors
///
/// Returns an error if the kernel does not allow it.
pub(super) fn shut(confinement: Confinement) -> io::Result<()> {
    for descriptor in FIRST_OTHER..RawFd::try_from(FILES).unwrap_or(RawFd::MAX) {
        close_if_open(descriptor);
    }
    limit(Resource::Nofile, 0)?;
    limit(Resource::Nproc, 0)?;
    if confinement.has_filter {
        filter::apply(Stage::Shut)?;
    }
    Ok(())
}

/// Sets a limit, or keeps the one that is lower: who may not raise one may not even ask for it.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let most = getrlimit(resource)
        .maximum
        .map_or(most, |maximum| maximum.min(most));
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    Ok(setrlimit(resource, limit)?)
}

/// A daemon that the service manager has left no capability cannot do this. Then [`filter`] keeps the process from
/// harming it, and Landlock from what belongs to root.
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
    // A kernel that lacks capabilities may forbid the call, too.
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
    // Collected first, so that the directory itself is closed before.
    let open: Vec<Option<RawFd>> = fs::read_dir("/proc/self/fd")?
        .map(descriptor_number)
        .collect::<Result<_, _>>()?;
    for descriptor in open.into_iter().flatten() {
        if descriptor >= FIRST_OTHER {
            close_if_open(descriptor);
        }
    }
    Ok(())
}

fn descriptor_number(entry: io::Result<fs::DirEntry>) -> io::Result<Option<RawFd>> {
    let name = entry?.file_name();
    Ok(name.to_str().and_then(|name| name.parse().ok()))
}

fn close_if_open(descriptor: RawFd) {
    // SAFETY: only asked whether it is open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    if fcntl_getfd(borrowed).is_ok() {
        // SAFETY: nothing in this program owns a descriptor but the standard ones; a library must not keep one.
        unsafe { rustix::io::close(descriptor) };
    }
}

//! The system calls that the process of a module may make: to load a library, to compute, and to talk with the daemon.
//!
//! In a service without capabilities the process cannot become another user. The kernel then asks nothing of a
//! user `root` without capabilities that would keep it from ending the daemon, from writing to the same tunables, or
//! from making processes: limits on their number do not hold for root. This filter does.

use std::io;

use rustix::process::getpid;
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

/// The stage of a process in which a filter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The library is being loaded: its constructors run.
    Loading,
    /// The library is loaded, and no file has to be opened any more.
    Shut,
}

/// Allowed at any time, whatever the arguments. None of them changes anything outside of the process, or names
/// another one or a file.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getcpu,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_sigaltstack,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Calls that newer architectures do not have any more.
#[cfg(target_arch = "x86_64")]
const OLD: &[libc::c_long] = &[libc::SYS_arch_prctl, libc::SYS_poll, libc::SYS_time];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[libc::c_long] = &[];

/// The calls that the dynamic linker needs besides: it looks whether directories are there, and at files that it has
/// opened.
#[cfg(target_arch = "x86_64")]
const LOADING: &[libc::c_long] = &[libc::SYS_getcwd, libc::SYS_newfstatat, libc::SYS_stat];
#[cfg(not(target_arch = "x86_64"))]
const LOADING: &[libc::c_long] = &[libc::SYS_getcwd, libc::SYS_newfstatat];

/// The calls that open files, and which argument says whether for writing.
#[cfg(target_arch = "x86_64")]
const OPENING: &[(libc::c_long, u8)] = &[(libc::SYS_open, 1), (libc::SYS_openat, 2)];
#[cfg(not(target_arch = "x86_64"))]
const OPENING: &[(libc::c_long, u8)] = &[(libc::SYS_openat, 2)];

/// The flags with which a file must not be opened: for writing, or so that it comes to be.
const WRITING: libc::c_int = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC;

/// From now on this thread, and all that it could start, can make no other system calls: they fail as not permitted.
///
/// # Errors
///
/// Returns an error if this architecture or this kernel has no such filters.
pub(super) fn apply(stage: Stage) -> io::Result<()> {
    let program = program(stage).map_err(io::Error::other)?;
    apply_filter(&program).map_err(io::Error::other)
}

fn program(stage: Stage) -> Result<BpfProgram, Error> {
    let architecture: TargetArch = std::env::consts::ARCH.try_into().map_err(Error::Backend)?;
    let mut rules = always()?;
    rules.extend(ALLOWED.iter().chain(OLD).map(|call| (*call, Vec::new())));
    if stage == Stage::Loading {
        rules.extend(LOADING.iter().map(|call| (*call, Vec::new())));
        rules.extend(while_loading()?);
    }
    let filter = SeccompFilter::new(
        rules.into_iter().collect(),
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        SeccompAction::Allow,
        architecture,
    );
    filter.and_then(TryInto::try_into).map_err(Error::Backend)
}

type Conditional = Vec<(libc::c_long, Vec<SeccompRule>)>;

/// Allowed with these arguments only.
fn always() -> Result<Conditional, Error> {
    let me = u64::from(getpid().as_raw_pid().unsigned_abs());
    let control = [libc::F_GETFD, libc::F_SETFD, libc::F_GETFL];
    let control = control.map(|order| rule(1, SeccompCmpOp::Eq, u64::from(order.unsigned_abs())));
    Ok(vec![
        (
            libc::SYS_fcntl,
            control.into_iter().collect::<Result<_, _>>()?,
        ),
        // A process may ask for its own limits only, and it can only lower them.
        (libc::SYS_prlimit64, vec![rule(0, SeccompCmpOp::Eq, 0)?]),
        // A signal to itself: how `abort` ends it.
        (libc::SYS_tgkill, vec![rule(0, SeccompCmpOp::Eq, me)?]),
    ])
}

/// Allowed with these arguments only, until the library is loaded: to read files, and to apply the next filter, which
/// can only take more away.
fn while_loading() -> Result<Conditional, Error> {
    let reading = SeccompCmpOp::MaskedEq(u64::from(WRITING.unsigned_abs()));
    let no_new_privs = u64::from(libc::PR_SET_NO_NEW_PRIVS.unsigned_abs());
    let filter = u64::from(libc::SECCOMP_SET_MODE_FILTER);
    let mut calls = vec![
        (
            libc::SYS_prctl,
            vec![rule(0, SeccompCmpOp::Eq, no_new_privs)?],
        ),
        (libc::SYS_seccomp, vec![rule(0, SeccompCmpOp::Eq, filter)?]),
    ];
    for (call, flags) in OPENING {
        calls.push((*call, vec![rule(*flags, reading.clone(), 0)?]));
    }
    Ok(calls)
}

fn rule(argument: u8, comparison: SeccompCmpOp, value: u64) -> Result<SeccompRule, Error> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, value);
    condition
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(Error::Backend)
}

#[cfg(test)]
mod tests {
    use super::{Stage, program};

    #[test]
    fn this_architecture_has_a_filter_for_each_stage() {
        for stage in [Stage::Loading, Stage::Shut] {
            assert!(program(stage).is_ok_and(|program| !program.is_empty()));
        }
    }
}

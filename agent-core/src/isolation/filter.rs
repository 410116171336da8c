//! Which system calls the process of a module may make: to load a library, to compute, and to talk with the daemon.
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

/// Allowed, whatever the arguments. None of them changes anything outside of the process, or names another one.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getcpu,
    libc::SYS_getcwd,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_lgetxattr,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_readlinkat,
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
    libc::SYS_statx,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Calls that newer architectures do not have any more.
#[cfg(target_arch = "x86_64")]
const OLD: &[libc::c_long] = &[
    libc::SYS_access,
    libc::SYS_arch_prctl,
    libc::SYS_lstat,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_stat,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[libc::c_long] = &[];

/// How a file must not be opened: for writing, or so that it comes to be.
const WRITING: libc::c_int = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC;

/// From now on this thread, and all that it could start, can make no other system calls: they fail as not
/// permitted.
///
/// # Errors
///
/// If this architecture or this kernel has no such filters.
pub(super) fn apply() -> io::Result<()> {
    let program = program().map_err(io::Error::other)?;
    apply_filter(&program).map_err(io::Error::other)
}

fn program() -> Result<BpfProgram, Error> {
    let architecture: TargetArch = std::env::consts::ARCH.try_into().map_err(Error::Backend)?;
    let always = ALLOWED.iter().chain(OLD).map(|call| (*call, Vec::new()));
    let sometimes = conditional()?;
    let filter = SeccompFilter::new(
        always.chain(sometimes).collect(),
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        SeccompAction::Allow,
        architecture,
    );
    filter.and_then(TryInto::try_into).map_err(Error::Backend)
}

/// Allowed with these arguments only.
fn conditional() -> Result<Vec<(libc::c_long, Vec<SeccompRule>)>, Error> {
    let me = u64::from(getpid().as_raw_pid().unsigned_abs());
    let reading = SeccompCmpOp::MaskedEq(u64::from(WRITING.unsigned_abs()));
    let control = [libc::F_GETFD, libc::F_SETFD, libc::F_GETFL];
    let control = control.map(|order| rule(1, SeccompCmpOp::Eq, u64::from(order.unsigned_abs())));
    let calls = [
        (libc::SYS_openat, vec![rule(2, reading.clone(), 0)?]),
        (
            libc::SYS_fcntl,
            control.into_iter().collect::<Result<_, _>>()?,
        ),
        // Of its own limits, and it can only lower them.
        (libc::SYS_prlimit64, vec![rule(0, SeccompCmpOp::Eq, 0)?]),
        // A signal to itself: how `abort` ends it.
        (libc::SYS_tgkill, vec![rule(0, SeccompCmpOp::Eq, me)?]),
    ]
    .into_iter();
    #[cfg(target_arch = "x86_64")]
    let calls = calls.chain([(libc::SYS_open, vec![rule(1, reading, 0)?])]);
    Ok(calls.collect())
}

fn rule(argument: u8, comparison: SeccompCmpOp, value: u64) -> Result<SeccompRule, Error> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, value);
    condition
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(Error::Backend)
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_architecture_has_a_filter() {
        assert!(super::program().is_ok_and(|program| !program.is_empty()));
    }
}

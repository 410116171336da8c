//! `-s` with a module that wants to write every scan.

use std::fs;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::daemon::process::{Running, eventually, proc_file};
use crate::faults::bench::Bench;
use crate::faults::strace::{changed, traced};
use crate::skip::can_trace;

/// Calls that change files, their names or their attributes, or the system.
const CHANGES: &str = "trace=write,pwrite64,writev,pwritev,pwritev2,openat,open,creat,openat2,truncate,ftruncate,fallocate,\
                       rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,link,linkat,symlink,\
                       symlinkat,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,setxattr,lsetxattr,fsetxattr,utimensat,\
                       mount,umount2,swapon,swapoff,sethostname,flock,connect,sendto,sendmsg,copy_file_range,sendfile,\
                       splice,io_uring_setup,bpf,init_module,finit_module,kexec_load,reboot";

/// Whether this is allowed: reading, and talking to the terminal and to its own processes.
fn is_harmless(call: &str) -> bool {
    // A process of a module wants to be ended before the daemon when memory is short.
    if call.contains("/proc/self/oom_score_adj\"") || call.contains("/oom_score_adj>") {
        return true;
    }
    let opens = call.contains("open");
    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"];
    if opens {
        return call.contains("\"/dev/null\"") || !writes.iter().any(|flag| call.contains(flag));
    }
    // What descriptor 0 of a process without rights is, the socket to its daemon, is shown to root only.
    if call.contains(" write(0, ") && !geteuid().is_root() {
        return true;
    }
    let talks = ["write(", "writev(", "sendto(", "sendmsg("];
    let own = ["2<", "<UNIX", "<socket:", "<pipe:", "<anon_inode:"];
    talks.iter().any(|name| call.contains(name)) && own.iter().any(|fd| call.contains(fd))
}

#[test]
fn nothing_is_written_however_much_is_asked_for() {
    if !can_trace() {
        return;
    }
    let bench = Bench::new("simulation");
    let trace = bench.home.path("trace");
    let options = [
        "-yy",
        "-s",
        "0",
        "-e",
        CHANGES,
        "-o",
        trace.to_str().unwrap(),
    ];
    let mut simulation = Running::start(&mut traced(&bench, &options, &["-s"]));
    simulation.until("steps: compact node 0: simulated only");
    eventually("some scans", || {
        let calls = fs::read_to_string(&trace).ok()?;
        (calls.lines().count() > 1000).then_some(())
    });
    // strace hands the signal on.
    let pid = simulation.pid();
    let tracee = eventually("the daemon under strace", || {
        let children = proc_file(pid, &format!("task/{pid}/children"))?;
        children.split(' ').next()?.parse().ok()
    });
    kill_process(Pid::from_raw(tracee).unwrap(), Signal::TERM).unwrap();
    let (_, said) = simulation.end();

    let said = said.join("\n");
    let refusals = said.lines().filter(|line| line.contains("simulated only"));
    for target in [
        "vm.watermark_scale_factor = ",
        "vm.vfs_cache_pressure = ",
        "fs.negative-dentry-limit = ",
        "compact node 0",
    ] {
        let told = refusals.clone().filter(|line| line.contains(target));
        assert_eq!(told.count(), 1, "{target} once: {said}");
    }
    assert_eq!(changed(&bench), []);
    assert!(!bench.home.path("run").exists());
    let calls = fs::read_to_string(trace).unwrap();
    assert!(
        calls.lines().count() > 100 && calls.contains("watermark_scale_factor"),
        "{calls}"
    );
    // Of a thread that ends as strace lets go of it, it does not know the call any more.
    let is_call = |line: &&str| {
        line.contains('(') && !line.contains("resumed>") && !line.ends_with(" ???( <detached ...>")
    };
    let harmful: Vec<&str> = calls
        .lines()
        .filter(is_call)
        .filter(|call| !is_harmless(call))
        .collect();
    assert_eq!(harmful, [""; 0]);
}

//! There is one daemon at a time.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Signal, kill_process};

use super::{QUICK, QUICK_AND_OPEN};
use crate::daemon::life::{self, holder};
use crate::daemon::process::Home;
use crate::daemon::words::{LogDaemon, stderr};

#[test]
fn a_second_instance_is_refused_with_the_number_of_the_first() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let mut first = home.start(&["--foreground"]);
    first.until("started");

    for arguments in [["--foreground"].as_slice(), &["--once"]] {
        let second = home.command(arguments).output().unwrap();

        let refusal = format!(
            "adaptivemmd: the daemon is already running as process {}\n",
            first.pid()
        );
        assert_eq!((second.status.code(), stderr(&second)), (Some(1), refusal));
    }
}

#[test]
fn a_second_instance_in_the_background_is_refused_too() {
    let home = Home::new(QUICK, "");
    let _log = LogDaemon::listen(&home);
    let first = home.command(&[]).output().unwrap();
    let pid = holder(&home).unwrap();

    let second = home.command(&[]).output().unwrap();

    kill_process(life::pid(pid), Signal::TERM).unwrap();
    let refusal = format!("adaptivemmd: the daemon is already running as process {pid}\n");
    assert_eq!(first.status.code(), Some(0));
    assert_eq!((second.status.code(), stderr(&second)), (Some(1), refusal));
}

#[test]
fn the_lock_is_free_after_kill_9() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let mut first = home.start(&["--foreground"]);
    first.until("started");

    first.send(Signal::KILL);
    let (status, _) = first.end();
    let mut second = home.start(&["--foreground"]);
    second.until("started");

    assert_eq!((status.code(), holder(&home)), (None, Some(second.pid())));
}

#[test]
fn whoever_holds_the_lock_and_is_no_daemon_is_named_and_so_is_the_way_to_find_him() {
    let home = Home::new(QUICK_AND_OPEN, "");
    fs::create_dir_all(home.path("run")).unwrap();
    let path = home.path("run/lock");
    let file = File::create(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    // The number of a daemon that died.
    fs::write(&path, "4194304\n").unwrap();
    flock(&file, FlockOperation::LockExclusive).unwrap();

    for arguments in [["--foreground"].as_slice(), &["restore"]] {
        let refused = home.command(arguments).output().unwrap();

        let (path, pid) = (path.display(), std::process::id());
        let refusal = format!(
            "adaptivemmd: {path} is locked by process {pid}, which is not the daemon: `fuser -v {path}` and `lslocks` show by whom\n"
        );
        assert_eq!(
            (refused.status.code(), stderr(&refused)),
            (Some(1), refusal)
        );
    }
}

#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    for (name, key) in [("run", "runtime-dir"), ("state", "state-dir")] {
        let home = Home::new(QUICK_AND_OPEN, "");
        fs::create_dir_all(home.path(name)).unwrap();
        fs::set_permissions(home.path(name), Permissions::from_mode(0o777)).unwrap();

        let refused = home.command(&["--foreground"]).output().unwrap();

        let beginning = format!(
            "adaptivemmd: the {key} cannot be trusted: {} can be written by others (mode 0777)",
            home.path(name).display()
        );
        let said = stderr(&refused);
        assert!(said.starts_with(&beginning), "{said}");
        assert_eq!(refused.status.code(), Some(1));
    }
}

#[test]
fn what_a_daemon_left_that_was_killed_while_it_replaced_a_file_is_removed_by_the_next() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let incident = home.path("state/incidents/20260101-000000-memleak");
    let left = [
        home.path("run/ledger.new"),
        home.path("run/.adaptivemmd.0123456789abcdef.new"),
        home.path("state/.adaptivemmd.0123456789abcdef.new"),
        incident.join("incident.json.new"),
    ];
    for file in &left {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "half").unwrap();
    }

    let output = home.command(&["--once"]).output().unwrap();

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(left.iter().all(|file| !file.exists()), "{left:?}");
}

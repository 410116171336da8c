//! There is one daemon at a time.

use rustix::process::{Signal, kill_process};

use crate::life::{self, holder};
use crate::process::Home;
use crate::words::{LogDaemon, stderr};
use crate::{QUICK, QUICK_AND_OPEN};

#[test]
fn a_second_instance_is_refused_with_the_number_of_the_first() {
    let home = Home::new(QUICK_AND_OPEN, "");
    let mut first = home.start(&["--foreground"]);
    first.until("started");

    for arguments in [["--foreground"].as_slice(), &["--once"]] {
        let second = home.command(arguments).output().unwrap();

        let refusal = format!(
            "adaptivemmd: another one is already running, as process {}\n",
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
    let refusal = format!("adaptivemmd: another one is already running, as process {pid}\n");
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

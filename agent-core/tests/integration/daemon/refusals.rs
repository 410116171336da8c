//! What it refuses to start with.

use crate::daemon::QUICK_AND_OPEN;
use crate::daemon::process::Home;
use crate::daemon::words::stderr;

#[test]
fn a_daemon_in_the_background_must_have_somewhere_to_log() {
    let home = Home::new(QUICK_AND_OPEN, "");

    let output = home.command(&[]).output().unwrap();

    let refusal =
        "adaptivemmd: log-target \"stderr\" needs --foreground; else choose another log-target\n";
    assert_eq!(
        (output.status.code(), stderr(&output).as_str()),
        (Some(78), refusal)
    );
}

#[test]
fn a_bad_configuration_is_told_to_the_caller_with_status_78() {
    let home = Home::new("period-secs = 0.01", "");
    let file = home.path("adaptivemmd.toml");

    for arguments in [["-d"].as_slice(), &["--once"], &["-s"], &["snapshot"], &[]] {
        let output = home.command(arguments).output().unwrap();

        assert_eq!(
            (output.status.code(), stderr(&output)),
            (
                Some(78),
                format!(
                    "adaptivemmd: {}:5:15: error: `period-secs` must be a number from 0.1 to 3600, found 0.01\n\
                     \x20   5 | period-secs = 0.01\n\
                     \x20     |               ^^^^\n",
                    file.display()
                )
            ),
            "{arguments:?}"
        );
    }
    assert!(!home.path("run").exists());
}

#[test]
fn bad_usage_has_status_2() {
    for arguments in [
        ["--nonsense"].as_slice(),
        &["nonsense"],
        &["-a", "4"],
        &["--json"],
        &["record"],
    ] {
        let output = Home::new("", "").command(arguments).output().unwrap();

        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains("For more information, try '--help'"));
    }
}

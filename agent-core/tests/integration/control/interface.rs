//! The interface is as it is described, and everybody may ask, but not change anything.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;

use agent_core::daemon::control::{DESCRIPTION, call};
use rustix::process::{Uid, geteuid};
use rustix::thread::set_thread_res_uid;
use serde_json::{Value, json};

use crate::control::idl::Interface;
use crate::daemon::process::eventually;
use crate::faults::bench::Bench;
use crate::skip::{has, skip};

#[test]
fn every_reply_is_as_the_interface_describes_it() {
    let bench = Bench::new("interface");
    let mut daemon = bench.daemon();
    daemon.until("vm.watermark_scale_factor = 20: done, was 10");
    let interface = Interface::parse(DESCRIPTION);
    let run = bench.home.path("run");
    call(&run, "Reload", &json!({})).unwrap();
    daemon.until("configuration reloaded");

    let replies: Vec<(&String, Value)> = interface
        .methods
        .iter()
        .map(|(name, (parameters, reply))| {
            interface.judge(&json!({}), parameters, name);
            let answer = call(&run, name, &json!({})).unwrap();
            interface.judge(&answer, reply, name);
            (name, answer)
        })
        .collect();

    let reply = |name: &str| &replies.iter().find(|(known, _)| *known == name).unwrap().1;
    let status = reply("Status");
    for list in ["tunables", "modules", "decisions", "requests"] {
        assert_ne!(status[list], json!([]), "{list}: {status}");
    }
    assert_eq!(status["modules"], reply("Modules")["modules"]);
    assert_eq!(status["modules"][0]["name"], "steps");
    assert!(status["scans"].as_u64() >= Some(1) && status["reload"].is_object());
    let restored = reply("Restore")["restored"].as_array().unwrap();
    assert!(restored.iter().any(|it| it["done"] == true), "{restored:?}");
}

#[test]
fn fewer_decisions_can_be_asked_for() {
    let bench = Bench::new("fewer");
    let mut daemon = bench.daemon();
    daemon.until("vm.watermark_scale_factor = 20: done, was 10");
    let run = bench.home.path("run");

    let most = eventually("there are some", || {
        let all = call(&run, "Decisions", &json!({})).unwrap();
        (all["decisions"].as_array()?.len() >= 2).then_some(())?;
        Some(call(&run, "Decisions", &json!({ "most": 1 })).unwrap())
    });

    assert_eq!(most["decisions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn others_may_ask_and_not_change_anything() {
    if !geteuid().is_root() {
        skip("only root can be somebody else");
        return;
    }
    let bench = Bench::new("others");
    let mut daemon = bench.daemon();
    daemon.until("vm.watermark_scale_factor = 20: done, was 10");
    let open = fs::Permissions::from_mode(0o711);
    fs::set_permissions(bench.home.path(""), open).unwrap();
    let run = bench.home.path("run");

    // Of this thread only, as the kernel has it.
    let answers = thread::spawn(move || {
        let nobody = Uid::from_raw(65_534);
        set_thread_res_uid(nobody, nobody, nobody).unwrap();
        [
            "Status",
            "Modules",
            "Decisions",
            "Incidents",
            "Metrics",
            "Reload",
            "Resume",
            "Restore",
        ]
        .map(|method| match call(&run, method, &json!({})) {
            Ok(_) => "answered".to_owned(),
            Err(error) => error.to_string(),
        })
    });
    let answers = answers.join().unwrap();

    let (asked, told) = answers.split_at(5);
    assert_eq!(asked, ["answered"; 5]);
    assert_eq!(told, ["only root may do this"; 3]);
}

#[test]
fn varlinkctl_finds_nothing_wrong_with_the_description() {
    if !has("varlinkctl", "systemd") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("interface");
    fs::write(&file, DESCRIPTION).unwrap();

    let judged = Command::new("varlinkctl")
        .arg("validate-idl")
        .arg(&file)
        .output()
        .unwrap();

    assert!(judged.status.success(), "{judged:?}");
}

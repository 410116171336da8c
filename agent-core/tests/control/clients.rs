//! Clients that are slow, greedy or broken: neither a scan nor another client waits for them.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

use crate::bench::Bench;
use crate::process::{Running, eventually, proc_file};

const INFO: &[u8] = b"{\"method\": \"org.varlink.service.GetInfo\"}\0";

fn connect(bench: &Bench) -> UnixStream {
    let stream = UnixStream::connect(bench.home.path("run/control")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream
}

fn reply(stream: &mut UnixStream) -> Value {
    let mut text = Vec::new();
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte).unwrap();
        match byte {
            [0] => return serde_json::from_slice(&text).unwrap(),
            [byte] => text.push(byte),
        }
    }
}

fn assert_is_answered(bench: &Bench) {
    // A thousand others stand in line, and each has to go before the next one is heard.
    let mut stream = eventually("the socket has room", || {
        UnixStream::connect(bench.home.path("run/control")).ok()
    });
    stream.write_all(INFO).unwrap();
    assert_eq!(reply(&mut stream)["parameters"]["product"], "adaptivemmd");
}

fn assert_scans_go_on(daemon: &mut Running) {
    daemon.take_said();
    for _ in 0..3 {
        daemon.until("vm.watermark_scale_factor = 20: done");
    }
}

/// In KiB.
fn resident(daemon: &Running) -> u64 {
    let status = proc_file(daemon.pid(), "status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn it_describes_itself() {
    let bench = Bench::new("describes");
    let mut daemon = bench.daemon();
    daemon.until("done, was");
    let mut stream = connect(&bench);

    // Two at once, in pieces.
    stream.write_all(&INFO[..10]).unwrap();
    stream.write_all(&INFO[10..]).unwrap();
    stream
        .write_all(
            b"{\"method\": \"org.varlink.service.GetInterfaceDescription\", \
               \"parameters\": {\"interface\": \"io.adaptivemmd.Control\"}}\0",
        )
        .unwrap();

    let (info, description) = (reply(&mut stream), reply(&mut stream));
    assert_eq!(
        info["parameters"]["interfaces"],
        serde_json::json!(["org.varlink.service", "io.adaptivemmd.Control"])
    );
    let description = description["parameters"]["description"].as_str().unwrap();
    assert!(
        description.contains("\ninterface io.adaptivemmd.Control\n"),
        "{description}"
    );
}

#[test]
fn who_floods_it_gets_nothing_and_costs_nothing() {
    let bench = Bench::new("floods");
    let mut daemon = bench.daemon();
    daemon.until("done, was");
    let before = resident(&daemon);

    // A message without an end: it is cut off long before a gigabyte.
    let mut endless = connect(&bench);
    let lump = vec![b'x'; 1 << 20];
    let sent = (0..1024)
        .take_while(|_| endless.write_all(&lump).is_ok())
        .count();
    // Questions without end, and nobody who takes the answers.
    let mut deaf = connect(&bench);
    deaf.set_nonblocking(true).unwrap();
    let mut asked = 0;
    while deaf.write_all(INFO).is_ok() {
        asked += 1;
        assert!(asked < 1_000_000, "it reads on and on");
    }
    // Half a message, a thousand times; and what is no message.
    let halves: Vec<UnixStream> = (0..1000)
        .map(|_| {
            let mut half = connect(&bench);
            let _dropped = half.write_all(&INFO[..20]);
            half
        })
        .collect();
    let mut garbage = connect(&bench);
    garbage.write_all(b"hello\0").unwrap();
    let mut rest = Vec::new();
    garbage.read_to_end(&mut rest).unwrap();

    assert!(sent < 8, "{sent} MiB");
    assert_eq!(rest, b"");
    assert_is_answered(&bench);
    assert_scans_go_on(&mut daemon);
    let grown = resident(&daemon).saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB more");
    drop(halves);
}

#[test]
fn who_asks_and_never_listens_costs_nothing_and_keeps_nobody_waiting() {
    let bench = Bench::new("askers");
    let mut daemon = bench.daemon();
    daemon.until("done, was");
    let status = b"{\"method\": \"io.adaptivemmd.Control.Status\"}\0";
    // The first answer is the one that is remembered.
    let mut first = connect(&bench);
    first.write_all(status).unwrap();
    assert_eq!(reply(&mut first)["parameters"]["pid"], daemon.pid());
    let before = resident(&daemon);

    // A thousand that ask a thousand times each, and do not listen.
    let mut deaf = Vec::new();
    for _ in 0..1000 {
        let stream = connect(&bench);
        stream.set_nonblocking(true).unwrap();
        let asked = (0..1000).take_while(|_| (&stream).write_all(status).is_ok());
        assert!(asked.count() <= 1000);
        deaf.push(stream);
    }

    assert_is_answered(&bench);
    assert_scans_go_on(&mut daemon);
    let grown = resident(&daemon).saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB more");
    drop(deaf);
}

#[test]
fn the_socket_goes_with_the_daemon_and_one_that_was_left_over_is_replaced() {
    let bench = Bench::new("socket");
    std::fs::create_dir_all(bench.home.path("run")).unwrap();
    std::fs::write(bench.home.path("run/control"), "left over").unwrap();

    let mut daemon = bench.daemon();
    daemon.until("done, was");
    assert_is_answered(&bench);
    daemon.terminate();

    assert!(!bench.home.path("run/control").exists());
}

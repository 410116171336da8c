//! Nothing that a command prints acts on a terminal, whoever wrote it.

use std::fs;
use std::process::Command;

use super::{Bench, CORE};

/// What colours a terminal, what clears it in one byte of Latin-1, and what turns the direction of a text around.
const ACTING: &str = "\u{1b}[31m\u{9b}2J\u{202e}";

/// Whether a text does nothing to a terminal.
fn is_harmless(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let acts = |c: char| c.is_control() && c != '\n' && c != '\t' || c == '\u{202e}';
    !text.contains(acts)
}

#[test]
fn nothing_of_a_record_that_somebody_tampered_with_acts_on_a_terminal() {
    let bench = Bench::new();
    let mut daemon = bench.daemon();
    bench.leak(&mut daemon);
    daemon.terminate();
    let kept = fs::read_dir(bench.state("incidents")).unwrap().flatten();
    let place = kept.map(|entry| entry.path()).next().unwrap();
    let record = place.join("incident.json");
    let text = fs::read_to_string(&record).unwrap();
    let acting = |word: &str| format!("{word}{}", ACTING.replace('\u{1b}', "\\u001b"));
    let mut tampered = text.clone();
    for word in ["oak", "6.12.0-test", "Possible memory leak", "leaky.c"] {
        assert!(tampered.contains(word), "{word} is not in {text}");
        tampered = tampered.replace(word, &acting(word));
    }
    fs::write(&record, tampered).unwrap();

    for arguments in [&[][..], &["list", "--json"], &["show"], &["show", "--json"]] {
        let (code, said, complaints) = bench.incidents(arguments);
        assert_eq!(code, Some(0), "{complaints}");
        assert!(said.contains("Possible memory leak"), "{said}");
        assert!(is_harmless(said.as_bytes()), "{arguments:?}: {said:?}");
    }
    let (_, _, complaint) = bench.incidents(&["show", ACTING]);
    assert!(complaint.contains("[31m"), "{complaint}");
    assert!(is_harmless(complaint.as_bytes()), "{complaint:?}");
}

#[test]
fn nothing_of_an_argument_or_a_path_acts_on_a_terminal() {
    let bench = Bench::new();
    let root = bench.machine.root();
    let odd = format!("odd{ACTING}.toml");
    let file = bench.home.path(&odd);
    let odd_file = file.to_str().unwrap();
    // It is wrong as well, which is no reason not to look where it says.
    let places =
        "[core]\nodd = 1\nmodule-dir = \"/odd\\u001b[31m\"\nruntime-dir = \"/proc/odd\\u001b[31m\"";
    fs::write(&file, places).unwrap();
    let module = "[modules.odd]\npath = \"/odd\\u001b[31m\\u009b2J\\u202e.so\"";
    bench.home.configure(CORE, module);
    let below_odd = format!("/odd{ACTING}/file");

    let usual = bench.home.path("adaptivemmd.toml");
    let usual = usual.to_str().unwrap();
    for (config, arguments) in [
        (usual, &["--root", &odd, "status"][..]),
        (usual, &["replay", &odd]),
        (usual, &["explain", &odd]),
        (usual, &[&odd]),
        (usual, &["record", "--root", root, &below_odd]),
        (usual, &["metrics", "--textfile", &below_odd]),
        (usual, &["modules"]),
        (usual, &["doctor"]),
        (usual, &["check-config"]),
        (odd_file, &["check-config"]),
        (odd_file, &["status"]),
        (odd_file, &["restore"]),
        (odd_file, &["--foreground"]),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_adaptivemmd"))
            .args(["-c", config])
            .args(arguments)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let shown = String::from_utf8_lossy(&said);
        assert!(shown.contains("odd"), "{arguments:?}: {shown}");
        assert!(is_harmless(&said), "{arguments:?}: {shown:?}");
    }
}

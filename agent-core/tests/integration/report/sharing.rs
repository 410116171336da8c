//! An incident as a file to hand on.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use agent_core::incidents::Incident;
use agent_core::report;
use agent_core::report::{Names, SiteKey, export, redacted};

use super::samples::leaks;

const SECRETS: [&str; 3] = ["db7", "example.org", "ingest"];

/// What is in the archive, by name.
fn exported(directory: &Path, incident: &Incident, names: Names) -> BTreeMap<String, Vec<u8>> {
    let mut file = Vec::new();
    export(directory, incident, names, &mut file).unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(file.as_slice()).unwrap());
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        assert_eq!(entry.header().mode().unwrap(), 0o600);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        files.insert(entry.path().unwrap().display().to_string(), content);
    }
    files
}

/// A directory as the core keeps it.
fn kept(incident: &Incident) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join(&incident.id);
    std::fs::create_dir_all(directory.join("raw")).unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(directory.join(name), content).unwrap();
    write("incident.json", &serde_json::to_vec(incident).unwrap());
    write("evidence.json.zst", b"evidence of db7");
    write("snapshots.jsonl.zst", b"snapshots of db7");
    write("raw/slabinfo.zst", b"raw of db7");
    std::os::unix::fs::symlink("/etc/passwd", directory.join("raw/link")).unwrap();
    place
}

#[test]
fn an_export_has_all_that_was_kept_and_the_report() {
    let incident = leaks::pages();
    let place = kept(&incident);

    let files = exported(&place.path().join(&incident.id), &incident, Names::Kept);

    let names: Vec<_> = files
        .keys()
        .map(|name| name.trim_start_matches("20261128-005113-memleak/"))
        .collect();
    assert_eq!(
        names,
        [
            "README.txt",
            "evidence.json.zst",
            "incident.json",
            "raw/slabinfo.zst",
            "report.html",
            "report.txt",
            "snapshots.jsonl.zst"
        ]
    );
    let file = |name: &str| files[&format!("20261128-005113-memleak/{name}")].as_slice();
    assert!(file("incident.json") == serde_json::to_vec_pretty(&incident).unwrap());
    assert!(file("report.html") == report::html(&incident).as_bytes());
    assert_eq!(file("raw/slabinfo.zst"), b"raw of db7");
}

#[test]
fn a_redacted_export_has_no_name_of_a_host_a_process_or_a_service_in_any_file() {
    let mut incident = leaks::pages();
    incident.problems = vec!["cannot read /proc/4711/fd of ingest on db7".to_owned()];
    let place = kept(&incident);

    let names = Names::LeftOut(SiteKey::of(b"a key of the site"));
    let files = exported(&place.path().join(&incident.id), &incident, names);

    let names: Vec<_> = files
        .keys()
        .map(|name| name.trim_start_matches("20261128-005113-memleak/"))
        .collect();
    assert_eq!(
        names,
        ["README.txt", "incident.json", "report.html", "report.txt"]
    );
    for (name, content) in &files {
        let text = String::from_utf8_lossy(content);
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} is in {name}");
        }
    }
    let json = String::from_utf8_lossy(&files["20261128-005113-memleak/incident.json"]);
    assert!(
        json.contains("service-1") && json.contains("TCP sockets") && json.contains("mlx5_core"),
        "{json}"
    );
}

#[test]
fn exports_of_a_site_can_be_joined_and_others_cannot() {
    let incident = leaks::pages();
    let with = |key: &[u8]| redacted(&incident, SiteKey::of(key)).machine;

    let site = with(b"a key of the site");
    assert_eq!(site, with(b"a key of the site"));
    let another = with(b"the key of another");
    assert!(site.host != another.host && site.boot_id != another.boot_id);
    let random = || {
        redacted(&incident, SiteKey::random().unwrap())
            .machine
            .boot_id
    };
    assert_ne!(random(), random());
}

#[test]
fn what_else_identifies_a_machine_is_not_in_what_is_redacted() {
    let secrets = [
        "52:54:00:12:34:56",
        "021614d5-dbd6-4d4d-8a2c-4c0d7aec5a7f",
        "/home/joe",
        "user-1000",
        "0b1c2d3e4f5a6b7c",
        "hunter2",
        "S3Z9NB0K",
        "10.1.2.3",
    ];
    let mut incident = leaks::pages();
    incident.machine.boot_id = secrets[1].to_owned();
    let text = format!(
        "eth0 {}, boot {}; {}/bin/x --password {} in /user.slice/{}.slice/docker-{}.scope, serial {}, from {}",
        secrets[0],
        secrets[1],
        secrets[2],
        secrets[5],
        secrets[3],
        secrets[4],
        secrets[6],
        secrets[7]
    );
    incident.told[0].text.clone_from(&text);
    incident.told[0].details = vec![text.clone()];
    incident.problems = vec![text];
    let place = kept(&incident);
    let directory = place.path().join(&incident.id);

    let key = SiteKey::of(b"a key of the site");
    for (name, content) in exported(&directory, &incident, Names::LeftOut(key)) {
        for secret in secrets {
            let text = String::from_utf8_lossy(&content);
            assert!(!text.contains(secret), "{secret} is in {name}");
        }
    }
    for (name, content) in exported(&directory, &incident, Names::Kept) {
        let text = String::from_utf8_lossy(&content);
        assert!(!text.contains("hunter2"), "{name}");
    }
}

#[test]
fn redacting_changes_no_number() {
    let incident = leaks::sudden();
    let redacted = redacted(&incident, SiteKey::of(b"a key of the site"));

    let bytes = |incident: &Incident| {
        let explanations = &incident.comparison.as_ref().unwrap().explanations;
        explanations
            .iter()
            .map(|each| each.explained_bytes)
            .collect::<Vec<_>>()
    };
    let host = redacted.machine.host.as_deref().unwrap();
    assert!(host.starts_with("host-") && !host.contains("db7"), "{host}");
    assert!(redacted.machine.boot_id.starts_with("id-"));
    assert_ne!(redacted.machine.boot_id, incident.machine.boot_id);
    assert_eq!(redacted.history, incident.history);
    assert_eq!(bytes(&redacted), bytes(&incident));
    assert_eq!(
        redacted.comparison.unwrap().explanations[0].owner,
        "packet rings of process-1 (PID 90210)"
    );
}

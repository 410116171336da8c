//! Incidents on the disk: a directory each, which only the user who runs the daemon can read.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::files;
use crate::config::IncidentLimits;

use crate::incidents::evidence::Evidence;
use crate::incidents::record::Incident;

/// The record, in the directory of an incident.
const RECORD: &str = "incident.json";
/// No record of ours is larger.
const LONGEST: u64 = 16 << 20;
/// zstd's own default.
const LEVEL: i32 = 3;

/// The directory of all incidents.
#[derive(Debug, Clone)]
pub struct Archive {
    directory: PathBuf,
}

impl Archive {
    /// Below the state directory of the daemon. Nothing is made before there is something to keep.
    #[must_use]
    pub fn below(state_dir: &Path) -> Self {
        Self {
            directory: state_dir.join("incidents"),
        }
    }

    /// Returns the directory where an incident is, or would be.
    #[must_use]
    pub fn place(&self, id: &str) -> PathBuf {
        self.directory.join(id)
    }

    /// Returns the directory of all incidents.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the names of all incidents, the oldest first; none if there is no directory.
    ///
    /// # Errors
    ///
    /// Returns an error if the directory cannot be read.
    pub fn ids(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() && is_id(&name) {
                ids.push(name);
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// Reads an incident.
    ///
    /// # Errors
    ///
    /// Returns an error if its record cannot be read, or makes no sense.
    pub fn read(&self, id: &str) -> io::Result<Incident> {
        let text = files::read(&self.place(id).join(RECORD), LONGEST)?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Returns what the kernel's files said before an incident, if there was time for that.
    #[must_use]
    pub fn evidence_before(&self, id: &str) -> Option<Evidence> {
        unpacked(&self.place(id).join("evidence-before.json.zst")).ok()
    }

    /// A name for an incident that no other has, from the time and the module.
    pub(in crate::incidents) fn free_id(&self, stem: &str) -> String {
        let mut id = stem.to_owned();
        let mut number = 1;
        while self.place(&id).exists() {
            number += 1;
            id = format!("{stem}-{number}");
        }
        id
    }

    /// Writes the record of an incident: whoever reads it sees the old one or the new one. It survives a loss of power.
    pub(in crate::incidents) fn write(&self, incident: &Incident) -> io::Result<()> {
        self.put(&incident.id, RECORD, &serde_json::to_vec_pretty(incident)?)
    }

    /// Writes something compressed beside the record.
    pub(in crate::incidents) fn put_compressed(
        &self,
        id: &str,
        name: &str,
        bytes: &[u8],
    ) -> io::Result<()> {
        self.put(id, &format!("{name}.zst"), &zstd::encode_all(bytes, LEVEL)?)
    }

    /// Writes something beside the record. The name may have one directory.
    pub(in crate::incidents) fn put(&self, id: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.place(id).join(name);
        if let Some(parent) = path.parent() {
            private(self.directory.parent().unwrap_or(parent), parent)?;
        }
        replace(&path, bytes)
    }

    /// Forgets incidents until the others have room: the oldest one of the module that takes most, so that one which
    /// reports much pushes out its own. The newest one stays in any case.
    pub(in crate::incidents) fn make_room(&self, room: IncidentLimits) -> io::Result<()> {
        let ids = self.ids()?;
        let ids = ids.into_iter();
        let mut kept: Vec<(u64, String)> = ids.map(|id| (size(&self.place(&id)), id)).collect();
        loop {
            let bytes: u64 = kept.iter().map(|(size, _)| size).sum();
            let is_too_many = kept.len() as u64 > room.count;
            if kept.len() <= 1 || (!is_too_many && bytes <= room.bytes) {
                return Ok(());
            }
            let index = oldest_of_the_largest(&kept, |size| if is_too_many { 1 } else { size });
            let Some(index) = index else {
                return Ok(());
            };
            let (_, id) = kept.remove(index);
            fs::remove_dir_all(self.place(&id))?;
        }
    }
}

/// Returns which incident is to go, by sizes and names, the oldest first. The newest is spared.
fn oldest_of_the_largest(kept: &[(u64, String)], cost: impl Fn(u64) -> u64) -> Option<usize> {
    let (_newest, others) = kept.split_last()?;
    let mut costs: BTreeMap<&str, u64> = BTreeMap::new();
    for (size, id) in kept {
        *costs.entry(module_in(id)).or_default() += cost(*size);
    }
    // Among modules that take as much, the one with the oldest is chosen.
    let candidates = others.iter().enumerate().rev();
    let largest = candidates.max_by_key(|(_, (_, id))| costs.get(module_in(id)));
    let largest = module_in(&largest?.1.1);
    others.iter().position(|(_, id)| module_in(id) == largest)
}

/// The module in the name of an incident: `20261128-005113-memleak-2`.
fn module_in(id: &str) -> &str {
    let module = id.splitn(3, '-').nth(2).unwrap_or_default();
    match module.rsplit_once('-') {
        Some((module, number)) if number.bytes().all(|b| b.is_ascii_digit()) => module,
        _ => module,
    }
}

/// Returns true if a directory can be that of an incident: `20261128-005113-memleak`.
fn is_id(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// The bytes of all files below a directory; what cannot be read counts nothing.
fn size(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// Makes a directory that only its owner can read, and those between it and the state directory.
pub(in crate::incidents) fn private(state_dir: &Path, directory: &Path) -> io::Result<()> {
    files::make_private(state_dir, directory)
}

/// Writes a file so that whoever reads it sees the old one or the new one, also after a loss of power.
pub(in crate::incidents) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    files::replace(path, 0o600, &[bytes])
}

/// Packs something for a file of its own.
pub(in crate::incidents) fn packed(value: &impl Serialize) -> io::Result<Vec<u8>> {
    zstd::encode_all(serde_json::to_vec(value)?.as_slice(), LEVEL)
}

/// Reads what was [`packed`].
pub(in crate::incidents) fn unpacked<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    let mut text = Vec::new();
    zstd::Decoder::new(files::open(path)?)?
        .take(LONGEST)
        .read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn incident(id: &str) -> Incident {
        let text = format!(
            r#"{{"v":1,"id":"{id}","module":"memleak","name":"growth-1","opened":{{"time":"2026-11-28T00:51:13Z",
            "uptime_ms":1}},"machine":{{"kernel":"6.1","arch":"x86_64","boot_id":"b","mem_total_bytes":1,
            "page_size_bytes":4096,"daemon":"adaptivemmd","period_ms":30000}},"told":[],
            "history":{{"uptime_ms":[],"columns":{{}}}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn archive(home: &Path) -> Archive {
        Archive::below(home)
    }

    #[test]
    fn what_was_written_is_read_again_and_nobody_else_can_read_it() {
        let home = tempfile::tempdir().unwrap();
        let archive = archive(home.path());

        archive.write(&incident("20260101-000000-memleak")).unwrap();
        archive
            .put_compressed("20260101-000000-memleak", "raw/slabinfo", b"slabs")
            .unwrap();

        assert_eq!(archive.ids().unwrap(), ["20260101-000000-memleak"]);
        assert_eq!(
            archive.read("20260101-000000-memleak").unwrap(),
            incident("20260101-000000-memleak")
        );
        let place = archive.place("20260101-000000-memleak");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(
            [
                mode(archive.directory()),
                mode(&place),
                mode(&place.join(RECORD)),
                mode(&place.join("raw/slabinfo.zst"))
            ],
            [0o700, 0o700, 0o600, 0o600]
        );
        let raw = fs::read(place.join("raw/slabinfo.zst")).unwrap();
        assert_eq!(zstd::decode_all(raw.as_slice()).unwrap(), b"slabs");
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_newest_never() {
        let home = tempfile::tempdir().unwrap();
        let archive = archive(home.path());
        let ids: Vec<String> = (1..=5).map(|n| format!("2026010{n}-000000-a")).collect();
        for id in &ids {
            archive.write(&incident(id)).unwrap();
            archive.put(id, "large", &[0; 10_000]).unwrap();
        }
        let room = |count, bytes| IncidentLimits { count, bytes };

        archive.make_room(room(4, u64::MAX)).unwrap();
        assert_eq!(archive.ids().unwrap(), ids[1..]);
        archive.make_room(room(10, 25_000)).unwrap();
        assert_eq!(archive.ids().unwrap(), ids[3..]);
        archive.make_room(room(0, 0)).unwrap();
        assert_eq!(archive.ids().unwrap(), ids[4..]);
    }

    #[test]
    fn a_module_that_reports_much_pushes_out_its_own() {
        let home = tempfile::tempdir().unwrap();
        let archive = archive(home.path());
        let leak = "20260101-000000-memleak";
        archive.write(&incident(leak)).unwrap();
        archive.put(leak, "large", &[0; 1000]).unwrap();
        let chaos: Vec<String> = (10..60)
            .map(|n| format!("202602{n}-000000-chaos-{n}"))
            .collect();
        for id in &chaos {
            archive.write(&incident(id)).unwrap();
            archive.put(id, "large", &[0; 10_000]).unwrap();
        }

        archive
            .make_room(IncidentLimits {
                count: 10,
                bytes: u64::MAX,
            })
            .unwrap();
        let by_count = archive.ids().unwrap();
        archive
            .make_room(IncidentLimits {
                count: 10,
                bytes: 30_000,
            })
            .unwrap();
        let by_bytes = archive.ids().unwrap();

        assert_eq!((by_count[0].as_str(), &by_count[1..]), (leak, &chaos[41..]));
        assert_eq!((by_bytes[0].as_str(), &by_bytes[1..]), (leak, &chaos[48..]));
    }

    #[test]
    fn what_is_no_incident_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let archive = archive(home.path());
        for name in ["lost+found", "..hidden"] {
            private(home.path(), &archive.place(name)).unwrap();
        }
        fs::write(archive.place("20260101-000000-a"), "a file").unwrap();

        assert_eq!(archive.ids().unwrap(), [""; 0]);
        assert!(archive.read("20260101-000000-a").is_err());
    }

    #[test]
    fn names_are_not_used_twice() {
        let home = tempfile::tempdir().unwrap();
        let archive = archive(home.path());
        archive.write(&incident("20260101-000000-a")).unwrap();
        archive.write(&incident("20260101-000000-a-2")).unwrap();

        assert_eq!(archive.free_id("20260101-000000-a"), "20260101-000000-a-3");
        assert_eq!(archive.free_id("20260101-000000-b"), "20260101-000000-b");
    }

    #[test]
    fn a_record_that_is_no_file_is_an_error_and_not_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let archive = archive(home.path());
        for (id, kind) in [
            ("20260101-000000-a", FileType::Fifo),
            ("20260101-000000-b", FileType::Symlink),
        ] {
            private(home.path(), &archive.place(id)).unwrap();
            let path = archive.place(id).join(RECORD);
            match kind {
                FileType::Fifo => mknodat(CWD, path, kind, Mode::RWXU, 0).unwrap(),
                _ => std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
            }

            let error = archive.read(id).unwrap_err();

            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        }
    }

    #[test]
    fn a_link_in_the_way_of_a_record_is_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let [path, victim] = ["file", "victim"].map(|name| home.path().join(name));
        fs::write(&victim, "secret").unwrap();
        for name in ["file", "file.new"] {
            std::os::unix::fs::symlink(&victim, home.path().join(name)).unwrap();
        }

        replace(&path, b"new").unwrap();

        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read(&victim).unwrap(), b"secret");
    }
}

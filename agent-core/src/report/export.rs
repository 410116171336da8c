//! An incident as one file to hand on: `tar`, compressed with `zstd`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tar::{Builder, Header};
use zstd::stream::write::Encoder;

use super::identity::SiteKey;
use super::redaction::without_secrets;
use super::{html, redacted, text};
use crate::incidents::Incident;

/// Whether names of the host, of processes and of services are in it.
#[derive(Debug, Clone, Copy)]
pub enum Names {
    /// All there is.
    Kept,
    /// Only what could be made free of them, with hashes under this key in their place.
    LeftOut(SiteKey),
}

/// The record of an incident.
const RECORD: &str = "incident.json";

const README_KEPT: &str = "\
This is all that adaptivemmd has kept of one incident.

report.html             for a browser; it needs no network and runs no script
report.txt              the same for a terminal
incident.json           what was found, and how the numbers went
evidence-before.json    what the kernel's files said before, if there was time for that
evidence.json           what they said at the incident
raw/                    the files themselves
before.jsonl            the scans before it, as a trace: adaptivemmd replay takes it, compressed as it is
after.jsonl             those after it

Names that end in .zst are compressed: zstd -d FILE. Names of hosts, processes and services are in it; with
--redact, adaptivemmd incidents export leaves them out.
";

const README_LEFT_OUT: &str = "\
This is what adaptivemmd has kept of one incident, without the names of the host, of its processes and of its services.

report.html      for a browser; it needs no network and runs no script
report.txt       the same for a terminal
incident.json    what was found, and how the numbers went

In place of a name stands process-1, service-1 and so on, the same everywhere; in place of the host, its boot, addresses,
users, paths and the like stands a hash under a key. Exports with the key of one site (--key-file) can be joined. Names that come from the kernel are kept:
of slab caches, functions and modules. The raw evidence and the snapshots are left out, as names cannot be found in them
reliably; whoever has the machine can look into them there.
";

/// Writes the incident that is kept in `directory`.
///
/// # Errors
///
/// If one of its files cannot be read, or `out` cannot be written.
pub fn export(
    directory: &Path,
    incident: &Incident,
    names: Names,
    out: impl Write,
) -> io::Result<()> {
    let mut archive = Archive {
        builder: Builder::new(Encoder::new(out, 0)?),
        top: top(directory),
        // The same incident makes the same file.
        mtime: incident
            .opened
            .time
            .parse()
            .map_or(0, |at: Timestamp| at.as_second().unsigned_abs()),
    };
    match names {
        Names::Kept => {
            archive.add(Path::new("README.txt"), README_KEPT.as_bytes())?;
            let incident = without_secrets(incident);
            archive.reports(&incident)?;
            archive.add(Path::new(RECORD), &serde_json::to_vec_pretty(&incident)?)?;
            archive.files(directory, Path::new(""))?;
            archive.files(&directory.join("raw"), Path::new("raw"))?;
        }
        Names::LeftOut(key) => {
            let incident = redacted(incident, key);
            archive.add(Path::new("README.txt"), README_LEFT_OUT.as_bytes())?;
            archive.reports(&incident)?;
            let json = serde_json::to_vec_pretty(&incident)?;
            archive.add(Path::new(RECORD), &json)?;
        }
    }
    archive.builder.into_inner()?.finish()?.flush()
}

/// The name that everything in it begins with.
fn top(directory: &Path) -> PathBuf {
    let name = directory.file_name().unwrap_or("incident".as_ref());
    PathBuf::from(name)
}

struct Archive<'a, W: Write> {
    builder: Builder<Encoder<'a, W>>,
    top: PathBuf,
    mtime: u64,
}

impl<W: Write> Archive<'_, W> {
    fn reports(&mut self, incident: &Incident) -> io::Result<()> {
        self.add(Path::new("report.html"), html(incident).as_bytes())?;
        self.add(Path::new("report.txt"), text(incident, 80).as_bytes())
    }

    /// Every file of a directory, which need not be there.
    fn files(&mut self, directory: &Path, below: &Path) -> io::Result<()> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            // Nothing else is ever put there, so a link is not to be followed.
            let is_record = below == Path::new("") && entry.file_name() == RECORD;
            if entry.file_type()?.is_file() && !is_record {
                self.add(&below.join(entry.file_name()), &fs::read(entry.path())?)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &Path, content: &[u8]) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(self.mtime);
        self.builder
            .append_data(&mut header, self.top.join(name), content)
    }
}

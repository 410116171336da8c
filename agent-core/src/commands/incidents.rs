//! `adaptivemmd incidents`: what is kept of leaks and the like. Reads the state directory, so that it works whether a
//! daemon runs or not.

mod list;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::live::{Look, look};
use super::{Exit, boot, complain, print, state_dir};
use crate::base::files;
use crate::commands::cli::{Cli, ExportIncident, Incidents, ShowIncident};
use crate::incidents::{Archive, Incident};
use crate::report::{Names, SiteKey, export, html, html_with, redacted, text};

/// The mode of exported files.
const MODE: u32 = 0o600;
/// The columns of a page that is read later, or in a window whose size is not known.
const USUAL_WIDTH: usize = 80;
/// The longest line that is easy to read.
const MOST_WIDTH: usize = 120;

/// The incidents that are stored.
struct Kept {
    archive: Archive,
    /// The boot ID of the running machine, if the kernel tells it.
    boot_id: Option<String>,
}

impl Kept {
    fn read(&self, id: &str) -> io::Result<Incident> {
        let mut incident = self.archive.read(id)?;
        let boot_id = self.boot_id.as_ref();
        incident.is_of_earlier_boot = boot_id.is_some_and(|now| *now != incident.machine.boot_id);
        Ok(incident)
    }
}

pub(super) fn run(cli: &Cli, what: Option<&Incidents>) -> Exit {
    let kept = Kept {
        archive: Archive::below(&state_dir(cli)),
        boot_id: boot(&cli.root()),
    };
    let archive = &kept.archive;
    let ids = match archive.ids() {
        Ok(ids) => ids,
        Err(error) => {
            let directory = archive.directory().display();
            complain(&format_args!(
                "cannot read {directory}: {error}{}",
                hint(&error)
            ));
            return Exit::Failed;
        }
    };
    match what {
        None => list(&kept, &ids, false),
        Some(Incidents::List { json }) => list(&kept, &ids, *json),
        Some(Incidents::Show(options)) => find(&kept, &ids, options.id.as_deref())
            .map_or(Exit::Failed, |it| show(cli, archive, &it, options)),
        Some(Incidents::Export(options)) => find(&kept, &ids, Some(&options.id))
            .map_or(Exit::Failed, |it| write_export(archive, &it, options)),
    }
}

fn hint(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::PermissionDenied {
        "; only root can read incidents"
    } else {
        ""
    }
}

fn list(kept: &Kept, ids: &[String], is_json: bool) -> Exit {
    let mut incidents = Vec::new();
    let mut exit = Exit::Done;
    for id in ids {
        match kept.read(id) {
            Ok(incident) => incidents.push(incident),
            Err(error) => {
                complain(&format_args!("cannot read incident {id}: {error}"));
                exit = Exit::Failed;
            }
        }
    }
    let listed = print(&if is_json {
        list::json(&incidents)
    } else {
        list::text(&incidents, kept.archive.directory())
    });
    if listed == Exit::Done { exit } else { listed }
}

/// The incident that is asked for. If there is none, it says so.
fn find(kept: &Kept, ids: &[String], id: Option<&str>) -> Option<Incident> {
    let directory = kept.archive.directory().display();
    let wanted = id.unwrap_or_default();
    let exact = ids.iter().find(|id| *id == wanted);
    let mut matching = ids.iter().filter(|id| id.starts_with(wanted));
    let found = match (exact, id) {
        (Some(exact), _) => Some(exact),
        (None, None) => ids.last(),
        (None, Some(_)) => {
            let first = matching.next();
            if let Some(second) = matching.next() {
                let first = first.map_or("", |first| first);
                complain(&format_args!(
                    "`{wanted}` matches several incidents, such as {first} and {second}"
                ));
                return None;
            }
            first
        }
    };
    let Some(id) = found else {
        complain(&match ids {
            [] => format!("there is no incident in {directory}"),
            _ => format!(
                "there is no incident `{wanted}` in {directory}; see `adaptivemmd incidents`"
            ),
        });
        return None;
    };
    match kept.read(id) {
        Ok(incident) => Some(incident),
        Err(error) => {
            complain(&format_args!(
                "cannot read incident {id} in {directory}: {error}{}",
                hint(&error)
            ));
            None
        }
    }
}

fn show(cli: &Cli, archive: &Archive, incident: &Incident, options: &ShowIncident) -> Exit {
    // Redacted text is for others, who are told what the daemon saw.
    let is_live = !(options.stored || options.redact);
    let now = is_live.then(|| look(&cli.root(), archive, incident));
    let now = now.flatten();
    let without_names = if options.redact {
        let Some(key) = site_key(options.key_file.as_deref()) else {
            return Exit::Failed;
        };
        Some(redacted(incident, key))
    } else {
        None
    };
    let incident = without_names.as_ref().unwrap_or(incident);
    print(&if options.json {
        list::all_of(incident, now.as_ref().map(Look::object))
    } else if options.html {
        match &now {
            Some(Look::Seen(now)) => html_with(incident, now),
            Some(Look::TooLong) | None => html(incident),
        }
    } else {
        let now = now.map_or_else(String::new, |now| now.text(width()));
        text(incident, width()) + &now
    })
}

/// The key that is asked for, or a random one. If there is none, it says so.
fn site_key(file: Option<&Path>) -> Option<SiteKey> {
    let key = match file {
        Some(file) => SiteKey::read(file).map_err(|error| (file, error)),
        None => SiteKey::random().map_err(|error| (Path::new("/dev/urandom"), error)),
    };
    key.map_err(|(file, error)| {
        complain(&format_args!(
            "cannot use the key in {}: {error}",
            file.display()
        ));
    })
    .ok()
}

/// Returns the width of the terminal.
fn width() -> usize {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return USUAL_WIDTH;
    }
    let columns = rustix::termios::tcgetwinsize(&stdout).map_or(0, |size| size.ws_col);
    match usize::from(columns) {
        0 => USUAL_WIDTH,
        columns => columns.min(MOST_WIDTH),
    }
}

fn write_export(archive: &Archive, incident: &Incident, options: &ExportIncident) -> Exit {
    let directory = archive.place(&incident.id);
    let names = if options.redact {
        let Some(key) = site_key(options.key_file.as_deref()) else {
            return Exit::Failed;
        };
        Names::LeftOut(key)
    } else {
        Names::Kept
    };
    let written = if options.file == Path::new("-") {
        export(&directory, incident, names, io::stdout().lock())
    } else {
        create(&options.file, options.force).and_then(|mut file| {
            export(&directory, incident, names, &mut file)?;
            file.flush()
        })
    };
    match written {
        Ok(()) => Exit::Done,
        Err(error) => {
            let file = options.file.display();
            if error.kind() == io::ErrorKind::AlreadyExists {
                complain(&format_args!("{file} exists already; --force replaces it"));
                return Exit::Failed;
            }
            complain(&format_args!("cannot write {file}: {error}"));
            Exit::Failed
        }
    }
}

/// A file that nobody else can read: it tells of the processes of this machine.
fn create(path: &Path, is_forced: bool) -> io::Result<std::fs::File> {
    if is_forced {
        return files::open_empty(path, MODE);
    }
    let mut file = OpenOptions::new();
    file.write(true).mode(MODE).create_new(true).open(path)
}

//! `adaptivemmd incidents`: what is kept of leaks and the like. Reads the state directory, so that it works whether a
//! daemon runs or not.

mod list;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::json;

use super::live::look;
use super::{Exit, complain, print, state_dir};
use crate::cli::{Cli, ExportIncident, Incidents, ShowIncident};
use crate::incidents::report::{Names, SiteKey, export, html, redacted, text};
use crate::incidents::{Archive, Incident};

/// The columns of a page that is read later, or in a window whose size is not known.
const USUAL_WIDTH: usize = 80;
/// Lines that are longer are hard to read.
const MOST_WIDTH: usize = 120;

pub(super) fn run(cli: &Cli, what: Option<&Incidents>) -> Exit {
    let archive = Archive::below(&state_dir(cli));
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
        None => list(&archive, &ids, false),
        Some(Incidents::List { json }) => list(&archive, &ids, *json),
        Some(Incidents::Show(options)) => find(&archive, &ids, options.id.as_deref())
            .map_or(Exit::Failed, |it| show(cli, &archive, &it, options)),
        Some(Incidents::Export(options)) => find(&archive, &ids, Some(&options.id))
            .map_or(Exit::Failed, |it| write_export(&archive, &it, options)),
    }
}

fn hint(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::PermissionDenied {
        "; incidents can be read by root only"
    } else {
        ""
    }
}

fn list(archive: &Archive, ids: &[String], is_json: bool) -> Exit {
    let mut incidents = Vec::new();
    let mut exit = Exit::Done;
    for id in ids {
        match archive.read(id) {
            Ok(incident) => incidents.push(incident),
            Err(error) => {
                complain(&format_args!("incident {id} cannot be read: {error}"));
                exit = Exit::Failed;
            }
        }
    }
    let listed = print(&if is_json {
        list::json(&incidents)
    } else {
        list::text(&incidents, archive.directory())
    });
    if listed == Exit::Done { exit } else { listed }
}

/// The incident that is asked for. If there is none, it says so.
fn find(archive: &Archive, ids: &[String], id: Option<&str>) -> Option<Incident> {
    let directory = archive.directory().display();
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
                    "`{wanted}` is the beginning of several incidents, such as {first} and {second}"
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
    match archive.read(id) {
        Ok(incident) => Some(incident),
        Err(error) => {
            complain(&format_args!(
                "incident {id} in {directory} cannot be read: {error}{}",
                hint(&error)
            ));
            None
        }
    }
}

fn show(cli: &Cli, archive: &Archive, incident: &Incident, options: &ShowIncident) -> Exit {
    // A page for a browser and a redacted report are for others, who are told what the daemon saw.
    let is_live = !(options.stored || options.redact || options.html);
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
        let mut record = json!(incident);
        if let Some(now) = &now {
            record["now"] = now.object();
        }
        serde_json::to_string_pretty(&record).unwrap_or_default() + "\n"
    } else if options.html {
        html(incident)
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
        complain(&format_args!("no key in {}: {error}", file.display()));
    })
    .ok()
}

/// Of the terminal.
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
        create(&options.file).and_then(|mut file| {
            export(&directory, incident, names, &mut file)?;
            file.flush()
        })
    };
    match written {
        Ok(()) => Exit::Done,
        Err(error) => {
            let file = options.file.display();
            complain(&format_args!("cannot write {file}: {error}"));
            Exit::Failed
        }
    }
}

/// A file that nobody else can read: it tells of the processes of this machine.
fn create(path: &Path) -> io::Result<std::fs::File> {
    let mut file = OpenOptions::new();
    file.write(true).create(true).truncate(true).mode(0o600);
    file.open(path)
}

//! `adaptivemmd explain`: why a decision was made, and what came of it. Reads the decision log, so that it works
//! whether a daemon runs or not.

mod follow_up;
mod list;
mod page;
mod phrases;
mod seen;
mod table;

use std::path::Path;

use jiff::Timestamp;

use super::{Exit, complain, print, state_dir};
use crate::base::clock;
use crate::commands::cli::{Cli, Explain};
use crate::decisions::{Decision, FollowUp, Record, file};

/// The number of decisions that are listed.
const LISTED: usize = 20;

/// A decision, and what came of it if that is known.
#[derive(Debug, Clone, Copy)]
struct Explained<'a> {
    decision: &'a Decision,
    follow_up: Option<&'a FollowUp>,
}

/// The file that is asked about, and the time.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    path: &'a Path,
    now: Timestamp,
}

pub(super) fn run(cli: &Cli, options: &Explain) -> Exit {
    let state_dir = state_dir(cli);
    let path = file::path(&state_dir);
    let records = match file::read(&state_dir) {
        Ok(records) => records,
        Err(error) => {
            complain(&format_args!("cannot read {}: {error}", path.display()));
            return Exit::Failed;
        }
    };
    let asked = Asked {
        path: &path,
        now: clock::time_of_day(),
    };
    match options.id {
        Some(id) if options.json => print_records(id, &records, &path),
        Some(id) => match find(id, &records) {
            Some(explained) => print(&page::render(explained, Some(asked))),
            None => unknown(id, range(&records), Some(&path)),
        },
        None => {
            let last = last(&records);
            print(&if options.json {
                lines(last.iter().flat_map(Explained::records))
            } else {
                list::render(&last, &path)
            })
        }
    }
}

/// Prints what the records of a replay say of a decision. `last` is the largest number in it.
pub(super) fn explain_replayed(id: u64, records: &[Record], last: u64) -> Exit {
    match find(id, records) {
        Some(explained) => print(&page::render(explained, None)),
        None => unknown(id, (last > 0).then_some((1, last)), None),
    }
}

fn print_records(id: u64, records: &[Record], path: &Path) -> Exit {
    match find(id, records) {
        Some(explained) => print(&lines(explained.records())),
        None => unknown(id, range(records), Some(path)),
    }
}

fn unknown(id: u64, known: Option<(u64, u64)>, path: Option<&Path>) -> Exit {
    let place = path.map_or_else(String::new, |path| format!(" in {}", path.display()));
    let known = match known {
        None => "there are none".to_owned(),
        Some((first, last)) if first == last => format!("there is only {first}"),
        Some((first, last)) => format!("there are {first} to {last}"),
    };
    complain(&format_args!("there is no decision {id}{place}; {known}"));
    Exit::Failed
}

/// The smallest number, and the largest.
fn range(records: &[Record]) -> Option<(u64, u64)> {
    Some((ids(records).min()?, ids(records).max()?))
}

fn ids(records: &[Record]) -> impl Iterator<Item = u64> {
    records.iter().filter_map(|record| match record {
        Record::Decision(decision) => Some(decision.id),
        Record::FollowUp(_) => None,
    })
}

fn find(id: u64, records: &[Record]) -> Option<Explained<'_>> {
    let decision = records.iter().rev().find_map(|record| match record {
        Record::Decision(decision) if decision.id == id => Some(&**decision),
        Record::Decision(_) | Record::FollowUp(_) => None,
    })?;
    let follow_up = records.iter().rev().find_map(|record| match record {
        Record::FollowUp(follow_up) if follow_up.id == id => Some(&**follow_up),
        Record::Decision(_) | Record::FollowUp(_) => None,
    });
    Some(Explained {
        decision,
        follow_up,
    })
}

/// The last ones, the oldest first.
fn last(records: &[Record]) -> Vec<Explained<'_>> {
    let ids: Vec<u64> = ids(records).collect();
    let last = &ids[ids.len().saturating_sub(LISTED)..];
    last.iter().filter_map(|id| find(*id, records)).collect()
}

impl Explained<'_> {
    fn records(&self) -> impl Iterator<Item = Record> {
        let decision = Record::Decision(Box::new(self.decision.clone()));
        let follow_up = self.follow_up.cloned();
        let follow_up = follow_up.map(|follow_up| Record::FollowUp(Box::new(follow_up)));
        std::iter::once(decision).chain(follow_up)
    }
}

fn lines(records: impl Iterator<Item = Record>) -> String {
    records
        .map(|record| serde_json::to_string(&record).unwrap_or_default() + "\n")
        .collect()
}

#[cfg(test)]
mod tests;

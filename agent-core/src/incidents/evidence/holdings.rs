//! The holdings of owners, as one source says them, added up by owner.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::comparison::{Certainty, Class};
use crate::base::clean_text;

/// Owners of less are left out of the evidence.
const LEAST_BYTES: u64 = 64 << 10;
/// The number of owners that are kept of a source, those of most memory.
const MOST_HELD: usize = 200;
/// The number of owners that are told apart while they are added up.
const MOST_OWNERS: usize = 20_000;
/// The longest name of an owner, in bytes.
const MAX_OWNER: usize = 160;

/// The memory of an owner, as one source says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holding {
    /// The owner, named alike at both moments, so that they can be compared.
    pub owner: String,
    /// More about it, which may differ: `PID 17`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The class of memory in which it shows; `None` where the source does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// The certainty of the amount.
    pub certainty: Certainty,
    /// The amount.
    pub bytes: u64,
    /// The service that is charged for it, where it is a process and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
}

/// Adds up what owners hold.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    by_class: BTreeMap<(Option<Class>, Certainty), HashMap<String, u64>>,
    owners: usize,
    others: Vec<Holding>,
}

impl Holdings {
    /// Adds `bytes` to what `owner` holds. Owners beyond reason are left out.
    pub(super) fn add(
        &mut self,
        class: Option<Class>,
        certainty: Certainty,
        owner: &str,
        bytes: u64,
    ) {
        let owners = self.by_class.entry((class, certainty)).or_default();
        if let Some(held) = owners.get_mut(owner) {
            *held = held.saturating_add(bytes);
        } else if self.owners < MOST_OWNERS {
            owners.insert(owner.to_owned(), bytes);
            self.owners += 1;
        }
    }

    /// Returns true if so little is left out anyway.
    pub(super) fn is_too_little(bytes: u64) -> bool {
        bytes < LEAST_BYTES
    }

    /// Adds an owner that nobody else adds to.
    pub(super) fn push(&mut self, held: Holding) {
        self.others.push(held);
    }

    /// Returns the holdings of those who hold the most, the largest first, and the most that somebody holds who had to
    /// be left out.
    pub(super) fn finish(self) -> (Vec<Holding>, u64) {
        let mut held = self.others;
        held.retain(|each| !Self::is_too_little(each.bytes));
        for ((class, certainty), owners) in self.by_class {
            let large = owners
                .into_iter()
                .filter(|(_, bytes)| !Self::is_too_little(*bytes));
            held.extend(large.map(|(owner, bytes)| Holding {
                owner,
                note: String::new(),
                class,
                certainty,
                bytes,
                within: None,
            }));
        }
        for each in &mut held {
            each.owner = one_line(&each.owner);
            each.within = each.within.as_deref().map(one_line);
        }
        held.sort_by_cached_key(|held| (u64::MAX - held.bytes, held.owner.clone(), held.class));
        let least = held.get(MOST_HELD).map_or(0, |first_out| first_out.bytes);
        held.truncate(MOST_HELD);
        held.shrink_to_fit();
        (held, least)
    }
}

/// Fit for a line of a report.
fn one_line(owner: &str) -> String {
    let mut line = String::new();
    clean_text::append(
        owner.as_bytes(),
        MAX_OWNER,
        clean_text::Lines::One,
        &mut line,
    );
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(holdings: &mut Holdings, owner: &str, kib: u64) {
        holdings.add(Some(Class::Slab), Certainty::Exact, owner, kib << 10);
    }

    #[test]
    fn what_an_owner_holds_is_added_up_and_small_ones_are_left_out() {
        let mut holdings = Holdings::default();
        for (owner, kib) in [
            ("dentry", 40),
            ("kmalloc-1k", 900),
            ("dentry", 30),
            ("x", 63),
        ] {
            add(&mut holdings, owner, kib);
        }

        let (held, least) = holdings.finish();

        let shown: Vec<_> = held
            .iter()
            .map(|held| (&*held.owner, held.bytes >> 10))
            .collect();
        assert_eq!(
            (shown, least),
            (vec![("kmalloc-1k", 900), ("dentry", 70)], 0)
        );
    }

    #[test]
    fn of_many_the_largest_are_kept_and_it_is_known_what_the_others_may_hold() {
        let mut holdings = Holdings::default();
        for number in 0..300 {
            add(&mut holdings, &format!("cache-{number}"), 1000 + number);
        }

        let (held, least) = holdings.finish();

        assert_eq!(held.len(), MOST_HELD);
        assert_eq!((held[0].bytes >> 10, least >> 10), (1299, 1099));
    }

    #[test]
    fn an_owner_cannot_break_a_line() {
        let mut holdings = Holdings::default();
        add(
            &mut holdings,
            &format!("a\nb\u{1b}[31m{}", "x".repeat(500)),
            100,
        );

        let (held, _) = holdings.finish();

        assert!(
            held[0].owner.starts_with("a b [31mxxx"),
            "{}",
            held[0].owner
        );
        assert_eq!(held[0].owner.len(), MAX_OWNER);
    }
}

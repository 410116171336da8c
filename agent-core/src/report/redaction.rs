//! An incident without what says whose machine it was.

use std::collections::BTreeMap;

use super::identity::{self, SiteKey};
use crate::base::secrets;
use crate::incidents::evidence::{Explanation, SourceStatus};
use crate::incidents::owner::Owner;
use crate::incidents::{FindingRecord, Incident};

/// Shorter parts of a name are too likely to be ordinary words.
const SHORTEST_PART: usize = 3;

/// The same incident with a hash under this key in place of what identifies the host and its boot, and with `process-1`,
/// `service-1` and so on in place of the names of processes and control groups. Names that come from the kernel are kept, as
/// they are what it is about.
#[must_use]
pub fn redacted(incident: &Incident, key: SiteKey) -> Incident {
    let mut names = Names::new(key);
    names.learn_host(incident.machine.host.as_deref());
    let mut redacted = incident.clone();
    let machine = &mut redacted.machine;
    machine.host = machine.host.as_ref().map(|host| key.stand_in("host", host));
    if !machine.boot_id.is_empty() {
        machine.boot_id = key.stand_in("id", &machine.boot_id);
    }
    if let Some(comparison) = &mut redacted.comparison {
        for explanation in &mut comparison.explanations {
            names.learn_owner(explanation);
        }
        for explanation in &mut comparison.explanations {
            explanation.source = names.replace(&explanation.source);
        }
        for source in &mut comparison.sources {
            source.file = names.replace(&source.file);
            match &mut source.standing {
                SourceStatus::Read => {}
                SourceStatus::Absent { why }
                | SourceStatus::Failed { why }
                | SourceStatus::Cut { why }
                | SourceStatus::Denied { why } => *why = names.replace(why),
            }
        }
    }
    for told in &mut redacted.told {
        names.replace_in(told);
    }
    for problem in &mut redacted.problems {
        *problem = names.replace(problem);
    }
    redacted
}

/// The same incident without secrets of command lines, for a file that is handed on. Names are kept.
#[must_use]
pub(super) fn without_secrets(incident: &Incident) -> Incident {
    let mut masked = incident.clone();
    for told in &mut masked.told {
        told.text = secrets::masked(&told.text);
        for line in &mut told.details {
            *line = secrets::masked(line);
        }
    }
    let explanations = masked
        .comparison
        .iter_mut()
        .flat_map(|it| &mut it.explanations);
    for explanation in explanations {
        explanation.owner = secrets::masked(&explanation.owner);
    }
    for problem in &mut masked.problems {
        *problem = secrets::masked(problem);
    }
    masked
}

/// What must not be seen, and what stands in its place.
#[derive(Debug)]
struct Names {
    key: SiteKey,
    replacements: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, u32>,
}

impl Names {
    fn new(key: SiteKey) -> Self {
        Self {
            key,
            replacements: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    fn learn_host(&mut self, host: Option<&str>) {
        let Some(host) = host else {
            return;
        };
        let stand_in = self.key.stand_in("host", host);
        self.learn(host, &stand_in);
        // Without its domain.
        if let Some((short, _)) = host.split_once('.') {
            self.learn_part(short, &stand_in);
        }
    }

    /// Takes the place of an owner that is not the kernel's.
    fn learn_owner(&mut self, explanation: &mut Explanation) {
        let owner = match Owner::from_explanation(explanation) {
            Owner::Code(_) | Owner::Cache(_) | Owner::Kernel(_) => return,
            Owner::Process { what, name, note } => {
                let of = if what.is_empty() { "" } else { " of " };
                format!("{what}{of}{}{note}", self.stand_in("process", name))
            }
            Owner::Service(path) => self.stand_in("service", path),
            Owner::Unknown(owner) => self.stand_in("owner", owner),
        };
        explanation.owner = owner;
    }

    /// `process-1` for the first name of that kind, and the same whenever it comes again.
    fn stand_in(&mut self, kind: &'static str, name: &str) -> String {
        if let Some(known) = self.replacements.get(name) {
            return known.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let stand_in = format!("{kind}-{count}");
        self.learn(name, &stand_in);
        for part in parts(name) {
            self.learn_part(part, &stand_in);
        }
        stand_in
    }

    fn learn(&mut self, name: &str, replacement: &str) {
        if !name.is_empty() {
            let place = self.replacements.entry(name.to_owned());
            place.or_insert_with(|| replacement.to_owned());
        }
    }

    fn learn_part(&mut self, part: &str, replacement: &str) {
        let has_letters = part.chars().any(char::is_alphabetic);
        if part.len() >= SHORTEST_PART && has_letters {
            self.learn(part, replacement);
        }
    }

    fn replace_in(&self, told: &mut FindingRecord) {
        told.text = self.replace(&told.text);
        for line in &mut told.details {
            *line = self.replace(line);
        }
    }

    /// The text with every name replaced, without secrets, and without what else identifies somebody.
    fn replace(&self, text: &str) -> String {
        self.replace_names(&identity::without(&secrets::masked(text), self.key))
    }

    /// The longest first, where it stands as a word of its own.
    fn replace_names(&self, text: &str) -> String {
        let mut names: Vec<_> = self.replacements.iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        let mut replaced = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let before = replaced.chars().next_back();
            let found = names.iter().find(|(name, _)| is_word(before, rest, name));
            if let Some((name, replacement)) = found {
                replaced.push_str(replacement);
                rest = &rest[name.len()..];
            } else {
                replaced.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        replaced
    }
}

/// Words of an owner that say who it is by themselves: the name of the program, the service.
fn parts(owner: &str) -> impl Iterator<Item = &str> {
    let is_between = |c: char| c.is_whitespace() || "/()[]:,=@\"'".contains(c);
    let parts = owner.split(is_between);
    parts.flat_map(|part| [part, part.split_once('.').map_or("", |(name, _)| name)])
}

/// Whether `text` begins with `name`, and neither end is in the middle of a word.
fn is_word(before: Option<char>, text: &str, name: &str) -> bool {
    let are_one = |left: Option<char>, right: Option<char>| {
        left.is_some_and(char::is_alphanumeric) && right.is_some_and(char::is_alphanumeric)
    };
    let after = text.strip_prefix(name).map(|after| after.chars().next());
    after.is_some_and(|after| {
        !are_one(before, name.chars().next()) && !are_one(name.chars().next_back(), after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::evidence::{Certainty, Class, SourceKind};

    fn names() -> Names {
        let mut names = Names::new(SiteKey::of(b"a key of the site"));
        names.learn_host(Some("db7.example.org"));
        for name in ["pipes of acme-ingest --fast s3cret", "pipes of a"] {
            owner(&mut names, name, SourceKind::Descriptors.file());
        }
        names
    }

    fn owner(names: &mut Names, owner: &str, source: &str) -> String {
        let mut explanation = Explanation {
            class: Class::Unaccounted,
            owner: owner.to_owned(),
            source: source.to_owned(),
            before_bytes: 0,
            after_bytes: 0,
            explained_bytes: 0,
            share_percent: 0.0,
            certainty: Certainty::Exact,
            partial: false,
        };
        names.learn_owner(&mut explanation);
        explanation.owner
    }

    #[test]
    fn a_name_is_replaced_wherever_it_is_a_word() {
        let replace = |text: &str| names().replace(text);
        let host = SiteKey::of(b"a key of the site").stand_in("host", "db7.example.org");

        assert_eq!(
            replace("db7: cannot ask db7.example.org"),
            format!("{host}: cannot ask {host}")
        );
        assert_eq!(replace("of acme-ingest --fast s3cret!"), "of process-1!");
        assert_eq!(
            replace("/usr/lib/acme-ingest/log, s3cret"),
            "/usr/lib/process-1/log, process-1"
        );
        assert_eq!(
            replace("a cat and db71 \u{2603}"),
            "process-2 cat and db71 \u{2603}"
        );
    }

    #[test]
    fn the_same_owner_has_the_same_name_everywhere_and_names_of_the_kernel_are_kept() {
        let mut names = Names::new(SiteKey::of(b"a key of the site"));
        let mut redact = |name: &str, kind: SourceKind| owner(&mut names, name, kind.file());

        assert_eq!(
            redact("pipes of nginx", SourceKind::Descriptors),
            "pipes of process-1"
        );
        assert_eq!(redact("/user.slice", SourceKind::Services), "service-1");
        assert_eq!(
            redact("packet rings of nginx", SourceKind::PacketRings),
            "packet rings of process-1"
        );
        assert_eq!(
            redact("page tables of java (x) (PID 7)", SourceKind::Processes),
            "page tables of process-2 (PID 7)"
        );
        assert_eq!(redact("sockets", SourceKind::Queues), "process-3");
        assert_eq!(redact("kmalloc-512", SourceKind::Slab), "kmalloc-512");
        assert_eq!(
            redact("mm/slab.c:12", SourceKind::AllocInfo),
            "mm/slab.c:12"
        );
        assert_eq!(owner(&mut names, "anybody", "/var/elsewhere"), "owner-1");
    }
}

//! What a module says of itself. That it is well formed was asked when it was loaded; here is what a person who
//! reads it would miss.

use super::report::{Level, Report};
use agent_core::actions::policy::Policy;
use agent_core::config::{ModuleMode, OptionSchema, Value};
use agent_core::kernel::Root;
use agent_core::kernel::tunables;
use agent_core::modules::abi::Description;
use agent_core::modules::catalogue::registrations;
use agent_core::modules::permit::COMPACT_NODE;
use agent_core::modules::permit::Permit;

/// Words that say in what a number is counted. A plural does, too: `window-scans`.
const UNITS: [&str; 13] = [
    "ms", "us", "ns", "kib", "mib", "gib", "tib", "percent", "permille", "factor", "ratio", "hz",
    "celsius",
];

pub(super) fn judge(module: &Description, root: &Root, report: &mut Report) {
    let name = &module.schema.name;
    let mut complaints = texts(module);
    complaints.extend(module.schema.options.iter().flat_map(option));
    complaints.extend(writes(module));
    complaints.extend(owned(module));
    complaints.extend(needs(module, root));
    if module.panic_aborts {
        let text =
            "it is built with panic=abort: the daemon only takes it with isolation = \"process\"";
        complaints.push((Level::Note, text.to_owned()));
    }
    report.judge(complaints, name, "declaration", "well formed");
}

fn warning(text: String) -> (Level, String) {
    (Level::Warning, text)
}

fn texts(module: &Description) -> Vec<(Level, String)> {
    let mut complaints = Vec::new();
    if module.version.is_empty() {
        complaints.push(warning("it has no version".to_owned()));
    }
    if module.schema.flag.is_none() {
        complaints.push(warning(
            "it has no flag, such as ENABLE_MEMLEAK_CHECK, to switch it off with".to_owned(),
        ));
    }
    let description = &module.schema.description;
    if !is_sentence(description) {
        complaints.push(warning(format!(
            "its description {description:?} is no sentence"
        )));
    }
    complaints
}

/// It starts with a capital letter and has a few words.
fn is_sentence(text: &str) -> bool {
    text.starts_with(char::is_uppercase) && text.split_whitespace().count() >= 3
}

fn option(option: &OptionSchema) -> Vec<(Level, String)> {
    let name = &option.name;
    let mut complaints = Vec::new();
    if !is_sentence(&option.help) {
        complaints.push(warning(format!(
            "the help of {name}, {:?}, is no sentence",
            option.help
        )));
    }
    let is_number = matches!(option.default, Value::Integer(_) | Value::Float(_));
    // That of the whole daemon, which such an option follows.
    let is_level = name == "aggressiveness";
    if is_number && !is_level && !has_unit(name) {
        complaints.push(warning(format!(
            "the name of {name} does not say what it is counted in, as limit-percent or window-scans do"
        )));
    }
    if option.range.is_some_and(|(least, most)| least >= most) {
        complaints.push(warning(format!(
            "{name} can only have one value; is its range missing?"
        )));
    }
    complaints
}

fn has_unit(name: &str) -> bool {
    let is_plural = |word: &str| word.len() > 2 && word.ends_with('s') && !word.ends_with("ss");
    name.split('-')
        .any(|word| UNITS.contains(&word) || is_plural(word))
}

fn writes(module: &Description) -> Vec<(Level, String)> {
    let is_known = |name: &&String| *name == COMPACT_NODE || tunables::find(name).is_some();
    let unknown = module.writes.iter().filter(|name| !is_known(name));
    let text = |name: &String| {
        let known: Vec<&str> = tunables::KNOBS.iter().map(|knob| knob.name).collect();
        format!(
            "it writes {name}, which no daemon can grant; there are {} and {COMPACT_NODE}",
            known.join(", ")
        )
    };
    unknown.map(|name| (Level::Fail, text(name))).collect()
}

/// What a module wants to change that one of this program owns, whether that is on or not.
fn owned(module: &Description) -> Option<(Level, String)> {
    let name = &module.schema.name;
    let shipped = registrations().0;
    let shipped = shipped.iter().filter(|shipped| shipped.name() != name);
    let descriptions = shipped.map(|shipped| &shipped.description).chain([module]);
    let permits: Vec<(&str, Permit)> = descriptions
        .map(|each| (each.schema.name.as_str(), Permit::new(&each.writes, None)))
        .collect();
    let active = permits
        .iter()
        .map(|(name, permit)| (*name, permit, ModuleMode::Active));
    let (_, clashes) = Policy::new(active);
    let clash = clashes.into_iter().find(|clash| clash.module == *name)?;
    let text = format!(
        "where they are both on, it is idle, as {clash}; {}",
        clash.remedy()
    );
    Some(warning(text))
}

fn needs(module: &Description, root: &Root) -> Vec<(Level, String)> {
    let mut complaints = Vec::new();
    if module.needs.is_empty() {
        complaints.push(warning(
            "it needs no file, and so sees nothing but the time".to_owned(),
        ));
    }
    for path in &module.needs {
        if !path.starts_with("/proc/") && !path.starts_with("/sys/") {
            complaints.push(warning(format!(
                "it needs {path}, which is no file of the kernel"
            )));
        }
        if let Some(why) = unreadable(path, root) {
            complaints.push((
                Level::Note,
                format!("{path} cannot be read on this machine: {why}"),
            ));
        }
    }
    complaints
}

fn unreadable(path: &str, root: &Root) -> Option<String> {
    match root.list(path) {
        // A directory.
        Ok(names) if !names.is_empty() => None,
        Ok(_) | Err(_) => root.read(path).err().map(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_what_it_is_counted_in() {
        let names = [
            "limit-percent",
            "window-scans",
            "max-gap-gib",
            "mib-per-hour",
            "level",
            "less",
            "limit",
        ];

        assert_eq!(
            names.map(has_unit),
            [true, true, true, true, false, false, false]
        );
    }

    #[test]
    fn a_sentence_is_more_than_a_word() {
        let texts = [
            "Warns when memory is low",
            "memory is low here",
            "Memory",
            "",
        ];

        assert_eq!(texts.map(is_sentence), [true, false, false, false]);
    }
}

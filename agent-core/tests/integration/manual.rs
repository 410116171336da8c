//! The manual pages leave nothing out: a page that lacks an option of last week is worse than none,
//! as it is believed. What can be asked of the program is asked of it; what the modules can say is in their sources.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    missing_docs,
    reason = "test code"
)]

mod page;
mod reference;
mod sources;

use crate::skip;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::process::Command;

use agent_core::commands::cli::Cli;
use agent_core::status::{Summary, exposition};
use clap::{Arg, CommandFactory};

use page::section;

const DAEMON: &str = "adaptivemmd.8";
const CONFIGURATION: &str = "adaptivemmd.toml.5";

/// A command as it is typed, such as `incidents show`.
#[derive(Debug)]
struct Typed {
    words: Vec<String>,
    command: clap::Command,
}

/// The command line with the options that clap adds, and without the commands that are hidden.
fn command_line() -> (clap::Command, Vec<Typed>) {
    let mut command = Cli::command();
    command.build();
    let commands = typed(&[], &command);
    (command, commands)
}

/// All commands of a command; of one that has commands itself, those.
fn typed(before: &[String], command: &clap::Command) -> Vec<Typed> {
    let commands = command.get_subcommands();
    let shown = commands.filter(|command| !command.is_hide_set());
    let all = shown.flat_map(|command| {
        let words = [before, &[command.get_name().to_owned()]].concat();
        if command.has_subcommands() {
            return typed(&words, command);
        }
        let command = command.clone();
        vec![Typed { words, command }]
    });
    all.collect()
}

/// How mdoc writes the names of an option: `v` and `-verbose`.
fn flags(option: &Arg) -> Vec<String> {
    let short = option.get_short().map(String::from);
    let long = option.get_long().map(|long| format!("-{long}"));
    short.into_iter().chain(long).collect()
}

#[test]
fn every_option_of_the_daemon_has_an_item_with_all_its_names() {
    let options = section(DAEMON, "OPTIONS");
    let (daemon, _) = command_line();

    for option in daemon.get_arguments() {
        let flags = flags(option);
        let item = options.item(&["Fl", &flags[0]]);
        assert_eq!(item.flags(), flags, "{item:?}");
    }
}

#[test]
fn every_command_has_an_item_with_its_arguments_and_options() {
    let page = section(DAEMON, "COMMANDS");
    let (_, commands) = command_line();

    assert!(commands.len() >= 10, "{commands:?}");
    for Typed { words, command } in &commands {
        let item = page.items().into_iter().find(|item| item.types(words));
        let item = item.unwrap_or_else(|| panic!("{words:?} has no item"));
        for argument in command.get_positionals() {
            let names = argument.get_value_names().unwrap_or_default();
            let name = names.first().unwrap().as_str();
            assert!(item.has(&[name]), "{name} is not in {item:?}");
        }
        for option in command.get_opts() {
            let is_own = !option.is_global_set() && option.get_id() != "help";
            for flag in flags(option).iter().filter(|_| is_own) {
                let words = [".It", "Fl", flag];
                assert!(item.says(&words), "{flag} has no item in {item:?}");
            }
        }
    }
}

#[test]
fn the_manual_names_no_command_and_no_option_that_there_is_not() {
    let (daemon, commands) = command_line();
    let all = commands.iter().map(|typed| &typed.command).chain([&daemon]);
    let known: BTreeSet<String> = all
        .flat_map(|command| command.get_arguments().flat_map(flags))
        .collect();
    let names: BTreeSet<&str> = commands
        .iter()
        .map(|typed| typed.words[0].as_str())
        .collect();

    for heading in ["OPTIONS", "COMMANDS"] {
        for item in section(DAEMON, heading).items() {
            for flag in item.flags() {
                assert!(known.contains(flag), "there is no -{flag}");
            }
        }
    }
    let documented = section(DAEMON, "COMMANDS").named("Cm");
    let documented: BTreeSet<&str> = documented.iter().map(String::as_str).collect();
    assert_eq!(documented, names);
}

#[test]
fn every_exit_status_has_an_item() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/commands.rs");
    let source = fs::read_to_string(source).unwrap();
    let codes = source.split("Self::from(").skip(1);
    let codes = codes.map(|code| code.split(')').next().unwrap().to_owned());
    // What `ExitCode::SUCCESS` is, and what clap ends with.
    let codes: BTreeSet<String> = codes.chain(["0", "2"].map(str::to_owned)).collect();

    let items = section(DAEMON, "EXIT STATUS").items();

    assert!(codes.len() >= 5, "{codes:?}");
    for code in &codes {
        assert!(
            items.iter().any(|item| item.has(&[code])),
            "the exit status {code} is not in the manual"
        );
    }
    assert_eq!(items.len(), codes.len(), "{items:?}");
}

#[test]
fn the_manual_and_the_shipped_file_say_of_every_setting_what_the_program_declares() {
    let documents = reference::documents();

    assert!(documents.len() >= 7, "{documents:?}");
    for document in documents {
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&document.path, &document.declared).unwrap();
            continue;
        }
        assert!(
            document.committed == document.declared,
            "{} is out of date: UPDATE_DOCS=1 cargo test -p adaptivemmd the_manual",
            document.path
        );
    }
}

#[test]
fn every_module_has_a_page_with_its_options_findings_and_metrics() {
    let modules = sources::modules();
    let count = |of: fn(&sources::Module) -> usize| modules.iter().map(of).sum::<usize>();

    // Fewer than there are today: the sources are read in another way than the compiler does.
    assert!(modules.len() >= 5, "{modules:?}");
    assert!(count(|module| module.options.len()) >= 13, "{modules:?}");
    assert!(count(|module| module.codes.len()) >= 30, "{modules:?}");
    assert!(count(|module| module.metrics.len()) >= 25, "{modules:?}");
    for module in &modules {
        let name = &module.name;
        let page = page::of_module(name);
        let documented = |heading: &str, macro_: &str| -> BTreeSet<String> {
            let named = section(&page, heading).named(macro_);
            named.into_iter().collect()
        };
        assert_eq!(documented("OPTIONS", "Ic"), module.options, "{name}");
        assert_eq!(documented("FINDINGS", "Sy"), module.codes, "{name}");
        assert_eq!(documented("METRICS", "Va"), module.metrics, "{name}");
        for heading in ["HOW IT DECIDES", "HOW TO SEE THAT IT WORKS", "EXAMPLES"] {
            section(&page, heading);
        }
        let described = section(&page, "DESCRIPTION");
        for flag in &module.flags {
            described.item(&["Ic", flag]);
        }
    }
}

#[test]
fn the_page_of_the_daemon_and_that_of_its_configuration_refer_to_every_module() {
    for page in [DAEMON, CONFIGURATION] {
        let others = section(page, "SEE ALSO");
        for module in sources::modules() {
            let reference = format!(".Xr adaptivemmd-{} 7", module.name);
            assert!(others.has_line(&reference), "{page} has no {reference}");
        }
    }
}

#[test]
fn every_place_in_the_manual_that_the_program_names_is_there() {
    let mut places = sources::places_in_the_manual();
    places.sort();
    places.dedup();

    assert!(places.len() >= 4, "{places:?}");
    for (place, page) in places {
        let page = match page {
            "adaptivemmd(8)" => DAEMON,
            _ => CONFIGURATION,
        };
        assert!(
            page::has_place(page, &place),
            "{page} has neither a heading nor a setting {place:?}"
        );
    }
}

#[test]
fn every_metric_of_the_daemon_has_an_item() {
    let summary: Summary = serde_json::from_str(
        r#"{"version": "1", "pid": 1, "started": "", "running_seconds": 1, "period_seconds": 1, "scans": 1,
            "scanned_seconds_ago": 1, "scanned_at_seconds": 1, "scan_seconds": 1, "scans_seconds": 1, "steady": true, "machine": {},
            "tunables": [{"name": "a", "value": 1, "original": 1, "yielded": false}],
            "modules": [{"name": "module", "version": "1", "state": "running", "mode": "active",
                         "isolation": "none", "metrics": {}}],
            "decisions": [], "incidents": [], "requests": [{"module": "module", "outcome": "done", "count": 1}], "messages": [],
            "log": {"events": {"error": 1}, "lost": 1}}"#,
    )
    .unwrap();
    let text = exposition(&summary);
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names: BTreeSet<&str> = types.map(|line| line.split(' ').next().unwrap()).collect();

    let documented = section(DAEMON, "METRICS").named("Va");

    assert!(names.len() >= 14, "{names:?}");
    let documented: BTreeSet<&str> = documented.iter().map(String::as_str).collect();
    assert_eq!(documented, names);
}

#[test]
fn mandoc_finds_nothing_wrong_with_the_pages() {
    // It knows no option that only prints its version.
    if Command::new("mandoc")
        .arg("-T")
        .arg("lint")
        .arg("/dev/null")
        .output()
        .is_err()
    {
        skip::skip("there is no mandoc here: apt-get install mandoc");
        return;
    }
    for page in page::all() {
        let mut mandoc = Command::new("mandoc");
        mandoc.args(["-T", "lint", "-W", "warning", &page::path(&page)]);
        let said = mandoc.output().unwrap();
        let said = [said.stdout, said.stderr].concat();
        assert_eq!(String::from_utf8_lossy(&said), "", "{page}");
    }
}

#[test]
fn the_steps_for_a_leak_begin_with_its_incident_and_end_with_who_can_mend_it() {
    let steps = section(DAEMON, "WHAT TO DO")
        .subsection("A leak is reported")
        .items();

    let begins = |step: &page::Item, text: &str| step.text.starts_with(&format!(".It {text}"));
    assert!(
        begins(&steps[0], ".Nm Cm incidents show says what grew"),
        "{:?}",
        steps[0]
    );
    let (last, others) = steps.split_last().unwrap();
    assert!(begins(last, "Report it to the vendor"), "{last:?}");
    assert!(last.says(&["incidents", "export"]), "{last:?}");
    assert!(!last.text.contains("restart"), "{last:?}");
    let mut steps = others.iter();
    assert!(!steps.any(|step| step.text.contains("eboot")), "{others:?}");
}

//! `adaptivemm-module-test`: does a module, as it was built, keep to the rules of the interface?
//!
//! The module runs in a process of its own, as one that nobody trusts. Its sources are not needed: what it says of
//! itself, what it answers and how its process fares is all that is looked at.

mod arguments;
mod candidate;
mod declaration;
mod large;
mod libraries;
mod manners;
mod odd;
mod options;
mod place;
mod reel;
mod report;
mod stage;
mod steady;
mod terminal;
mod text;
mod transcript;
mod trial;

use std::process::ExitCode;

use agent_core::commands::{self, Exit};
use clap::Parser;

use arguments::Arguments;
use candidate::Candidate;
use reel::Reel;
use report::{Level, Report};
use terminal::{complain, print, refuse};

fn main() -> ExitCode {
    // The process of a module is this program once more, called as the daemon calls itself.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == "module-host")
    {
        return commands::run();
    }
    match Arguments::try_parse() {
        Ok(arguments) => test(&arguments).into(),
        Err(error) => commands::misunderstood(&error),
    }
}

fn test(options: &Arguments) -> Exit {
    // The process of the module works in another directory.
    let file = std::path::absolute(&options.file).unwrap_or_else(|_| options.file.clone());
    let mut report = Report::new(options.json);
    if options.show.is_none() {
        place::judge(&file, &mut report);
    }
    let offer = match candidate::look_into(&file) {
        Ok(offer) => offer,
        Err(why) => {
            report.say(Level::Fail, "", "load", &why);
            return report.end(&file);
        }
    };
    if options.show.is_none() {
        libraries::judge(&file, &offer, &mut report);
    }
    let modules = offer.modules;
    let reel = match &options.trace {
        None => Reel::of_machine(options.place.root(), candidate::wanted(&modules)),
        Some(trace) => match Reel::of_trace(trace) {
            Ok(reel) => reel,
            Err(error) => return refuse(&trace.display(), &error),
        },
    };
    let candidates = match candidate::configured(options, &file, modules) {
        Ok(candidates) => candidates,
        Err(exit) => return exit,
    };
    if let Some(name) = &options.show {
        return show(name, &candidates, &reel);
    }
    report.say(Level::Ok, "", "load", &contents(&candidates));
    for candidate in &candidates {
        declaration::judge(&candidate.module, &options.place.root(), &mut report);
        trial::hold(candidate, &reel, options, &mut report);
    }
    report.end(&file)
}

fn contents(candidates: &[Candidate]) -> String {
    let names = candidates
        .iter()
        .map(|candidate| format!("{} {}", candidate.name(), candidate.module.version));
    format!("it holds {}", names.collect::<Vec<_>>().join(", "))
}

/// Prints an odd machine.
fn show(name: &str, candidates: &[Candidate], reel: &Reel) -> Exit {
    let cases: Vec<odd::Case> = candidates
        .iter()
        .flat_map(|candidate| odd::cases(&candidate.module, reel))
        .collect();
    let Some(case) = cases.iter().find(|case| case.name == name) else {
        let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        names.dedup();
        complain(&format_args!(
            "there is no odd machine {name:?}, but {}",
            names.join(", ")
        ));
        return Exit::Failed;
    };
    if !case.fits_into_a_trace() {
        complain(&format_args!(
            "the odd machine {name:?} cannot be shown: a trace holds files, and a time that does not go back"
        ));
        return Exit::Failed;
    }
    match case.trace(reel) {
        Ok(text) => print(&text),
        Err(error) => {
            complain(&format_args!("cannot write the trace: {error}"));
            Exit::Failed
        }
    }
}

//! A module says the same, to the byte, wherever it is and wherever it runs.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adaptivemm_module_api::units::{PageSize, Uptime};
use agent_core::base::linked::CHOSEN;
use agent_core::config::{self, CommandLine, Isolation, Placements, Settings, Sources};
use agent_core::kernel::Root;
use agent_core::kernel::trace::Reader;
use agent_core::log::messages::Reporter;
use agent_core::log::sinks::Logger;
use agent_core::modules::catalogue::{Catalogue, Registration};
use agent_core::modules::isolation::Program;
use agent_core::scan::{Agent, Site};
use agent_core::status::json;

use crate::loading::place::{Place, set_mode};

const VERBOSITY: u8 = 5;

/// What was logged.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The module, in the process of the test or in its own.
fn running(module: &Registration, isolation: Isolation) -> Registration {
    let mut module = module.clone();
    module.isolation = isolation;
    module
}

/// The module is on, with its defaults.
fn settings(module: &Registration) -> Settings {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "[modules.{}]\nenabled = true", module.name()).unwrap();
    let sources = Sources {
        root: "/nowhere".into(),
        file: Some(file.path().to_owned()),
        drop_in: None,
        command_line: CommandLine::default(),
    };
    let schemas = std::slice::from_ref(&module.description.schema);
    config::load(&sources, schemas).settings
}

/// The log and the events of a trace.
fn replayed(trace: &Path, module: &Registration) -> (String, String) {
    let mut settings = settings(module);
    let mut reader = Reader::new(BufReader::new(File::open(trace).unwrap())).unwrap();
    let header = reader.header();
    if let Some(period_ms) = header.period_ms {
        settings.core.period = Duration::from_millis(period_ms);
    }
    let page_size = header.page_size.and_then(PageSize::new);
    let site = Site {
        page_size,
        ..Site::looked_at(Root::Recorded(std::collections::BTreeMap::new()))
    };
    let mut agent = Agent::build(site, &settings, std::slice::from_ref(module)).unwrap();
    let paper = Paper::default();
    let mut journal = Logger::to_writer(Box::new(paper.clone()), VERBOSITY);
    let (mut reporter, mut events) = (Reporter::new(), String::new());
    while let Some(frame) = reader.next_frame().unwrap() {
        agent.apply(&frame);
        let round = agent.scan(Uptime(Duration::from_millis(frame.t_ms)));
        for event in json::round(frame.t_ms, &round, VERBOSITY) {
            writeln!(events, "{event}").unwrap();
        }
        reporter.report(&round, &mut journal);
    }
    let log = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    (log, events)
}

fn traces() -> Vec<PathBuf> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/traces");
    let entries = fs::read_dir(directory).unwrap();
    let mut traces: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    traces.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "jsonl")
    });
    traces.sort();
    traces
}

/// The shared object of a module of this project. Cargo builds it beside the tests, as a dependency.
fn built(name: &str) -> PathBuf {
    let file = format!("lib{}.so", name.replace('-', "_"));
    std::env::current_exe().unwrap().with_file_name(file)
}

#[test]
fn each_module_says_the_same_linked_in_and_loaded_in_our_process_and_in_its_own() {
    let place = Place::new("same-bytes");
    for name in CHOSEN {
        let file = place.path(&format!("modules/{name}.so"));
        fs::copy(built(name), &file).unwrap();
        set_mode(&file, 0o755);
    }
    let in_files = Placements {
        module_dir: place.path("modules"),
        modules: Vec::new(),
    };
    let program = Program::at(Path::new(env!("CARGO_BIN_EXE_adaptivemmd")));
    let mut linked_in = Catalogue::linked_in(&program);
    // Without those that other tests bring.
    linked_in
        .modules
        .retain(|module| CHOSEN.contains(&module.name()));
    let loaded = Catalogue::default().with_files(&in_files, &program);
    assert_eq!((&linked_in.refused, &loaded.refused), (&vec![], &vec![]));
    for catalogue in [&linked_in, &loaded] {
        let names: Vec<&str> = catalogue.modules.iter().map(Registration::name).collect();
        assert_eq!(names, CHOSEN);
    }
    for (linked_in, loaded) in linked_in.modules.iter().zip(&loaded.modules) {
        assert_same_bytes(linked_in, loaded);
    }
}

fn assert_same_bytes(linked_in: &Registration, loaded: &Registration) {
    let ways = [
        ("loaded", running(loaded, Isolation::None)),
        ("isolated", running(loaded, Isolation::Process)),
        (
            "linked in, isolated",
            running(linked_in, Isolation::Process),
        ),
    ];
    let its_own = format!("\"module\":\"{}\"", linked_in.name());
    let traces = traces();
    for trace in &traces {
        let expected = replayed(trace, linked_in);
        assert!(
            linked_in.name() != "memleak" || expected.1.contains(&its_own),
            "{expected:?}"
        );
        for (way, module) in &ways {
            let said = replayed(trace, module);
            assert!(
                said == expected,
                "{way}, {}: {said:?}\ninstead of {expected:?}",
                trace.display()
            );
        }
    }
    assert_eq!(traces.len(), 7);
}

//! What the leak detection says of a trace, at another pace than it was recorded at.

use std::path::{Path, PathBuf};
use std::time::Duration;

use adaptivemm_module_api::units::{PageSize, Uptime};
use agent_core::actions::Mode;
use agent_core::config::{self, CommandLine, Settings, Sources};
use agent_core::kernel::trace::{Frame, Header, Reader};
use agent_core::kernel::{Recorded, Root};
use agent_core::modules::catalogue;
use agent_core::modules::output::Finding;
use agent_core::scan::{Agent, Site};

/// All that was said, with the time of the replay, in milliseconds.
#[derive(Debug)]
pub(crate) struct Said {
    /// The time between two frames.
    pub(crate) period_ms: u64,
    pub(crate) findings: Vec<(u64, Finding)>,
    /// In bytes, before anything happened.
    pub(crate) available: f64,
}

/// Replays a trace, with all of its times multiplied.
pub(crate) fn said(path: &Path, stretch: u64) -> Said {
    let mut trace =
        Reader::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let period_ms = trace.header().period_ms.unwrap() * stretch;
    let settings = settings(period_ms);
    let (mut modules, _) = catalogue::registrations();
    modules.retain(|module| module.name() == "memleak");
    let mut agent = None;
    let mut findings = Vec::new();
    let mut available = None;
    let header = trace.header().clone();
    while let Some(frame) = trace.next_frame().unwrap() {
        let agent = agent.get_or_insert_with(|| {
            Agent::build(site(&header, &frame), &settings, &modules).unwrap()
        });
        agent.apply(&frame);
        let t_ms = frame.t_ms * stretch;
        let round = agent.scan(Uptime(Duration::from_millis(t_ms)));
        for handle in round.handles {
            let new = handle.output().findings.iter().cloned();
            findings.extend(new.map(|finding| (t_ms, finding)));
            let mut metrics = handle.output().metrics().iter();
            let metric = metrics.find(|metric| metric.name == "available_bytes");
            available = available.or(metric.map(|metric| metric.value));
        }
    }
    Said {
        period_ms,
        findings,
        available: available.unwrap(),
    }
}

/// Those without any configuration.
fn settings(period_ms: u64) -> Settings {
    let nowhere = Sources {
        root: PathBuf::from("/nowhere"),
        file: None,
        drop_in: None,
        command_line: CommandLine::default(),
    };
    let (modules, _) = catalogue::registrations();
    let schemas: Vec<_> = modules
        .iter()
        .map(|module| module.description.schema.clone())
        .collect();
    let mut settings = config::load(&nowhere, &schemas).settings;
    settings.core.period = Duration::from_millis(period_ms);
    settings
}

fn site(header: &Header, first: &Frame) -> Site {
    let bytes =
        |(path, text): (&String, &Option<String>)| Some((path.clone(), text.clone()?.into_bytes()));
    let files: Recorded = first.files.iter().filter_map(bytes).collect();
    Site {
        page_size: header.page_size.and_then(PageSize::new),
        mode: Mode::Rehearse,
        ..Site::looked_at(Root::Recorded(files))
    }
}

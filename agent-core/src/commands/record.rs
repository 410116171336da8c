//! `adaptivemmd record`: this machine as a trace.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use adaptivemm_module_api::units::Uptime;
use crossbeam_channel::{Receiver, at, select};

use super::{Exit, complain, modules, settings};
use crate::actions::Ledger;
use crate::base::clock::{self, Rhythm};
use crate::base::files;
use crate::commands::cli::{Cli, Record};
use crate::daemon::signals::{self, SignalRequest};
use crate::kernel::trace::{Compression, Header, Writer};
use crate::kernel::tunables;
use crate::kernel::{FileBudget, Sampler, Wanted};

/// The mode of a trace, less what the umask forbids.
const MODE: u32 = 0o644;

pub(super) fn run(cli: &Cli, options: &Record) -> Exit {
    let modules = modules(&cli.sources());
    let settings = match settings(cli, &modules) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let period = options
        .period_ms
        .map_or(settings.core.period, Duration::from_millis);
    let mut wanted = Wanted::everything();
    for module in &modules {
        let description = &module.description;
        wanted.add_module(
            module.name(),
            &description.needs,
            &description.writes,
            FileBudget::AMPLE,
        );
    }
    let machine = Recorder {
        sampler: Sampler::new(cli.root(), wanted, None),
        runtime_dir: settings.core.runtime_dir,
        period,
    };
    let recorded = signals::receive().and_then(|wishes| machine.record(options, &wishes));
    match recorded {
        Ok(frames) => {
            let plural = if frames == 1 { "" } else { "s" };
            complain(&format_args!("{frames} frame{plural} recorded"));
            Exit::Done
        }
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            complain(&format_args!(
                "cannot write {}: {error}",
                options.trace.display()
            ));
            Exit::Failed
        }
    }
}

struct Recorder {
    sampler: Sampler,
    /// The ledger of the daemon, which may run meanwhile.
    runtime_dir: PathBuf,
    period: Duration,
}

impl Recorder {
    /// Records until the frames are full or a signal comes. Returns how many frames there are.
    fn record(mut self, options: &Record, wishes: &Receiver<SignalRequest>) -> io::Result<u64> {
        let mut trace = start(&self.sampler, options, self.period)?;
        let first = clock::uptime();
        let mut rhythm = Rhythm::new(clock::now(), self.period);
        let mut frames = 0;
        loop {
            let now = clock::uptime();
            let t_ms = u64::try_from(now.since(first).as_millis()).unwrap_or(u64::MAX);
            self.frame(now, t_ms, &mut trace)?;
            frames += 1;
            rhythm.advance(clock::now());
            if options.frames.is_some_and(|wanted| frames >= wanted) {
                break;
            }
            select! {
                recv(at(rhythm.due())) -> _ => {}
                recv(wishes) -> wish => if wish != Ok(SignalRequest::Reload) { break }
            }
        }
        trace.finish()?;
        Ok(frames)
    }

    /// Records one frame. What a daemon has changed is recorded as it was before, so that a replay decides anew, and
    /// does not take the daemon for somebody else.
    fn frame(&mut self, now: Uptime, t_ms: u64, trace: &mut Writer<impl Write>) -> io::Result<()> {
        // It may note or forget something just now.
        let before = Ledger::peek(&self.runtime_dir);
        let snapshot = self.sampler.take(now, self.period);
        let after = Ledger::peek(&self.runtime_dir);
        let original = |path: &str, text: &[u8]| {
            let tunable = tunables::at(path)?.name;
            let text = String::from_utf8_lossy(text);
            let value = text.trim_end();
            let original = before
                .original(tunable, value)
                .or(after.original(tunable, value))?;
            Some(format!("{original}\n").into_bytes())
        };
        let readings: Vec<_> = snapshot
            .readings()
            .map(|(path, text, result)| {
                let readable = result.as_ref().err().is_none_or(|error| !error.is_io());
                let content = readable.then(|| match original(path, text.bytes()) {
                    Some(original) => Cow::Owned(original),
                    None => Cow::Borrowed(text.bytes()),
                });
                (path, content)
            })
            .collect();
        let files = readings
            .iter()
            .map(|(path, content)| (*path, content.as_deref()));
        trace.frame(t_ms, files)
    }
}

fn start(
    sampler: &Sampler,
    options: &Record,
    period: Duration,
) -> io::Result<Writer<Box<dyn Write>>> {
    let is_compressed = options
        .trace
        .extension()
        .is_some_and(|extension| extension == "zst");
    let compression = if is_compressed {
        Compression::Zstd
    } else {
        Compression::None
    };
    let output: Box<dyn Write> = if options.trace == Path::new("-") {
        Box::new(io::stdout())
    } else {
        Box::new(files::open_empty(&options.trace, MODE)?)
    };
    let release = sampler
        .root()
        .read("/proc/sys/kernel/osrelease")
        .unwrap_or_default();
    let kernel = String::from_utf8_lossy(&release).trim_end().to_owned();
    let period_ms = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
    let page_size = sampler.page_size().bytes().get();
    let header = Header::new(
        &kernel,
        std::env::consts::ARCH,
        page_size,
        period_ms,
        &options.note,
    );
    Writer::new(output, compression, &header)
}

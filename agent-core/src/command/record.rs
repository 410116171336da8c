//! `adaptivemmd record`: this machine as a trace.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crossbeam_channel::{Receiver, at, select};

use super::{Exit, complain, modules, settings};
use crate::cli::{Cli, Record};
use crate::clock::{self, Rhythm};
use crate::sampler::{Sampler, Wanted};
use crate::signals::{self, Wish};
use crate::trace::{Compression, Header, Writer};

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
        module
            .description
            .needs
            .iter()
            .for_each(|path| wanted.add_file(path));
    }
    let sampler = Sampler::new(cli.root(), wanted, None);
    let recorded = signals::receive().and_then(|wishes| record(sampler, options, period, &wishes));
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

/// Records until the frames are full or a signal comes. Returns how many frames there are.
fn record(
    mut sampler: Sampler,
    options: &Record,
    period: Duration,
    wishes: &Receiver<Wish>,
) -> io::Result<u64> {
    let mut trace = start(&sampler, options, period)?;
    let first = clock::uptime();
    let mut rhythm = Rhythm::new(clock::now(), period);
    let mut frames = 0;
    loop {
        let now = clock::uptime();
        let snapshot = sampler.take(now, period);
        let t_ms = u64::try_from(now.since(first).as_millis()).unwrap_or(u64::MAX);
        let files = snapshot.readings().map(|(path, text, result)| {
            let readable = result.as_ref().err().is_none_or(|error| !error.is_io());
            (path, readable.then_some(text.bytes()))
        });
        trace.frame(t_ms, files)?;
        frames += 1;
        rhythm.advance(clock::now());
        if options.frames.is_some_and(|wanted| frames >= wanted) {
            break;
        }
        select! {
            recv(at(rhythm.due())) -> _ => {}
            recv(wishes) -> wish => if wish != Ok(Wish::Reload) { break }
        }
    }
    trace.finish()?;
    Ok(frames)
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
        Box::new(File::create(&options.trace)?)
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

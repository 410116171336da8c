//! CPU time of a whole scan, against that of only reading its files.

use std::time::Duration;

use adaptivemm_module_api::units::Uptime;
use agent_core::kernel::{Root, Sampler, Wanted};
use agent_core::modules::catalogue;
use agent_core::scan::Threads;
use tempfile::TempDir;

use crate::clock;
use crate::daemon::{Daemon, HOUR, WRITERS};
use crate::reads::{self, Reads};
use crate::table::Row;

/// Long enough that reading the clock is nothing, short enough that both sides see the same machine.
const BLOCK: usize = 200;

/// A daemon writes what modules keep once in so many scans, and evidence once in some of those.
const PACE: usize = 10;

/// The module whose cost has a target: it needs all the large files.
const MEMLEAK: &[&str] = &["memleak"];

/// The most that a scan may cost, in multiples of only reading.
const TARGET: f64 = 1.25;

/// Nanoseconds of CPU time of one scan and of one reading, in blocks that lay next to each other.
#[derive(Debug, Default)]
struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    /// Takes blocks in turns for this long. Which one comes first changes, too.
    fn measure(scan: impl FnMut(), reads: Reads, time: Duration) -> Self {
        let block = |work: &mut dyn FnMut()| block(clock::cpu, BLOCK, work);
        Self::measure_in(block, scan, reads, time)
    }

    /// In blocks that are measured otherwise.
    fn measure_in(
        block: impl Fn(&mut dyn FnMut()) -> f64,
        mut scan: impl FnMut(),
        mut reads: Reads,
        time: Duration,
    ) -> Self {
        let mut read = || reads.read();
        block(&mut scan);
        block(&mut read);
        let mut pairs = Vec::new();
        let end = clock::wall() + time;
        while clock::wall() < end {
            let pair = if pairs.len() % 2 == 0 {
                let scan = block(&mut scan);
                (scan, block(&mut read))
            } else {
                let read = block(&mut read);
                (block(&mut scan), read)
            };
            pairs.push(pair);
        }
        Self(pairs)
    }

    fn sorted(&self, of: impl Fn(&(f64, f64)) -> f64) -> Vec<f64> {
        let mut values: Vec<f64> = self.0.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    fn ratios(&self) -> Vec<f64> {
        self.sorted(|(scan, read)| scan / read)
    }

    /// Microseconds.
    fn medians(&self) -> (f64, f64) {
        let of = |part: fn(&(f64, f64)) -> f64| percentile(&self.sorted(part), 50) / 1000.0;
        (of(|(scan, _)| *scan), of(|(_, read)| *read))
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut daemon = Daemon::with_modules(MEMLEAK, Root::live(), Threads::OnePerModule);
    let pairs = measure(&mut daemon, Reads::for_memleak(), 10);
    let ratios = pairs.ratios();
    let ratio = percentile(&ratios, 50);
    let result = format!(
        "{ratio:.3} (median of {} pairs of blocks; half of them {:.3} to {:.3}, 9 of 10 {:.3} to {:.3})",
        ratios.len(),
        percentile(&ratios, 25),
        percentile(&ratios, 75),
        percentile(&ratios, 5),
        percentile(&ratios, 95),
    );
    let what = "CPU time of a scan with memleak / of only reading its files";
    let mut rows = vec![Row::new(
        what,
        &format!("at most {TARGET}"),
        result,
        ratio <= TARGET,
    )];
    rows.push(in_microseconds("with one thread per module", &pairs));

    rows.extend(keeping());

    let mut inline = Daemon::with_modules(MEMLEAK, Root::live(), Threads::None);
    let pairs = measure(&mut inline, Reads::for_memleak(), 2);
    rows.push(in_microseconds("without threads", &pairs));

    let time = Duration::from_secs(2);
    let pairs = Pairs::measure(sampling(), Reads::for_memleak(), time);
    rows.push(in_microseconds("without modules", &pairs));
    rows.push(system_calls(&mut daemon, Reads::for_memleak()));

    for (how, threads) in [
        (
            "all that run by default, with one thread each",
            Threads::OnePerModule,
        ),
        ("the same without threads", Threads::None),
    ] {
        let mut all = Daemon::new(Root::live(), threads);
        let pairs = measure(&mut all, Reads::for_defaults(), 4);
        rows.push(in_microseconds(how, &pairs));
        if threads == Threads::None {
            rows.push(system_calls(&mut all, Reads::for_defaults()));
        }
    }
    rows
}

fn measure(daemon: &mut Daemon, reads: Reads, seconds: u64) -> Pairs {
    Pairs::measure(|| daemon.scan(), reads, Duration::from_secs(seconds))
}

/// As it is in a live daemon, which keeps what was seen. What its threads write now and then is no part of a scan, and
/// is told by itself. They are waited for, as a daemon has nothing else to do meanwhile; and as everything is slower after a
/// pause, a daemon that keeps nothing is measured with the same pauses.
fn keeping() -> Vec<Row> {
    let state_dir = TempDir::new().unwrap();
    let mut daemon = Daemon::keeping(MEMLEAK, Root::live(), state_dir.path());
    // Until all threads are there, and so that they are called in the last scan of a pace: the first one calls them, too.
    (0..=BLOCK).for_each(|_| daemon.scan());
    let threads = |is_writer: bool| {
        clock::Threads::named(|name| {
            (is_writer && WRITERS.contains(&name)) || (!is_writer && MEMLEAK.contains(&name))
        })
    };
    let Some((writers, modules)) = threads(true).zip(threads(false)) else {
        return Vec::new();
    };
    writers.await_idle();

    let (written, scans) = (writers.cpu(), daemon.scans());
    let paced = |modules: &clock::Threads, work: &mut dyn FnMut()| {
        let pace = || {
            let nanoseconds = block(|| clock::cpu_here() + modules.cpu(), PACE, work);
            writers.await_idle();
            nanoseconds
        };
        mean(BLOCK / PACE, pace)
    };
    let (scan, time) = (|| daemon.scan(), Duration::from_secs(8));
    let keeping = Pairs::measure_in(
        |work| paced(&modules, work),
        scan,
        Reads::for_memleak(),
        time,
    );
    let written = writers.cpu().saturating_sub(written);
    let hours = f64::from(daemon.scans() - scans) / f64::from(HOUR);

    let result = format!(
        "{:.1} ms an hour, which is {:.1} us a scan",
        written.as_secs_f64() * 1e3 / hours,
        written.as_secs_f64() * 1e6 / hours / f64::from(HOUR),
    );

    let mut other = Daemon::with_modules(MEMLEAK, Root::live(), Threads::OnePerModule);
    let Some(modules) = clock::Threads::named(|name| MEMLEAK.contains(&name)) else {
        return Vec::new();
    };
    let scan = || other.scan();
    let without = Pairs::measure_in(
        |work| paced(&modules, work),
        scan,
        Reads::for_memleak(),
        time,
    );
    vec![
        in_microseconds("in tens, with incidents and states kept", &keeping),
        in_microseconds("in tens, without", &without),
        Row::fact("&ensp;what their threads take to write them", "", result),
    ]
}

/// Only reads and parses what memleak needs.
fn sampling() -> impl FnMut() {
    let mut wanted = Wanted::default();
    let (modules, _) = catalogue::registrations();
    let modules = modules.iter();
    for memleak in modules.filter(|module| MEMLEAK.contains(&module.name())) {
        memleak
            .description
            .needs
            .iter()
            .for_each(|path| wanted.add_file(path));
    }
    let mut sampler = Sampler::new(Root::live(), wanted, None);
    let mut now = Duration::ZERO;
    let period = Duration::from_secs(30);
    move || {
        now += period;
        sampler.take(Uptime(now), period);
    }
}

fn in_microseconds(how: &str, pairs: &Pairs) -> Row {
    let (scan, read) = pairs.medians();
    let ratio = percentile(&pairs.ratios(), 50);
    let result = format!("{scan:.1} us, reading {read:.1} us ({ratio:.3})");
    Row::fact(&format!("&ensp;{how}"), "", result)
}

/// Both sides must do the same work, or comparing them says nothing.
fn system_calls(daemon: &mut Daemon, mut reads: Reads) -> Row {
    reads.read();
    let [of_scan, of_reading] = [per_call(|| daemon.scan()), per_call(|| reads.read())];
    let text = |counts: Option<(f64, f64)>| {
        counts.map_or("unknown".to_owned(), |(calls, bytes)| {
            format!("{calls:.1} calls, {bytes:.0} bytes")
        })
    };
    let result = format!("{}; only reading: {}", text(of_scan), text(of_reading));
    Row::fact("&ensp;what a scan reads", "the same", result)
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn per_call(mut work: impl FnMut()) -> Option<(f64, f64)> {
    let before = reads::so_far()?;
    // Asking costs some reading by itself.
    let start = reads::so_far()?;
    (0..BLOCK).for_each(|_| work());
    let end = reads::so_far()?;
    let own = (start.0 - before.0, start.1 - before.1);
    let per_call = |difference: u64| difference as f64 / BLOCK as f64;
    Some((
        per_call(end.0 - start.0 - own.0),
        per_call(end.1 - start.1 - own.1),
    ))
}

/// Nanoseconds of one of so many calls.
#[expect(clippy::cast_precision_loss, reason = "some hundred at most")]
fn block(clock: impl Fn() -> Duration, calls: usize, work: &mut dyn FnMut()) -> f64 {
    let start = clock();
    (0..calls).for_each(|_| work());
    let time = clock().saturating_sub(start);
    time.as_secs_f64() * 1e9 / calls as f64
}

#[expect(clippy::cast_precision_loss, reason = "some hundred at most")]
fn mean(count: usize, measure: impl FnMut() -> f64) -> f64 {
    std::iter::repeat_with(measure).take(count).sum::<f64>() / count as f64
}

/// Of sorted values.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    sorted[(sorted.len() - 1) * percent / 100]
}

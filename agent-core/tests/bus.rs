//! The bus and what follows it, with modules that hang, break down, talk too much or ask for too much.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![allow(
    clippy::disallowed_methods,
    reason = "a deadline is about real time; the tunables are files of a test"
)]

#[path = "bus/modules.rs"]
mod modules;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use adaptivemm_module_api::units::Uptime;
use agent_core::actuator::Mode;
use agent_core::agent::{Agent, BuildErrors, Threads};
use agent_core::config::{self, CommandLine, Settings, Sources};
use agent_core::journal::Journal;
use agent_core::loader::{Registration, registrations};
use agent_core::reporter::Reporter;
use agent_core::sampler::Root;
use modules::{GATES, PANIC_LINES};
use tempfile::TempDir;

const WSF: &str = "proc/sys/vm/watermark_scale_factor";
const PERIOD: u64 = 30;
/// Long enough that a module that behaves is never late, on however busy a machine.
const AMPLE: &str = "[core]\ndeadline-secs = 60\n";
const BOTH: [Threads; 2] = [Threads::OnePerModule, Threads::None];

/// What was logged.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<String>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap()
            .push_str(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A machine of one tunable, with the daemon on it.
struct Bench {
    machine: TempDir,
    agent: Agent,
    reporter: Reporter,
    journal: Journal,
    paper: Paper,
    secs: u64,
}

fn settings(text: &str) -> Settings {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("adaptivemmd.toml");
    fs::write(
        &file,
        format!("{text}\n[modules.memleak]\nenabled = false\n"),
    )
    .unwrap();
    let schemas: Vec<_> = registrations()
        .0
        .into_iter()
        .map(|module| module.schema)
        .collect();
    let sources = Sources {
        root: "/nowhere".into(),
        file: Some(file),
        drop_in: None,
        command_line: CommandLine::default(),
    };
    let loaded = config::load(&sources, &schemas);
    assert!(loaded.is_valid(), "{:#?}", loaded.diagnostics);
    loaded.settings
}

fn build(machine: &Path, mode: Mode, threads: Threads, text: &str) -> Result<Agent, BuildErrors> {
    let root = Root::Directory(machine.to_owned());
    Agent::build(
        root,
        None,
        mode,
        threads,
        &settings(text),
        &registrations().0,
    )
}

impl Bench {
    fn new(threads: Threads, text: &str) -> Self {
        Self::with_mode(Mode::Live, threads, text)
    }

    fn with_mode(mode: Mode, threads: Threads, text: &str) -> Self {
        let machine = tempfile::tempdir().unwrap();
        fs::create_dir_all(machine.path().join("proc/sys/vm")).unwrap();
        fs::write(machine.path().join(WSF), "10\n").unwrap();
        fs::write(machine.path().join("proc/sys/vm/swappiness"), "60\n").unwrap();
        let paper = Paper::default();
        Self {
            agent: build(machine.path(), mode, threads, text).unwrap(),
            machine,
            reporter: Reporter::new(),
            journal: Journal::to_writer(Box::new(paper.clone()), 0),
            paper,
            secs: 0,
        }
    }

    /// One scan, a period after the one before. Returns what was logged.
    fn scan(&mut self) -> String {
        self.secs += PERIOD;
        let round = self.agent.scan(Uptime(Duration::from_secs(self.secs)));
        self.reporter.report(&round, &mut self.journal);
        std::mem::take(&mut self.paper.0.lock().unwrap())
    }

    fn scans(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.scan()).collect()
    }

    fn reload(&mut self, text: &str) {
        let modules = registrations().0;
        self.agent.reconfigure(&settings(text), &modules).unwrap();
        self.reporter = Reporter::new();
    }

    fn tunable(&self) -> String {
        fs::read_to_string(self.machine.path().join(WSF)).unwrap()
    }

    fn set_tunable(&self, text: &str) {
        fs::write(self.machine.path().join(WSF), text).unwrap();
    }
}

#[test]
fn modules_of_a_program_are_found_next_to_those_of_the_daemon() {
    let (modules, refused) = registrations();

    let names: Vec<_> = modules.iter().map(Registration::name).collect();
    let known = [
        "asking",
        "failing",
        "flooding",
        "good",
        "panicking",
        "rival",
        "waiting",
        "zealous",
    ];

    let ours: Vec<_> = names
        .iter()
        .filter(|name| known.contains(name))
        .copied()
        .collect();
    assert_eq!((ours, refused.as_slice()), (known.to_vec(), [].as_slice()));
    assert!(names.is_sorted());
}

#[test]
fn a_module_that_hangs_holds_up_nobody_and_is_quarantined_once() {
    let config = format!(
        "{AMPLE}[modules.good]\nenabled = true\n[modules.waiting]\nenabled = true\ndeadline-ms = 300\n\
         [modules.waiting.config]\nfrom-scan = 2\nscans = 100\ngate = 0"
    );
    let mut bench = Bench::new(Threads::OnePerModule, &config);
    let before = bench.scan();

    let start = Instant::now();
    let hanging = bench.scan();
    let waited = start.elapsed();
    let after = bench.scans(4);

    assert!((300..30_000).contains(&waited.as_millis()), "{waited:?}");
    assert_eq!(
        before,
        "notice good: call 1, scan 1, tag 0\nnotice waiting: seen in scan 1\n"
    );
    assert_eq!(
        hanging,
        "notice good: call 2, scan 2, tag 0\n\
         error waiting: did not answer in time; scans missed in a row: 1\n"
    );
    assert_eq!(
        after,
        [
            "notice good: call 3, scan 3, tag 0\n",
            "notice good: call 4, scan 4, tag 0\n",
            "notice good: call 5, scan 5, tag 0\n\
             error waiting: did not answer for 3 scans, it is not asked any more until a reload (SIGHUP)\n",
            "notice good: call 6, scan 6, tag 0\n",
        ]
    );

    GATES[0].open();
    assert_eq!(bench.scan(), "notice good: call 7, scan 7, tag 0\n");
}

#[test]
fn a_scan_waits_no_longer_than_the_deadline_of_the_core() {
    let config = "[core]\ndeadline-secs = 0.2\n[modules.waiting]\nenabled = true\n\
                  [modules.waiting.config]\nscans = 100\ngate = 1";
    let mut bench = Bench::new(Threads::OnePerModule, config);

    let start = Instant::now();
    bench.scan();
    let first = start.elapsed();
    bench.scan();
    let second = start.elapsed().saturating_sub(first);

    assert!((200..30_000).contains(&first.as_millis()), "{first:?}");
    // A module that is busy is not waited for again.
    assert!(second < Duration::from_millis(200), "{second:?}");
    GATES[1].open();
}

#[test]
fn late_words_are_dropped_and_the_module_is_asked_again() {
    let config = format!(
        "{AMPLE}[modules.waiting]\nenabled = true\ndeadline-ms = 100\n[modules.waiting.config]\nscans = 1\ngate = 2"
    );
    let mut bench = Bench::new(Threads::OnePerModule, &config);

    let late = bench.scan();
    GATES[2].open();
    let mut told = vec![late];
    while told.len() < 4
        && told
            .last()
            .is_some_and(|log| !log.contains("does its work"))
    {
        // The module needs a moment to notice that the gate is open.
        std::thread::sleep(Duration::from_millis(100));
        told.push(bench.scan());
    }
    let last = told.pop().unwrap();

    assert_eq!(
        told.concat(),
        "error waiting: did not answer in time; scans missed in a row: 1\n"
    );
    let scan = told.len() + 1;
    assert_eq!(
        last,
        format!("info waiting: does its work again\nnotice waiting: seen in scan {scan}\n")
    );
}

#[test]
fn the_words_of_a_module_that_breaks_down_too_late_are_dropped_too() {
    let config = format!(
        "{AMPLE}[modules.waiting]\nenabled = true\ndeadline-ms = 100\n\
         [modules.waiting.config]\nscans = 1\ngate = 3\nthen = \"panic\""
    );
    let mut bench = Bench::new(Threads::OnePerModule, &config);

    bench.scan();
    GATES[3].open();
    std::thread::sleep(Duration::from_millis(200));
    let log = bench.scan();

    assert!(log.starts_with("error waiting: broke down, "), "{log}");
    assert_eq!(log.lines().count(), 1, "{log}");
}

#[test]
fn a_module_that_breaks_down_is_quarantined_with_file_and_line() {
    let messages = [
        ("str", ": a text\n"),
        ("string", ": a string:  [2J 2\n"),
        ("other", "\n"),
    ];
    for threads in BOTH {
        for ((payload, message), line) in messages.into_iter().zip(PANIC_LINES) {
            let config = format!(
                "{AMPLE}[modules.good]\nenabled = true\n[modules.panicking]\nenabled = true\n\
                 [modules.panicking.config]\nfrom-scan = 2\npayload = \"{payload}\""
            );
            let mut bench = Bench::new(threads, &config);

            let log = bench.scans(4);

            let place = format!("agent-core/tests/bus/modules.rs:{line}:");
            let (before, after) = log[1].split_once(&place).unwrap();
            let said = after.trim_start_matches(|c: char| c.is_ascii_digit());
            assert_eq!(
                (before, said),
                (
                    "notice good: call 2, scan 2, tag 0\n\
                     error panicking: broke down, it is not asked any more until a reload (SIGHUP): panicked at ",
                    message
                )
            );
            assert_eq!(
                [&log[0], &log[2], &log[3]],
                [
                    "notice good: call 1, scan 1, tag 0\nwarning panicking: a half-baked word\n",
                    "notice good: call 3, scan 3, tag 0\n",
                    "notice good: call 4, scan 4, tag 0\n",
                ]
            );
        }
    }
}

#[test]
fn a_module_that_cannot_do_its_work_is_logged_once_and_so_is_its_recovery() {
    for threads in BOTH {
        let config = format!(
            "{AMPLE}[modules.failing]\nenabled = true\n[modules.failing.config]\nfrom-scan = 2\nscans = 3"
        );
        let mut bench = Bench::new(threads, &config);

        let log = bench.scans(6);

        assert_eq!(
            log,
            [
                "",
                "error failing: cannot do its work: no readable /proc/example\n",
                "",
                "",
                "info failing: does its work again\n",
                "",
            ]
        );
    }
}

#[test]
fn a_module_that_cannot_do_its_work_for_hours_is_mentioned_once_an_hour() {
    let config =
        format!("{AMPLE}[modules.failing]\nenabled = true\n[modules.failing.config]\nscans = 100");
    let mut bench = Bench::new(Threads::None, &config);

    let log = bench.scans(60);
    bench.secs += 3600;
    let later = bench.scan();

    assert_eq!(
        (log.concat().as_str(), later.as_str()),
        (
            "error failing: cannot do its work: no readable /proc/example\n",
            "error failing: cannot do its work: no readable /proc/example \
             (and 59 times more since this was last said)\n"
        )
    );
}

#[test]
fn the_log_is_in_the_order_of_names_whoever_answers_first() {
    let config = format!(
        "{AMPLE}[modules.zealous]\nenabled = true\n[modules.zealous.config]\ngate = 4\n\
         [modules.waiting]\nenabled = true\n[modules.waiting.config]\nscans = 100\ngate = 4\n\
         [modules.good]\nenabled = true\n"
    );
    let mut bench = Bench::new(Threads::OnePerModule, &config);

    let log = bench.scan();

    assert_eq!(
        log,
        "notice good: call 1, scan 1, tag 0\n\
         notice waiting: seen in scan 1\n\
         notice zealous: seen in scan 1\n"
    );
}

#[test]
fn a_flood_is_cut_short_and_cannot_forge_a_line() {
    for threads in BOTH {
        let mut bench = Bench::new(
            threads,
            &format!("{AMPLE}[modules.flooding]\nenabled = true"),
        );
        bench.journal.set_verbosity(5);

        let log = bench.scan();

        let is_told =
            |line: &&str| line.contains("flooding: word ") || line.contains("says too much");
        let (words, flood): (Vec<_>, Vec<_>) = log.lines().partition(is_told);
        let mut expected: Vec<_> = (1..64)
            .map(|number| format!("info flooding: word {number} "))
            .collect();
        expected.push(
            "warning flooding: says too much: 19679 words of this scan were dropped".to_owned(),
        );
        assert_eq!(words, expected);
        let is_ours = |line: &&str| line.split_once(" flooding: ").is_some();
        assert!(flood.iter().all(is_ours), "{flood:?}");
        assert!(flood.iter().all(|line| line.len() < 2100), "{flood:?}");
        assert!(log.len() < 200 << 10, "{} bytes", log.len());
        assert!(!log.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'));
    }
}

#[test]
fn what_a_module_asks_for_is_done_and_given_back_at_the_end() {
    for threads in BOTH {
        let mut bench = Bench::new(threads, &format!("{AMPLE}[modules.asking]\nenabled = true"));

        let log = bench.scan();
        let value = bench.tunable();
        let failures = bench.agent.restore();

        assert_eq!(
            log,
            "info asking: Some(10) [Ok(()), Err(Denied), Err(Denied)]\n\
             notice asking: vm.watermark_scale_factor = 20: done, was 10 (free memory falls by 3 MiB/s)\n"
        );
        assert_eq!(
            (value.as_str(), bench.tunable().as_str(), failures),
            ("20", "10", Vec::new())
        );
        assert_eq!(
            fs::read_to_string(bench.machine.path().join("proc/sys/vm/swappiness")).unwrap(),
            "60\n"
        );
    }
}

#[test]
fn a_value_that_somebody_else_sets_is_left_alone_and_this_is_said_once() {
    let config = format!("{AMPLE}[modules.asking]\nenabled = true");
    let mut bench = Bench::new(Threads::None, &config);
    bench.scan();

    let already = bench.scan();
    bench.set_tunable("35\n");
    let log = bench.scans(3);
    let failures = bench.agent.restore();

    let answers =
        |value| format!("info asking: Some({value}) [Ok(()), Err(Denied), Err(Denied)]\n");
    let told = "notice asking: vm.watermark_scale_factor = 20: left alone, somebody else set it to 35 \
                (free memory falls by 3 MiB/s)\n";
    assert_eq!(already, answers(20));
    assert_eq!(log, [answers(35) + told, answers(35), answers(35)]);
    assert_eq!((bench.tunable().as_str(), failures), ("35\n", Vec::new()));
}

#[test]
fn nothing_is_written_in_a_simulation() {
    for threads in BOTH {
        let config = format!("{AMPLE}[modules.asking]\nenabled = true");
        let mut bench = Bench::with_mode(Mode::Simulate, threads, &config);

        let log = bench.scan();
        let failures = bench.agent.restore();

        assert_eq!(
            log,
            "info asking: Some(10) [Ok(()), Err(Denied), Err(Denied)]\n\
             notice asking: vm.watermark_scale_factor = 20: not done in a simulation, stays 10 \
             (free memory falls by 3 MiB/s)\n"
        );
        assert_eq!((bench.tunable().as_str(), failures), ("10\n", Vec::new()));
    }
}

#[test]
fn a_module_that_is_to_advise_changes_nothing_and_repeats_nothing() {
    let config = format!("{AMPLE}[modules.asking]\nenabled = true\nmode = \"advise\"");
    let mut bench = Bench::new(Threads::OnePerModule, &config);

    let log = bench.scans(2);
    let failures = bench.agent.restore();

    let answers = "info asking: Some(10) [Ok(()), Err(Denied), Err(Denied)]\n";
    assert_eq!(
        log,
        [
            format!(
                "{answers}notice asking: vm.watermark_scale_factor = 20: advised, not done (free memory falls by 3 MiB/s)\n"
            ),
            answers.to_owned()
        ]
    );
    assert_eq!((bench.tunable().as_str(), failures), ("10\n", Vec::new()));
}

#[test]
fn only_what_the_administrator_allows_is_taken() {
    let lists = [
        ("[]", "Err(Denied)", "10\n"),
        ("[\"vm.vfs_cache_pressure\"]", "Err(Denied)", "10\n"),
        ("[\"vm.watermark_scale_factor\"]", "Ok(())", "20"),
    ];
    for (list, answer, value) in lists {
        let config = format!("{AMPLE}[modules.asking]\nenabled = true\nallow = {list}");
        let mut bench = Bench::new(Threads::OnePerModule, &config);

        let log = bench.scan();

        let answers = format!("info asking: Some(10) [{answer}, Err(Denied), Err(Denied)]");
        assert_eq!(
            (log.lines().next().unwrap(), bench.tunable().as_str()),
            (answers.as_str(), value),
            "{list}"
        );
    }
}

#[test]
fn a_value_that_would_do_harm_is_refused_at_once() {
    for value in [0, 3001] {
        let config = format!(
            "{AMPLE}[modules.asking]\nenabled = true\n[modules.asking.config]\nvalue = {value}"
        );
        let mut bench = Bench::new(Threads::None, &config);

        assert_eq!(
            bench.scan(),
            "info asking: Some(10) [Err(Invalid), Err(Denied), Err(Denied)]\n"
        );
        assert_eq!(bench.tunable(), "10\n");
    }
}

#[test]
fn two_modules_that_want_the_same_do_not_start_together() {
    let machine = tempfile::tempdir().unwrap();
    let both =
        format!("{AMPLE}[modules.asking]\nenabled = true\n[modules.rival]\nenabled = true\n");

    let errors = build(machine.path(), Mode::Live, Threads::None, &both).unwrap_err();
    let texts: Vec<_> = errors.0.iter().map(ToString::to_string).collect();

    assert_eq!(
        texts,
        [
            "modules asking and rival both change vm.watermark_scale_factor: \
          switch one off, or take it out of its `allow`"
        ]
    );
    let settled = Bench::new(Threads::None, &format!("{both}allow = []")).scan();
    assert_eq!(
        settled,
        "info asking: Some(10) [Ok(()), Err(Denied), Err(Denied)]\n\
         info rival: Err(Denied)\n\
         notice asking: vm.watermark_scale_factor = 20: done, was 10 (free memory falls by 3 MiB/s)\n"
    );
}

#[test]
fn a_reload_that_clashes_changes_nothing() {
    let config =
        format!("{AMPLE}[modules.good]\nenabled = true\n[modules.asking]\nenabled = true\n");
    let mut bench = Bench::new(Threads::OnePerModule, &config);
    bench.scan();

    let clash = settings(&format!("{config}[modules.rival]\nenabled = true\n"));
    let errors = bench
        .agent
        .reconfigure(&clash, &registrations().0)
        .unwrap_err();
    let log = bench.scan();

    assert_eq!(errors.0.len(), 1);
    assert_eq!(
        log,
        "info asking: Some(20) [Ok(()), Err(Denied), Err(Denied)]\n\
         notice good: call 2, scan 2, tag 0\n"
    );
}

#[test]
fn a_reload_keeps_what_did_not_change_and_starts_the_rest_anew() {
    for threads in BOTH {
        let config = format!("{AMPLE}[modules.good]\nenabled = true\n");
        let mut bench = Bench::new(threads, &config);
        let mut log = bench.scans(2);

        bench.reload(
            "[core]\nperiod-secs = 7\ndeadline-secs = 50\n[modules.good]\nenabled = true\n\
             [modules.zealous]\nenabled = true\n[modules.zealous.config]\ngate = 5",
        );
        log.push(bench.scan());
        bench.reload(&format!("{config}[modules.good.config]\ntag = 1"));
        log.push(bench.scan());
        bench.reload(AMPLE);
        log.push(bench.scan());

        assert_eq!(
            log,
            [
                "notice good: call 1, scan 1, tag 0\n",
                "notice good: call 2, scan 2, tag 0\n",
                "notice good: call 3, scan 3, tag 0\nnotice zealous: seen in scan 3\n",
                "notice good: call 1, scan 4, tag 1\n",
                "",
            ]
        );
    }
}

#[test]
fn a_reload_starts_modules_anew_that_were_quarantined_or_hang() {
    let config = format!(
        "{AMPLE}[modules.panicking]\nenabled = true\n\
         [modules.waiting]\nenabled = true\ndeadline-ms = 100\n[modules.waiting.config]\nscans = 1\ngate = 6\n"
    );
    let mut bench = Bench::new(Threads::OnePerModule, &config);
    bench.scan();
    let silent = bench.scan();

    bench.reload(&config);
    let log = bench.scan();
    GATES[6].open();

    assert_eq!(silent, "");
    assert_eq!(
        log,
        "warning panicking: a half-baked word\nnotice waiting: seen in scan 3\n"
    );
}

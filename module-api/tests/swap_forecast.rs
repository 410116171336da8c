//! The example in C: built by its own Makefile, and run on machines made by hand.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

#[path = "../../tests/abi/cc.rs"]
mod cc;
#[path = "../../tests/abi/host.rs"]
mod host;
#[path = "../../tests/common/skip.rs"]
mod skip;

use std::path::Path;
use std::process::Command;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/swap-forecast");
const MIB: u64 = 1 << 20;
/// A warning within 10 minutes, from a window of 4 scans that are 30 seconds apart.
const OPTIONS: [&str; 2] = ["warn-minutes=10", "window-scans=4"];

fn forecast(test: &str, scans: &str) -> String {
    let workshop = cc::workshop(&format!("swap-forecast-{test}"));
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let core = host::build_host(&header, &workshop);
    let source = Path::new(EXAMPLE).join("swap-forecast.c");
    let module = host::build_module(&header, &source, &workshop);

    let (words, ok) = host::run(&core, &module, &OPTIONS, scans);

    assert!(ok && words.ends_with("\ndestroyed\n"), "{words}");
    words
}

/// A machine with 1000 MiB of swap, of which so many are used in each scan.
fn machine(used: impl IntoIterator<Item = u64>) -> String {
    let line = |used| {
        format!(
            "MemTotal=1 SwapTotal={} SwapFree={}\n",
            1000 * MIB,
            (1000 - used) * MIB
        )
    };
    used.into_iter().map(line).collect()
}

fn lines<'a>(words: &'a str, start: &str) -> Vec<&'a str> {
    words
        .lines()
        .filter(|line| line.starts_with(start))
        .collect()
}

#[test]
fn it_warns_once_and_says_once_that_all_is_well_again() {
    let growth = (0..20).map(|scan| 40 * scan);
    let words = forecast("growth", &machine(growth.chain([760; 10])));

    assert_eq!(
        lines(&words, "finding"),
        [
            "finding 4/0 swap-fills-up: 200 of 1000 MiB of swap used, 80.0 MiB a minute more: full in about 10 \
             minutes swap_total_bytes=1048576000 swap_used_bytes=209715200 \
             swap_growth_bytes_per_second=1398101.333 swap_full_seconds=600",
            "finding 6/0 swap-back-to-normal: 760 of 1000 MiB of swap used; that does not grow, or only slowly \
             swap_total_bytes=1048576000 swap_used_bytes=796917760 swap_growth_bytes_per_second=0",
        ]
    );
}

#[test]
fn it_publishes_what_is_used_and_when_it_is_full_if_that_can_be_told() {
    let words = forecast("metrics", &machine([0, 10, 20, 30, 40]));

    assert_eq!(
        lines(&words, "metric"),
        [
            "metric swap_used_bytes 0",
            "metric swap_used_bytes 10485760",
            "metric swap_used_bytes 20971520",
            "metric swap_full_seconds 2910",
            "metric swap_used_bytes 31457280",
            "metric swap_full_seconds 2880",
            "metric swap_used_bytes 41943040",
        ]
    );
    assert_eq!(
        lines(&words, "status")[2..4],
        [
            "status 20 of 1000 MiB of swap used; scans to a forecast: 1",
            "status 30 of 1000 MiB of swap used, 20.0 MiB a minute more: full in about 48 minutes",
        ]
    );
}

#[test]
fn a_pause_that_is_too_short_does_not_end_a_warning() {
    // Each pause is of two scans, and three good ones would be needed.
    let growth = (0..8).map(|scan| 40 * scan);
    let used = growth.chain([280, 280, 360, 440, 520, 520, 520, 600, 680]);

    let words = forecast("pause", &machine(used));

    assert_eq!(lines(&words, "finding").len(), 1, "{words}");
}

#[test]
fn swap_that_is_full_is_warned_of_at_once() {
    let words = forecast("full", &machine([1000, 1000, 1000]));

    let findings = lines(&words, "finding");
    assert_eq!(findings.len(), 1, "{words}");
    assert!(
        findings[0]
            .starts_with("finding 4/0 swap-fills-up: 1000 of 1000 MiB of swap used: it is full")
    );
}

#[test]
fn swap_that_is_added_ends_a_warning_once_the_rate_is_known_again() {
    let more = format!("SwapTotal={} SwapFree={}\n", 9000 * MIB, 8600 * MIB);
    let scans = machine((0..11).map(|scan| 40 * scan)) + &more.repeat(5);

    let words = forecast("added", &(scans.clone() + &more));
    let too_early = forecast("added-early", &scans);

    assert_eq!(lines(&words, "finding 6").len(), 1, "{words}");
    assert_eq!(lines(&too_early, "finding 6").len(), 0, "{too_early}");
}

#[test]
fn on_a_machine_without_swap_it_only_says_so() {
    let words = forecast("none", "SwapTotal=0 SwapFree=0\nSwapTotal=0 SwapFree=0\n");

    assert_eq!(
        words,
        "module swap-forecast: ENABLE_SWAP_FORECAST\n\
         scan 1\nstatus this machine has no swap\nscan 2\nstatus this machine has no swap\ndestroyed\n"
    );
}

#[test]
fn it_stays_silent_on_a_steady_or_shrinking_or_slowly_growing_use() {
    let used = [900; 10]
        .into_iter()
        .chain((0..10).map(|scan| 900 - 20 * scan))
        .chain(500..530);

    let words = forecast("steady", &machine(used));

    assert_eq!(lines(&words, "finding"), [""; 0]);
}

#[test]
fn a_snapshot_without_the_figures_is_a_problem_and_not_a_machine_without_swap() {
    let absurd = "SwapTotal=1000 SwapFree=2000\n";
    let words = forecast(
        "missing",
        &format!("-\nSwapTotal=1000\nSwapFree=1000\n\n{absurd}"),
    );

    let problem = "problem : /proc/meminfo has no SwapTotal or no SwapFree";
    assert_eq!(lines(&words, "problem"), [problem; 4]);
    assert_eq!(lines(&words, "returned"), ["returned -2"; 4]);
    assert_eq!(lines(&words, "metric"), ["metric swap_used_bytes 0"]);
}

#[test]
fn its_makefile_builds_it_and_finds_nothing_to_complain_of() {
    if !skip::has("make", "make") {
        return;
    }
    let workshop = cc::workshop("swap-forecast-make");
    let out = format!("OUT={}", workshop.display());
    for target in [["check"].as_slice(), &[]] {
        let mut make = Command::new("make");
        let output = make
            .args(["-C", EXAMPLE, &out])
            .args(target)
            .output()
            .unwrap();

        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert!(workshop.join("swap-forecast.so").exists());
}

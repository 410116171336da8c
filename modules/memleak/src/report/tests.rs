use core::time::Duration;

use adaptivemm_module_api::units::Bytes;

use super::*;
use crate::sample::Reading;

const MIB: i64 = 1 << 20;
const BEFORE: &str = "MemTotal:       1024000 kB\nMemFree:         900000 kB\n";
const NOW: &str = "MemTotal:       1024000 kB\nMemFree:         700000 kB\n";

/// A reading after `secs`, with this many MiB missing, exactly missing, and free on per-CPU lists.
fn reading(secs: u64, unaccounted: i64, exact: Option<(i64, u64)>, meminfo: &str) -> Reading {
    Reading {
        at: Uptime(Duration::from_secs(secs)),
        unaccounted: Balance::new(unaccounted * MIB),
        exact: exact.map(|(unaccounted, per_cpu)| Exact {
            unaccounted: Balance::new(unaccounted * MIB),
            per_cpu: Bytes::new(per_cpu << 20),
            ..Exact::default()
        }),
        meminfo: meminfo.as_bytes().to_vec(),
        ..Reading::empty()
    }
}

/// The report of growth from 60 to 260 MiB in ten scans, with the exact accounts of both.
fn slow(before: Option<(i64, u64)>, now: Option<(i64, u64)>) -> Report {
    Report::slow(&Growth {
        from: &reading(0, 60, before, BEFORE),
        now: &reading(300, 260, now, NOW),
        scans: 10,
        history: &[60, 150, 260].map(|mib| Balance::new(mib * MIB)),
        baseline: Balance::new(50 * MIB),
    })
}

#[test]
fn a_slow_leak_is_reported_with_all_that_led_to_it() {
    assert_eq!(
        slow(Some((14, 36)), Some((210, 40))),
        Report {
            severity: Severity::Warning,
            code: "slow-leak",
            text: "Possible slow memory leak: unaccounted memory grew by more than 10 % in each of 10 scans, \
                   from 60.0 MiB to 260.0 MiB (+200.0 MiB) in 300 s; baseline 50.0 MiB; \
                   the exact accounting confirms it (14.0 MiB -> 210.0 MiB)"
                .to_owned(),
            details: "Unaccounted memory by the classic formula in the last 3 scans (kB): \
                      61440, 153600, 266240; baseline 51200\n\
                      Fields of /proc/meminfo that changed by more than 10 % in these 300 s:\n\
                      MemFree: 900000 kB -> 700000 kB (-22 %)\n\
                      /proc/meminfo now:\n\
                      MemTotal: 1024000 kB, MemFree: 700000 kB"
                .to_owned(),
            numbers: vec![
                ("unaccounted_bytes", 272_629_760.0),
                ("unaccounted_before_bytes", 62_914_560.0),
                ("growth_bytes", 209_715_200.0),
                ("baseline_bytes", 52_428_800.0),
                ("scans", 10.0),
                ("duration_seconds", 300.0),
                ("unaccounted_exact_bytes", 220_200_960.0),
                ("per_cpu_free_bytes", 41_943_040.0),
                ("unaccounted_exact_before_bytes", 14_680_064.0),
                ("per_cpu_free_before_bytes", 37_748_736.0),
            ],
            is_doubtful: false,
            is_small: false,
        }
    );
}

#[test]
fn growth_that_is_only_the_formula_s_is_said_to_be() {
    assert_eq!(
        slow(Some((14, 36)), Some((113, 235))).text,
        "Possible slow memory leak: unaccounted memory grew by more than 10 % in each of 10 scans, \
         from 60.0 MiB to 260.0 MiB (+200.0 MiB) in 300 s; baseline 50.0 MiB; \
         probably no leak: the exact accounting explains most of it (unaccounted 14.0 MiB -> 113.0 MiB, \
         free on per-CPU lists 36.0 MiB -> 235.0 MiB)"
    );
}

#[test]
fn half_of_the_growth_is_enough_to_confirm_it() {
    assert!(
        slow(Some((14, 36)), Some((114, 36)))
            .text
            .ends_with("; the exact accounting confirms it (14.0 MiB -> 114.0 MiB)")
    );
}

#[test]
fn without_the_exact_accounting_a_report_is_less_sure() {
    let report = slow(None, Some((14, 36)));

    assert!(
        report
            .text
            .ends_with("; less sure than usual, because there is no exact accounting")
    );
    assert_eq!(
        report.numbers[6..],
        [
            ("unaccounted_exact_bytes", 14_680_064.0),
            ("per_cpu_free_bytes", 37_748_736.0)
        ]
    );
}

#[test]
fn a_sudden_leak_is_reported_in_the_same_words() {
    let report = Report::sudden(&Growth {
        from: &reading(0, 100, None, ""),
        now: &reading(1800, 1124, None, ""),
        scans: 3,
        history: &[],
        baseline: Balance::new(-MIB),
    });

    assert_eq!(
        (report.code, report.text.as_str()),
        (
            "sudden-leak",
            "Possible sudden memory leak: unaccounted memory more than doubled within 3 scans, \
             from 100.0 MiB to 1.1 GiB (+1.0 GiB) in 30 min; \
             baseline below zero, as the classic formula counts mlocked memory twice; \
             less sure than usual, because there is no exact accounting"
        )
    );
}

#[test]
fn an_old_leak_is_reported_with_its_level() {
    let sample = Sample {
        unaccounted: Balance::new(170 * MIB),
        meminfo: NOW.as_bytes(),
        ..Sample::quiet()
    };
    let exact = Exact {
        unaccounted: Balance::new(120 * MIB),
        orphans: Balance::new(2 * MIB),
        ..Exact::default()
    };
    let excess = Excess {
        grade: Grade::Warning,
        limit: Bytes::new(100 << 20),
        least: Balance::new(110 * MIB),
        scans: 3,
        lasted: Duration::from_secs(60),
    };

    assert_eq!(
        Report::level(
            &sample,
            &exact,
            &excess,
            (Balance::new(160 * MIB), Duration::from_secs(3 * 3600)),
            None
        ),
        Report {
            severity: Severity::Warning,
            code: "level-leak",
            text: "Possible memory leak (level): 120.0 MiB of 1000.0 MiB accounted for by nothing, limit 100.0 MiB; \
                   never seen at less than 110.0 MiB in the last 3.0 h; lost before that, or held by a driver \
                   that counts it nowhere; \
                   classic formula 170.0 MiB, baseline 160.0 MiB"
                .to_owned(),
            details: "/proc/meminfo now:\nMemTotal: 1024000 kB, MemFree: 700000 kB".to_owned(),
            numbers: vec![
                ("unaccounted_bytes", 178_257_920.0),
                ("baseline_bytes", 167_772_160.0),
                ("unaccounted_exact_bytes", 125_829_120.0),
                ("orphans_bytes", 2_097_152.0),
                ("limit_bytes", 104_857_600.0),
                ("least_bytes", 115_343_360.0),
                ("scans", 3.0),
                ("duration_seconds", 60.0),
            ],
            is_doubtful: false,
            is_small: false,
        }
    );
}

#[test]
fn a_time_is_told_in_its_natural_unit() {
    let told = [0, 599, 600, 7199, 7200, 90_000].map(|secs| span(Duration::from_secs(secs)));

    assert_eq!(
        told,
        ["0 s", "599 s", "10 min", "119 min", "2.0 h", "25.0 h"]
    );
}

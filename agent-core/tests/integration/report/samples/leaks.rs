//! Leaks as they are found.

use agent_core::incidents::Incident;
use agent_core::incidents::evidence::{Certainty, Class, Comparison, SourceKind};

use super::evidence::{comparison, explanation, growth};
use super::history::{growing, history, quiet};
use super::{DAY, HOUR, MIB, OPENED, bare, millis, moment, told};

/// Pages that a driver loses, for hours; the machine has half a day left.
pub(crate) fn pages() -> Incident {
    let text = "Possible memory leak (trend): unaccounted memory grew from 208.0 MiB to 4.7 GiB (+4.5 GiB) in 5.5 h, by \
                840.0 MiB per hour; the 11.2 GiB available would last 12.6 h to 15.1 h; nothing but unaccounted memory rose; \
                its floor rose in 66 of 66 pairs of 30 minutes, confirmed in 3 of the last 4";
    let numbers = [
        ("growth_bytes", 4620.0 * MIB),
        ("duration_seconds", 5.5 * HOUR),
        ("growth_bytes_per_second", 840.0 * MIB / HOUR),
        ("growth_low_bytes_per_second", 760.0 * MIB / HOUR),
        ("growth_high_bytes_per_second", 910.0 * MIB / HOUR),
        ("available_bytes", 11_468.0 * MIB),
        ("exhausted_in_seconds", 13.65 * HOUR),
        ("unaccounted_growth_bytes", 4620.0 * MIB),
        ("slab_growth_bytes", 3.0 * MIB),
    ];
    Incident {
        told: vec![
            told(0.0, "warning", "trend-leak", text, &numbers),
            told(
                0.4 * HOUR,
                "info",
                "slow-leak",
                "More evidence of the leak reported 24 min ago: Possible slow memory leak: unaccounted memory grew by more \
                 than 10 % in each of 10 scans",
                &[],
            ),
        ],
        history: history(
            7.0,
            0.75 * HOUR,
            &growing("unaccounted_exact_bytes", 212.0, 14.0, 5.5, 840.0),
        ),
        comparison: Some(of_pages()),
        ..bare()
    }
}

/// Most of it is charged to a service.
fn of_pages() -> Comparison {
    Comparison {
        modules_loaded: vec!["mlx5_core".to_owned(), "nfsd".to_owned()],
        ..comparison(
            vec![
                growth(Class::Unaccounted, 1470.0, 4828.0),
                growth(Class::Orphans, 0.4, 0.5),
                growth(Class::Slab, 757.0, 760.0),
                growth(Class::Vmalloc, 96.0, 96.0),
                growth(Class::PageTables, 318.0, 309.0),
            ],
            vec![
                explanation(
                    Class::Unaccounted,
                    "/system.slice/ingest.service",
                    SourceKind::Services.file(),
                    [200.0, 2611.0],
                    71.7,
                    Certainty::Charged,
                ),
                explanation(
                    Class::Unaccounted,
                    "pipes of ingest (628 pipes, PID 4711)",
                    SourceKind::Descriptors.file(),
                    [12.0, 640.0],
                    18.7,
                    Certainty::AtMost,
                ),
                explanation(
                    Class::Unaccounted,
                    "TCP sockets",
                    SourceKind::Sockets.file(),
                    [3.0, 15.0],
                    0.36,
                    Certainty::Exact,
                ),
            ],
            938.0,
        )
    }
}

/// Much memory gone within minutes.
pub(crate) fn sudden() -> Incident {
    let text = "Possible memory leak (jump): unaccounted memory grew from 205.0 MiB to 6.1 GiB (+5.9 GiB) within 11 min and \
                stayed there for 3 scans, limit 3.2 GiB; 8.4 GiB available; nothing but unaccounted memory rose; the huge \
                pages changed from 0 B to 512.0 MiB 45 min ago";
    let numbers = [
        ("growth_bytes", 6041.0 * MIB),
        ("duration_seconds", 660.0),
        ("available_bytes", 8601.0 * MIB),
        ("limit_bytes", 3277.0 * MIB),
        ("unaccounted_growth_bytes", 6041.0 * MIB),
    ];
    let mut history = history(7.0, 600.0, &quiet());
    let (times, columns) = (&history.uptime_ms, &mut history.columns);
    for (at, value) in times
        .iter()
        .zip(columns.get_mut("unaccounted_exact_bytes").unwrap())
    {
        if *at > millis(OPENED - 400.0) {
            *value = value.map(|value| value + 6041.0 * MIB);
        }
    }
    Incident {
        told: vec![told(0.0, "warning", "jump-leak", text, &numbers)],
        history,
        comparison: Some(comparison(
            vec![
                growth(Class::Unaccounted, 205.0, 6246.0),
                growth(Class::Slab, 760.0, 771.0),
            ],
            vec![explanation(
                Class::Unaccounted,
                "packet rings of tcpdump (PID 90210)",
                SourceKind::PacketRings.file(),
                [0.0, 6000.0],
                99.1,
                Certainty::Exact,
            )],
            52.0,
        )),
        ..bare()
    }
}

/// A slab cache that grows slowly, and is over.
pub(crate) fn slab() -> Incident {
    let text = "Possible memory leak (trend): kernel slab memory (SUnreclaim) grew from 752.0 MiB to 1.1 GiB (+330.0 MiB) in \
                6.4 days, by 2.1 MiB per hour; the 31.0 GiB available would last 1.5 years to 1.8 years; kernel memory grew \
                by 341.0 MiB in all, kernel slab memory (SUnreclaim) by 330.0 MiB; its floor rose in 64 of 66 pairs of 14 hours, \
                confirmed in 3 of the last 4";
    let numbers = [
        ("growth_bytes", 330.0 * MIB),
        ("duration_seconds", 6.4 * DAY),
        ("growth_bytes_per_second", 51.6 * MIB / DAY),
        ("growth_low_bytes_per_second", 47.0 * MIB / DAY),
        ("growth_high_bytes_per_second", 58.0 * MIB / DAY),
        ("available_bytes", 31_744.0 * MIB),
        ("exhausted_in_seconds", 615.0 * DAY),
        ("slab_growth_bytes", 330.0 * MIB),
        ("unaccounted_growth_bytes", 11.0 * MIB),
    ];
    Incident {
        told: vec![told(0.0, "notice", "trend-leak", text, &numbers)],
        history: history(
            7.0,
            600.0,
            &growing("slab_bytes", 752.0, 22.0, 6.4 * 24.0, 51.6 / 24.0),
        ),
        comparison: Some(comparison(
            vec![
                growth(Class::Unaccounted, 205.0, 216.0),
                growth(Class::Slab, 760.0, 1090.0),
            ],
            vec![
                explanation(
                    Class::Slab,
                    "kmalloc-512",
                    SourceKind::Slab.file(),
                    [120.0, 428.0],
                    90.3,
                    Certainty::Exact,
                ),
                explanation(
                    Class::Slab,
                    "sock_inode_cache",
                    SourceKind::Slab.file(),
                    [18.0, 22.0],
                    1.2,
                    Certainty::Exact,
                ),
            ],
            29.0,
        )),
        ..bare()
    }
}

/// The same, after the memory came back.
pub(crate) fn over() -> Incident {
    Incident {
        over: Some(moment(3.0 * HOUR)),
        ..slab()
    }
}

/// vmalloc memory, an hour after the start: there is little history.
pub(crate) fn short() -> Incident {
    let text = "Possible memory leak (trend): kernel vmalloc memory (VmallocUsed) grew from 96.0 MiB to 1.3 GiB (+1.2 GiB) in \
                55 min, by 1.3 GiB per hour; the 2.0 GiB available would last 85 min or longer";
    let numbers = [
        ("growth_bytes", 1210.0 * MIB),
        ("duration_seconds", 3300.0),
        ("growth_bytes_per_second", 1320.0 * MIB / HOUR),
        ("growth_low_bytes_per_second", 0.0),
        ("growth_high_bytes_per_second", 1440.0 * MIB / HOUR),
        ("available_bytes", 2048.0 * MIB),
        ("exhausted_in_seconds", 5585.0),
        ("vmalloc_growth_bytes", 1210.0 * MIB),
    ];
    let mut history = history(0.0, 60.0, &growing("vmalloc_bytes", 96.0, 1.0, 0.9, 1320.0));
    let old = history.uptime_ms.len() / 2;
    history.uptime_ms.drain(..old);
    for column in history.columns.values_mut() {
        column.drain(..old);
    }
    Incident {
        told: vec![told(0.0, "warning", "trend-leak", text, &numbers)],
        history,
        comparison: Some(comparison(
            vec![
                growth(Class::Unaccounted, 212.0, 210.0),
                growth(Class::Vmalloc, 96.0, 1306.0),
            ],
            vec![explanation(
                Class::Vmalloc,
                "bpf_map_area_alloc",
                SourceKind::Vmalloc.file(),
                [4.0, 1200.0],
                98.8,
                Certainty::Exact,
            )],
            14.0,
        )),
        ..bare()
    }
}

/// Nobody knows who has it.
pub(crate) fn unexplained() -> Incident {
    let mut incident = pages();
    let comparison = incident.comparison.as_mut().unwrap();
    comparison.explanations.clear();
    comparison.unexplained_bytes = comparison.growth_bytes;
    comparison.modules_loaded.clear();
    incident
}

/// Lost before the daemon started; no evidence, no history.
pub(crate) fn level() -> Incident {
    let text = "Possible memory leak (level): 7.1 GiB of 62.7 GiB accounted for by nothing, limit 6.3 GiB; \
                never seen at less than 7.0 GiB in the last 3.0 days; lost before that, or held by a driver that counts it nowhere";
    let numbers = [
        ("unaccounted_exact_bytes", 7270.0 * MIB),
        ("limit_bytes", 6420.0 * MIB),
        ("least_bytes", 7168.0 * MIB),
        ("duration_seconds", 60.0),
    ];
    Incident {
        told: vec![told(0.0, "warning", "level-leak", text, &numbers)],
        problems: vec![
            "there is no evidence of before, as the daemon had just been started".to_owned(),
        ],
        ..bare()
    }
}

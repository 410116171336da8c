//! What a report says of how an incident stands, and of whose it is.

use agent_core::incidents::evidence::{Certainty, Class, Comparison, SourceKind};
use agent_core::incidents::{History, Incident};
use agent_core::report;

use super::samples::evidence::{comparison, explanation, growth};
use super::samples::{MIB, bare, millis, moment, told};

/// Memory that went on leaking after it was reported: twice, two minutes apart, with rows of the history up to `rows` seconds.
fn growing_leak(rows: u32) -> Incident {
    let jump = |to: f64, within: f64| {
        let text = format!(
            "Possible memory leak (jump): unaccounted memory grew from 14.2 MiB to {} (+{}) within {within} s and stayed \
             there for 3 scans, limit 1.2 GiB; 19.9 GiB available; nothing else rose",
            gib(to),
            gib(to - 14.2),
        );
        let numbers = [
            ("growth_bytes", (to - 14.2) * MIB),
            ("duration_seconds", within),
            ("available_bytes", (21_000.0 - to) * MIB),
            ("unaccounted_growth_bytes", (to - 14.2) * MIB),
        ];
        (text, numbers)
    };
    let ((first, first_numbers), (second, second_numbers)) =
        (jump(1243.0, 150.0), jump(2458.0, 270.0));
    let uptime_ms: Vec<u64> = (0..rows).map(|row| row * 10).map(at).collect();
    let level = |row| Some((14.2 + f64::from(row) * 91.0) * MIB);
    let columns = [(
        "unaccounted_exact_bytes".to_owned(),
        (0..rows).map(level).collect(),
    )];
    Incident {
        told: vec![
            told(0.0, "warning", "jump-leak", &first, &first_numbers),
            told(60.0, "info", "level-leak", "More evidence of the leak", &[]),
            told(120.0, "warning", "jump-leak", &second, &second_numbers),
        ],
        history: History {
            uptime_ms,
            columns: columns.into(),
        },
        comparison: Some(of_pipes()),
        ..bare()
    }
}

/// The history begins 150 seconds before the first report.
fn at(seconds: u32) -> u64 {
    millis(super::samples::OPENED - 150.0 + f64::from(seconds))
}

fn gib(mib: f64) -> String {
    format!("{:.1} GiB", mib / 1024.0)
}

fn of_pipes() -> Comparison {
    comparison(
        vec![growth(Class::Unaccounted, 14.2, 2458.0)],
        vec![explanation(
            Class::Unaccounted,
            "pipes of python3 (2472 pipes, PID 30595)",
            SourceKind::Descriptors.file(),
            [2.0, 2450.0],
            97.0,
            Certainty::Charged,
        )],
        60.0,
    )
}

#[test]
fn an_open_incident_is_of_one_moment_from_the_headline_to_the_chart() {
    // Rows that came after the last finding are of another moment than everything else.
    let incident = growing_leak(60);
    let text = report::text(&incident, 80);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = report::html(&incident);

    assert!(
        flat.starts_with(
            "Possible memory leak (jump): unaccounted memory grew from 14.2 MiB to 2.4 GiB"
        ),
        "{text}"
    );
    assert!(page.contains(
        "<h1>Possible memory leak (jump): unaccounted memory grew from 14.2 MiB to 2.4 GiB"
    ));
    assert!(
        flat.contains("How much 2.4 GiB (within 4 min)") || flat.contains("2.4 GiB (within 5 min)"),
        "{text}"
    );
    assert!(
        flat.contains("What explains the growth of 2.4 GiB"),
        "{text}"
    );
    let top = text.lines().find(|line| line.contains('|')).unwrap();
    assert!(top.contains("2.4 GiB"), "the chart ends there, too: {top}");
    assert!(
        flat.contains("State open (last looked at 2026-11-28 00:53 UTC)"),
        "{text}"
    );
    assert!(
        flat.contains("First reported 2026-11-28 00:51 UTC (and once more)"),
        "{text}"
    );
    assert!(page.contains(">open</span>") && page.contains("last looked at 2026-11-28 00:53 UTC"));
    assert!(!flat.contains("1.2 GiB (within"), "{text}");
}

#[test]
fn an_incident_says_that_it_is_over_or_ended_with_the_machine() {
    let mut incident = growing_leak(28);
    incident.over = Some(moment(3600.0));
    let text = report::text(&incident, 80);
    assert!(text.contains("over since 2026-11-28 01:51 UTC"), "{text}");

    incident.over = None;
    incident.is_of_earlier_boot = true;
    let (text, page) = (report::text(&incident, 80), report::html(&incident));
    assert!(
        text.contains("ended with a restart of the machine"),
        "{text}"
    );
    assert!(page.contains("ended by a restart"));
    assert!(!text.contains("When it will hurt"), "{text}");
}

#[test]
fn nothing_is_said_of_a_time_before_the_first_number() {
    let mut incident = growing_leak(28);
    for told in &mut incident.told {
        told.numbers.insert("duration_seconds".to_owned(), 1e9);
    }

    let text = report::text(&incident, 80);

    assert!(text.contains("2026-11-28 00:48 UTC"), "{text}");
    assert!(
        text.contains("(within 4 min)") || text.contains("(within 5 min)"),
        "{text}"
    );
}

/// What zram's own module found.
pub(crate) fn zram() -> Incident {
    let text = "zram holds 80.0 KiB in 79.0 KiB (1.01 : 1), 0.3 % of memory";
    let numbers = [("pool_bytes", 80.0 * MIB), ("full_percent", 0.3)];
    let mut incident = Incident {
        id: "20261128-005113-zram-pool".to_owned(),
        module: "zram-pool".to_owned(),
        name: "zram-incompressible".to_owned(),
        told: vec![told(0.0, "warning", "zram-incompressible", text, &numbers)],
        comparison: Some(of_pipes()),
        problems: vec!["there is no evidence of before".to_owned()],
        ..bare()
    };
    incident.told[0].details = vec!["zram0: 80 KiB".to_owned()];
    let rows = 0..40_u32;
    incident.history = History {
        uptime_ms: rows.clone().map(|row| row * 10).map(at).collect(),
        columns: [
            ("compression_ratio", 1.01, 0.0),
            ("a_data_bytes", 70.0, 0.1),
            ("pool_bytes", 10.0 * MIB, 2.0 * MIB),
        ]
        .map(|(name, from, step)| {
            let value = |row| Some(from + step * f64::from(row));
            (name.to_owned(), rows.clone().map(value).collect())
        })
        .into(),
    };
    incident
}

#[test]
fn the_incident_of_another_module_is_drawn_as_its_own() {
    let incident = zram();
    let (text, page) = (report::text(&incident, 80), report::html(&incident));

    for said in [
        "zram holds 80.0 KiB",
        "pool_bytes",
        "a_data_bytes",
        "compression_ratio",
        "zram0: 80 KiB",
        "1.01",
        "0.3 %",
    ] {
        assert!(text.contains(said) && page.contains(said), "{said}: {text}");
    }
    let order = |name| text.find(&format!("{name} over time"));
    assert!(
        order("pool_bytes") < order("a_data_bytes"),
        "that of the finding first: {text}"
    );
    let odd = [
        "Kernel stacks",
        "kernel stacks",
        "naccounted",
        "explains",
        "growth",
        "no history",
        "threads",
        "pipes",
        "memory came back",
        "Evidence that is missing",
        "Who could not be asked",
        "Where was looked",
    ];
    for unsaid in odd {
        assert!(!text.contains(unsaid), "{unsaid}: {text}");
        assert!(!page.contains(unsaid), "{unsaid}");
    }
    assert!(
        text.contains("adaptivemmd incidents export 20261128-005113-zram-pool"),
        "{text}"
    );
}

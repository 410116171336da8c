//! The page for a terminal.

use agent_core::report;

use super::samples::{all, leaks, odd};

#[test]
fn every_incident_reads_well_on_a_terminal() {
    for (name, incident) in all() {
        if !["extreme", "long", "one-point"].contains(&name) {
            insta::assert_snapshot!(name, report::text(&incident, 80));
        }
    }
}

#[test]
fn no_line_is_wider_than_the_terminal_unless_a_word_is() {
    for width in [40, 80, 100] {
        for (name, incident) in all().into_iter().filter(|(name, _)| *name != "extreme") {
            for line in report::text(&incident, width).lines() {
                let longest = line
                    .split_whitespace()
                    .map(|word| word.chars().count())
                    .max()
                    .unwrap_or(0);
                let is_command = line.starts_with("         ");
                let is_table = line.contains(" -> ") && width < 80;
                assert!(
                    line.chars().count() <= width.max(longest + 24) || is_command || is_table,
                    "{name} at {width}: {line}"
                );
            }
        }
    }
}

#[test]
fn eighty_columns_are_enough_for_all_but_commands() {
    for (name, incident) in all().into_iter().filter(|(name, _)| *name != "extreme") {
        for line in report::text(&incident, 80).lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn nothing_that_acts_on_a_terminal_gets_there() {
    let text = report::text(&odd::extreme(), 80);

    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    assert!(!text.contains('\u{202e}'));
    assert!(text.len() < 64 << 10, "{}", text.len());
}

#[test]
fn only_plain_names_get_into_commands() {
    let mut incident = leaks::slab();
    incident.comparison.as_mut().unwrap().explanations[0].owner = "kmalloc;reboot".to_owned();
    incident.id = "$(reboot)".to_owned();

    let text = report::text(&incident, 80);

    let commands: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("         "))
        .collect();
    assert!(!commands.is_empty());
    assert!(
        commands.iter().all(|line| !line.contains("reboot")),
        "{commands:?}"
    );
}

#[test]
fn who_surely_holds_it_all_is_enough_to_know_and_else_it_is_said_where_to_look() {
    let mut incident = leaks::sudden();
    assert!(!report::text(&incident, 80).contains("/proc/net/sockstat"));

    let explanation = &mut incident.comparison.as_mut().unwrap().explanations[0];
    explanation.certainty = agent_core::incidents::evidence::Certainty::AtMost;
    assert!(report::text(&incident, 80).contains("/proc/net/sockstat"));
}

#[test]
fn of_a_growth_that_nobody_owns_it_is_said_what_is_known() {
    let mut incident = leaks::unexplained();
    let comparison = incident.comparison.as_mut().unwrap();
    comparison.modules_loaded = vec!["mlx5_core".to_owned()];

    let known = "None of the sources that could be asked says who holds it. Kernel modules that were loaded while it grew: mlx5_core.";
    assert!(report::html(&incident).contains(known));
    let text = report::text(&incident, 80);
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(words.join(" ").contains(known), "{text}");
    assert!(!text.contains("100 %"), "{text}");
}

/// The line that says since when vmalloc memory grows, which does since so many minutes before it was reported.
fn since(minutes: u64) -> String {
    let mut incident = leaks::short();
    let told = incident.told[0].at.uptime_ms;
    let size = |at: &u64| {
        let grown = (at + minutes * 60_000).saturating_sub(told);
        Some(grown as f64 * 1000.0 + 1e8)
    };
    let sizes = incident.history.uptime_ms.iter().map(size).collect();
    let columns = &mut incident.history.columns;
    columns.insert("vmalloc_bytes".to_owned(), sizes);
    let text = report::text(&incident, 100);
    let line = text.lines().find(|line| line.contains("Since"));
    line.unwrap().trim().to_owned()
}

#[test]
fn a_growth_began_when_it_was_last_seen_at_rest_not_when_the_module_began_to_look() {
    let seen = "Since              2026-11-28 00:31 UTC (20 min before it was first reported)";
    assert_eq!(since(20), seen);
    let longer =
        "Since              2026-11-27 23:56 UTC (55 min before it was first reported, or earlier)";
    assert_eq!(since(600), longer);
}

#[test]
fn nobody_holds_more_than_there_is_at_most() {
    let mut incident = leaks::pages();
    let comparison = incident.comparison.as_mut().unwrap();
    let pipes = &mut comparison.explanations[1];
    assert!(pipes.owner.starts_with("pipes of"), "{}", pipes.owner);
    pipes.after_bytes = 1 << 50;

    let text = report::text(&incident, 80);
    assert!(!text.contains("TiB"), "{text}");
    assert!(!report::html(&incident).contains("TiB"));
}

#[test]
fn the_allocator_of_per_cpu_memory_is_not_taken_for_who_has_it() {
    let mut incident = leaks::short();
    let explanation = &mut incident.comparison.as_mut().unwrap().explanations[0];
    explanation.owner = "pcpu_create_chunk".to_owned();
    explanation.source = "/proc/vmallocinfo".to_owned();

    let text = report::text(&incident, 200);

    assert!(
        text.contains("pcpu_create_chunk allocates on behalf of others"),
        "{text}"
    );
    assert!(text.contains("bpftool map"), "{text}");
    assert!(!text.contains("known bugs"), "{text}");
}

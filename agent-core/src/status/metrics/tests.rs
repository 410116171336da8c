use serde_json::json;

use super::*;

/// A daemon with these modules: a name, and the metrics.
fn summary(modules: &[(&str, &[(&str, f64)])]) -> Summary {
    let module = |(name, metrics): &(&str, &[(&str, f64)])| {
        json!({
            "name": name, "version": "1 \"beta\" \\ \n2", "state": "running", "why": null, "mode": "active",
            "isolation": "none", "status": null, "metrics": metrics.iter().copied().collect::<BTreeMap<_, _>>(),
        })
    };
    let modules: Vec<_> = modules.iter().map(module).collect();
    serde_json::from_value(json!({
        "version": "3.0.0", "pid": 1, "started": "", "running_seconds": 60.0, "period_seconds": 30.0, "scans": 3,
        "scanned_seconds_ago": 1.5, "scanned_at_seconds": 1_795_910_400.25, "scan_seconds": 0.25, "scans_seconds": 0.75,
        "steady": true, "machine": {}, "tunables": [], "modules": modules, "decisions": [], "incidents": [],
        "requests": [], "messages": [], "log": { "events": {}, "lost": 0 }, "reload": null,
    }))
    .unwrap()
}

#[test]
fn a_daemon_that_answers_is_up_and_says_when_it_scanned() {
    let text = exposition(&summary(&[]));

    for line in [
        "adaptivemmd_up 1.0",
        "# TYPE adaptivemmd_scans_total counter",
        "adaptivemmd_scans_total 3.0",
        "adaptivemmd_scan_age_seconds 1.5",
        "adaptivemmd_last_scan_timestamp_seconds 1795910400.25",
        "adaptivemmd_build_info{version=\"3.0.0\"} 1.0",
    ] {
        assert!(
            text.lines().any(|one| one == line),
            "{line} is not in {text}"
        );
    }
}

#[test]
fn without_a_daemon_it_is_down_and_nothing_else_is_said() {
    assert_eq!(
        exposition_without_daemon(),
        "# HELP adaptivemmd_up 1 if the daemon answered.\n# TYPE adaptivemmd_up gauge\nadaptivemmd_up 0.0\n"
    );
}

#[test]
fn labels_are_escaped_as_the_format_wants_it() {
    let text = exposition(&summary(&[(
        "odd",
        &[("free_bytes", -0.5), ("seen_total", 7.0)],
    )]));

    for line in [
        r#"adaptivemmd_module_up{module="odd",version="1 \"beta\" \\ \n2"} 1.0"#,
        "# HELP adaptivemmd_odd_free_bytes free_bytes of the module odd.",
        "# TYPE adaptivemmd_odd_free_bytes gauge",
        "adaptivemmd_odd_free_bytes -0.5",
        "# TYPE adaptivemmd_odd_seen_total counter",
        "adaptivemmd_odd_seen_total 7.0",
    ] {
        assert!(
            text.lines().any(|one| one == line),
            "{line} is not in {text}"
        );
    }
}

#[test]
fn of_two_metrics_of_one_name_the_second_is_refused_and_named() {
    let overview = summary(&[
        ("a", &[("b_c", 1.0)]),
        ("a-b", &[("c", 2.0), ("d", 3.0)]),
        ("module", &[("up", 4.0)]),
        ("requests", &[("total", 5.0)]),
    ]);

    let (text, clashes) = (exposition(&overview), clashes(&overview));

    let values = |name: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix(name));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(values("adaptivemmd_a_b_c "), ["1.0"]);
    assert_eq!(values("adaptivemmd_a_b_d "), ["3.0"]);
    let clash = |module: &str, metric: &str, name: &str, owner: &str| Clash {
        module: module.to_owned(),
        metric: metric.to_owned(),
        name: name.to_owned(),
        owner: owner.to_owned(),
    };
    assert_eq!(
        clashes,
        [
            clash("a-b", "c", "adaptivemmd_a_b_c", "module a"),
            clash("module", "up", "adaptivemmd_module_up", "the daemon"),
            clash(
                "requests",
                "total",
                "adaptivemmd_requests_total",
                "the daemon"
            ),
        ]
    );
}

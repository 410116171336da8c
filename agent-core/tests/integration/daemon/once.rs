//! A single scan, in words and as JSON.

use serde_json::Value;

use crate::daemon::QUICK;
use crate::daemon::machine::Machine;
use crate::daemon::process::Home;
use crate::daemon::words::{stderr, untimed};

#[test]
fn once_scans_once() {
    let home = Home::new(QUICK, "");
    let machine = Machine::new(&home, 100);

    let output = home
        .command(&["--once", "--root", machine.root()])
        .output()
        .unwrap();

    let said: Vec<String> = stderr(&output).lines().map(str::to_owned).collect();
    let statuses = untimed(&said)
        .iter()
        .filter(|line| line.contains("memleak: "))
        .count();
    assert_eq!((output.status.code(), statuses), (Some(0), 1), "{said:?}");
}

#[test]
fn once_as_json_is_a_snapshot() {
    let home = Home::new(QUICK, "");
    let machine = Machine::new(&home, 100);
    let print = |arguments: &[&str]| {
        let output = home.command(arguments).output().unwrap();
        assert_eq!(
            (output.status.code(), stderr(&output)),
            (Some(0), String::new())
        );
        String::from_utf8(output.stdout).unwrap()
    };

    let recorded = print(&["--once", "--json", "--root", machine.root()]);
    let live = print(&["--once", "--json"]);

    assert_eq!(recorded, print(&["snapshot", "--root", machine.root()]));
    let shapes = [live, print(&["snapshot"])].map(|text| shape(&text.parse().unwrap()));
    assert_eq!(shapes[0], shapes[1]);
    let keys: Vec<_> = recorded
        .parse::<Value>()
        .unwrap()
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(keys, ["snapshot", "modules"]);
}

/// The keys of all objects. Numbers are left out, and so are findings: memory moves.
fn shape(value: &Value) -> Vec<String> {
    let Value::Object(object) = value else {
        return Vec::new();
    };
    let below = |(key, value): (&String, &Value)| {
        let rest = shape(value)
            .into_iter()
            .map(move |path| format!("{key}.{path}"));
        std::iter::once(key.clone()).chain(rest).collect::<Vec<_>>()
    };
    object.iter().flat_map(below).collect()
}

//! `adaptivemmd modules`: what there is, where it is, and what can be chosen.

use agent_core::base::linked::CHOSEN;
use serde_json::Value;

use crate::loading::place::Place;

/// A module that is on, one that is off, one in a process of its own, and two files that are refused.
pub(crate) fn company(test: &str) -> Place {
    let place = Place::new(&format!("listing-{test}"));
    let on = [
        ("NAME", "AMM_S(\"on\")"),
        ("FLAG", "AMM_S(\"ENABLE_ON_CHECK\")"),
        ("DESCRIPTION", "AMM_S(\"Is on by default\")"),
    ];
    place.install("on.so", &on);
    let off = [
        ("NAME", "AMM_S(\"off\")"),
        ("FLAGS", "0"),
        ("OPTIONS", OPTIONS),
    ];
    place.install("off.so", &off);
    place.install("bad.so", &[("COUNT", "0")]);
    place.make_directory("elsewhere");
    let apart = place.build("elsewhere/apart.so", &[("NAME", "AMM_S(\"apart\")")]);
    place.configure(&format!(
        "[modules.apart]\npath = \"{}\"\n[modules.off.config]\nshare-percent = 7.5\n\
         [modules.on.config]\nlimit-mib = 4",
        apart.display()
    ));
    place
}

const OPTIONS: &str = "\
    { .name = AMM_S(\"share-percent\"), .kind = AMM_FLOAT, .default_ = AMM_FLOAT_VALUE(2.5), .min = 0.5, .max = 50, \
      .help = AMM_S(\"What is a lot\") }, \
    { .name = AMM_S(\"quiet\"), .kind = AMM_BOOLEAN, .help = AMM_S(\"Says nothing\") }, \
    { .name = AMM_S(\"title\"), .kind = AMM_TEXT, .default_ = AMM_TEXT_VALUE(\"it\"), .help = AMM_S(\"Its title\") }";

/// Without the directory of the test, and without modules that are linked in.
fn redacted(place: &Place, text: &str) -> String {
    let text = text.replace(&place.path("").display().to_string(), "DIR/");
    let paragraphs = text.split_inclusive('\n').collect::<Vec<_>>();
    let mut kept = String::new();
    let mut is_linked_in = false;
    for line in paragraphs {
        if !line.starts_with(' ') {
            let name = line.split(' ').next().unwrap();
            is_linked_in = CHOSEN.contains(&name);
        }
        if !is_linked_in {
            kept.push_str(line);
        }
    }
    kept
}

fn without_linked_in(mut listed: Value) -> Value {
    let modules = listed["modules"].as_array_mut().unwrap();
    modules.retain(|module| module["origin"] != "linked in");
    listed
}

#[test]
fn without_a_daemon_it_says_what_there_is_and_what_is_on() {
    let place = company("text");

    insta::assert_snapshot!(redacted(&place, &place.listed()), @r#"
    apart 1.0.0 (enabled, no flag)
      Is tested.
      DIR/elsewhere/apart.so, in its own process
      reads /proc/meminfo
      changes nothing
      limit-mib = 3 (0 to 10)
    off 1.0.0 (disabled, no flag)
      Is tested.
      DIR/modules/off.so
      reads /proc/meminfo
      changes nothing
      share-percent = 7.5: What is a lot (0.5 to 50, default 2.5)
      quiet = false: Says nothing
      title = "it": Its title
    on 1.0.0 (enabled, ENABLE_ON_CHECK)
      Is on by default.
      DIR/modules/on.so
      reads /proc/meminfo
      changes nothing
      limit-mib = 4 (0 to 10, default 3)
    DIR/modules/bad.so (refused)
      it holds no module
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "shows all there is")]
fn json_says_the_same_for_programs() {
    let place = company("json");

    let listed = without_linked_in(place.listed_json());

    let text = serde_json::to_string_pretty(&listed).unwrap();
    insta::assert_snapshot!(redacted(&place, &text), @r#"
    {
      "modules": [
        {
          "name": "apart",
          "version": "1.0.0",
          "description": "Is tested",
          "origin": "file",
          "file": "DIR/elsewhere/apart.so",
          "isolation": "process",
          "flag": null,
          "enabled": true,
          "state": "enabled",
          "why": null,
          "needs": [
            "/proc/meminfo"
          ],
          "writes": [],
          "options": [
            {
              "name": "limit-mib",
              "value": 3,
              "default": 3,
              "min": 0.0,
              "max": 10.0,
              "help": ""
            }
          ]
        },
        {
          "name": "off",
          "version": "1.0.0",
          "description": "Is tested",
          "origin": "file",
          "file": "DIR/modules/off.so",
          "isolation": "none",
          "flag": null,
          "enabled": false,
          "state": "disabled",
          "why": null,
          "needs": [
            "/proc/meminfo"
          ],
          "writes": [],
          "options": [
            {
              "name": "share-percent",
              "value": 7.5,
              "default": 2.5,
              "min": 0.5,
              "max": 50.0,
              "help": "What is a lot"
            },
            {
              "name": "quiet",
              "value": false,
              "default": false,
              "min": null,
              "max": null,
              "help": "Says nothing"
            },
            {
              "name": "title",
              "value": "it",
              "default": "it",
              "min": null,
              "max": null,
              "help": "Its title"
            }
          ]
        },
        {
          "name": "on",
          "version": "1.0.0",
          "description": "Is on by default",
          "origin": "file",
          "file": "DIR/modules/on.so",
          "isolation": "none",
          "flag": "ENABLE_ON_CHECK",
          "enabled": true,
          "state": "enabled",
          "why": null,
          "needs": [
            "/proc/meminfo"
          ],
          "writes": [],
          "options": [
            {
              "name": "limit-mib",
              "value": 4,
              "default": 3,
              "min": 0.0,
              "max": 10.0,
              "help": ""
            }
          ]
        }
      ],
      "refused": [
        {
          "subject": "DIR/modules/bad.so",
          "reason": "it holds no module"
        }
      ]
    }
    "#);
}

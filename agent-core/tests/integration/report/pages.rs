//! The page for a browser.

use std::path::Path;

use agent_core::incidents::Incident;
use agent_core::incidents::evidence::Now;
use agent_core::report;
use proptest::prelude::*;

use super::markup::{Tag, tags};
use super::samples::{all, bare, leaks};

const LARGEST_PAGE: usize = 300 << 10;

/// Where `tests/report/render` finds the pages.
const PAGES: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/report");

/// All that a page is made of. There is nothing that loads, links, asks or runs.
const ELEMENTS: [&str; 44] = [
    "!DOCTYPE",
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "main",
    "header",
    "section",
    "footer",
    "h1",
    "h2",
    "h3",
    "p",
    "div",
    "span",
    "b",
    "i",
    "br",
    "small",
    "dl",
    "dt",
    "dd",
    "ul",
    "ol",
    "li",
    "pre",
    "figure",
    "figcaption",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "svg",
    "rect",
    "polyline",
    "polygon",
    "line",
    "text",
];
const ATTRIBUTES: [&str; 30] = [
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "class",
    "id",
    "scope",
    "style",
    "role",
    "aria-label",
    "aria-labelledby",
    "width",
    "height",
    "viewBox",
    "xmlns",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "dy",
    "points",
    "fill",
    "stroke",
    "stroke-width",
    "opacity",
    "text-anchor",
    "font-family",
];

#[test]
fn every_page_is_below_a_size_and_is_kept_for_the_browser() {
    std::fs::create_dir_all(PAGES).unwrap();
    for (name, incident) in all() {
        let page = report::html(&incident);

        assert!(page.len() < LARGEST_PAGE, "{name}: {} bytes", page.len());
        std::fs::write(Path::new(PAGES).join(format!("{name}.html")), page).unwrap();
    }
}

#[test]
fn every_page_is_well_formed_and_made_of_nothing_that_runs() {
    for (_, incident) in all() {
        assert_harmless(&report::html(&incident));
    }
}

/// Two who hold memory, one of whom has a name that is a tag.
fn now() -> Now {
    serde_json::from_str(
        r#"{
            "taken": {"at": {"time": "2026-11-29T09:56:01Z", "uptime_ms": 1000}, "why": "routine", "cpu_us": 1, "read_bytes": 1},
            "classes": ["unaccounted"],
            "holders": [
                {"owner": "pipes of leaky", "note": "1355 pipes, PID 199", "class": "unaccounted", "source": "/proc/PID/fd",
                 "bytes": 1395864371, "before_bytes": null, "certainty": "at-most"},
                {"owner": "pipes of <script>", "note": "", "class": "unaccounted", "source": "/proc/PID/fd",
                 "bytes": 2097152, "before_bytes": 1048576, "certainty": "exact"}
            ],
            "not_asked": [{"file": "/proc/slabinfo", "why": "it is longer than 2 MiB"}]
        }"#,
    )
    .unwrap()
}

#[test]
fn who_holds_it_now_is_on_the_page_where_root_looked() {
    let page = report::html_with(&leaks::pages(), &now());

    assert_harmless(&page);
    std::fs::create_dir_all(PAGES).unwrap();
    std::fs::write(Path::new(PAGES).join("now.html"), &page).unwrap();
    for part in [
        "pipes of leaky<small>1355 pipes, PID 199, unaccounted memory, at most, /proc/PID/fd</small>",
        "<td class=\"n\">not known<br>1.3 GiB</td>",
        "pipes of &lt;script&gt;<small>unaccounted memory, /proc/PID/fd</small>",
        "<td class=\"n\">1.0 MiB<br>2.0 MiB</td>",
        "/proc/slabinfo was not read to its end: it is longer than 2 MiB.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!report::html(&leaks::pages()).contains("Who holds it now"));
}

#[test]
fn a_page_says_to_a_reader_that_sees_nothing_what_its_parts_are() {
    let tags = tags(&report::html(&leaks::pages()));
    let of = |name: &'static str| tags.iter().filter(move |tag| tag.name == name);

    assert_eq!(of("h1").count(), 1);
    assert!(of("th").count() > 10 && of("th").all(|tag| value(tag, "scope").is_some()));
    let pictures: Vec<_> = tags
        .iter()
        .filter(|tag| value(tag, "role") == Some("img"))
        .collect();
    assert_eq!(
        pictures.len(),
        of("svg").count() + 1,
        "the bar is a picture, too"
    );
    assert!(
        pictures
            .iter()
            .all(|tag| value(tag, "aria-label").is_some_and(|label| label.len() > 10))
    );
    let headings: Vec<_> = of("h2").filter_map(|tag| value(tag, "id")).collect();
    let sections: Vec<_> = of("section")
        .filter_map(|tag| value(tag, "aria-labelledby"))
        .collect();
    assert_eq!(headings, sections);
}

#[test]
fn the_colours_of_the_charts_are_those_that_the_style_replaces() {
    let page = report::html(&leaks::pages());
    let colours = tags(&page).into_iter().filter(|tag| tag.name != "text");
    let colours = colours
        .flat_map(|tag| tag.attributes)
        .filter(|(name, value)| (name == "fill" || name == "stroke") && value.starts_with('#'));

    for (name, value) in colours {
        assert!(
            page.contains(&format!("svg [{name}=\"{value}\"]")),
            "{name} {value}"
        );
    }
}

/// Well formed, and nothing but what we have written ourselves.
fn assert_harmless(page: &str) {
    for tag in tags(page) {
        assert!(ELEMENTS.contains(&tag.name.as_str()), "{tag:?}");
        for (name, value) in &tag.attributes {
            let is_known = ATTRIBUTES.contains(&name.as_str()) || name == "font-size";
            assert!(is_known, "{name} of {tag:?}");
            assert!(!value.contains("url("), "{tag:?}");
        }
    }
}

fn value<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    let mut attributes = tag.attributes.iter();
    attributes
        .find(|attribute| attribute.0 == name)
        .map(|attribute| attribute.1.as_str())
}

/// An incident in which every text is this one.
fn saying(text: &str) -> Incident {
    let mut incident = leaks::pages();
    let text = || text.to_owned();
    (incident.id, incident.module, incident.name) = (text(), text(), text());
    (incident.machine.host, incident.machine.kernel) = (Some(text()), text());
    (
        incident.machine.arch,
        incident.machine.boot_id,
        incident.machine.daemon,
    ) = (text(), text(), text());
    incident.problems = vec![text()];
    for told in &mut incident.told {
        (told.text, told.severity, told.code, told.at.time) = (text(), text(), text(), text());
        told.details = vec![text()];
    }
    let comparison = incident.comparison.as_mut().unwrap();
    comparison.modules_loaded = vec![text()];
    for explanation in &mut comparison.explanations {
        (explanation.owner, explanation.source) = (text(), text());
    }
    for source in &mut comparison.sources {
        (source.file, source.tells) = (text(), text());
        source.standing = agent_core::incidents::evidence::SourceStatus::Failed { why: text() };
    }
    incident
}

#[test]
fn a_hostile_name_is_shown_as_it_is_and_not_obeyed() {
    let page = report::html(&saying("</style><script>alert('1')</script>"));

    assert_harmless(&page);
    assert!(page.contains("&lt;/style&gt;&lt;script&gt;alert('1')&lt;/script&gt;"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_text_of_others_becomes_markup(
        text in "(<|>|\"|'|&|</|<!--|-->|]]>|<script>|</style>|<svg/onload=|=|; |`|\\$\\(|\\PC){0,12}"
    ) {
        assert_harmless(&report::html(&saying(&text)));
    }

    #[test]
    fn no_number_breaks_a_page(numbers in proptest::collection::vec(any::<f64>(), 9), rows in proptest::collection::vec((any::<u64>(), any::<Option<f64>>()), 0..40)) {
        let mut incident = leaks::pages();
        for (number, new) in incident.told[0].numbers.values_mut().zip(numbers) {
            *number = new;
        }
        let (times, values) = rows.into_iter().unzip();
        incident.history.uptime_ms = times;
        incident.history.columns.insert("unaccounted_exact_bytes".to_owned(), values);

        assert_harmless(&report::html(&incident));
        prop_assert!(!report::text(&incident, 80).is_empty());
    }
}

#[test]
fn of_what_is_not_known_nothing_is_claimed() {
    let page = report::html(&bare());

    assert!(page.contains("Nothing was said about this incident yet"));
    assert!(
        !page.contains("/proc/net/sockstat"),
        "no hint where to look"
    );
    assert!(!page.contains("<svg"));
}

#[test]
fn what_a_module_of_others_reports_is_not_taken_for_lost_memory() {
    let mut incident = leaks::level();
    incident.told[0].numbers = [("temperature_celsius".to_owned(), 95.0)].into();

    let page = report::html(&incident);

    assert!(!page.contains("/proc/net/sockstat"), "{page}");
    assert!(page.contains("adaptivemmd incidents export"));
}

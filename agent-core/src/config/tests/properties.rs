//! Properties of any configuration.

use std::path::Path;

use proptest::prelude::*;

use super::{load_file, memleak, module};
use crate::config::merge::{self, Assignment, Layer};
use crate::config::{
    Content, Key, ModuleSchema, OptionSchema, Place, Settings, Value, ValueKind, convert, schema,
};

/// A module with an option of every kind, and names that need quotes.
fn motley() -> ModuleSchema {
    let option = |name: &str, default| OptionSchema {
        name: name.into(),
        default,
        range: None,
        help: String::new(),
    };
    let options = vec![
        option("on", Value::Boolean(false)),
        option("count", Value::Integer(-1)),
        option("share", Value::Float(0.5)),
        option("a \"b\".c", Value::Text("\u{7f}\n".into())),
    ];
    module("x.y z", options)
}

/// Something that a key accepts.
fn content(key: &Key) -> BoxedStrategy<Content> {
    let one = |value: Value| Content::One(value);
    let number = |range: Option<(f64, f64)>| {
        let (least, most) = range.unwrap_or((-1e18, 1e18));
        least..=most
    };
    match &key.kind {
        ValueKind::Boolean => any::<bool>()
            .prop_map(move |b| one(Value::Boolean(b)))
            .boxed(),
        #[expect(clippy::cast_possible_truncation, reason = "limits are whole")]
        ValueKind::Integer(range) => number(*range)
            .prop_map(move |n| one(Value::Integer(n as i64)))
            .boxed(),
        ValueKind::Number(range) => number(*range)
            .prop_map(move |n| one(Value::Float(n)))
            .boxed(),
        ValueKind::Text => any::<String>()
            .prop_map(move |text| one(Value::Text(text)))
            .boxed(),
        ValueKind::Path => "/[a-zé\"\\\\ ]{0,9}"
            .prop_map(move |text| one(Value::Text(text)))
            .boxed(),
        ValueKind::Choice(names) => prop::sample::select(*names)
            .prop_map(move |name| one(Value::Text(name.into())))
            .boxed(),
        ValueKind::Names => any::<Vec<String>>().prop_map(Content::Names).boxed(),
    }
}

/// Every key set to something it accepts, or not set.
fn assignments() -> impl Strategy<Value = Vec<Assignment>> {
    let keys = schema::all_keys(&[memleak(), motley()]);
    let each = |key: &Key| {
        let path = key.path();
        prop::option::of(content(key)).prop_map(move |content| {
            content.map(|content| Assignment {
                path: path.clone(),
                content,
                layer: Layer::Native,
                place: Place::command_line("test"),
            })
        })
    };
    let all: Vec<_> = keys.iter().map(each).collect();
    all.prop_map(|all| all.into_iter().flatten().collect())
}

proptest! {
    #[test]
    fn what_is_shown_loads_as_the_same_settings(assignments in assignments()) {
        let modules = [memleak(), motley()];
        let values = merge::merge(&schema::all_keys(&modules), &assignments);

        let shown = merge::show(&values);
        let again = load_file(shown.as_bytes(), "shown.toml", &modules);

        prop_assert_eq!(&again.diagnostics, &[], "{}", shown);
        prop_assert_eq!(again.settings, Settings::from_values(&values, &modules));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes: Vec<u8>) {
        read_in_every_way(&bytes);
    }

    #[test]
    fn no_line_makes_a_reader_panic(
        text in "([a-zA-Z]{1,3}|ENABLE_MEMLEAK_CHECK|VERBOSE|core|modules|memleak|config|allow|path|isolation|module-dir|/|none|process|[0-9]{1,25}|[\\[\\]{}=.,#\"'\n\r\0 _x-]|\\PC|\u{feff}){0,40}"
    ) {
        read_in_every_way(text.as_bytes());
    }
}

fn read_in_every_way(bytes: &[u8]) {
    let modules = [memleak()];
    for name in ["f.toml", "f"] {
        let loaded = load_file(bytes, name, &modules);
        let said: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
        assert!(name == "f.toml" || loaded.is_valid(), "{said:?}");
    }
    let converted = convert(bytes, Path::new("f"), &modules);
    assert!(load_file(converted.toml.as_bytes(), "f.toml", &modules).is_valid());
}

#[test]
fn an_enormous_line_is_read_and_shown_in_part() {
    let text = format!("VERBOSE=3{}", "9".repeat(200_000));

    read_in_every_way(text.as_bytes());
    read_in_every_way(&vec![b'a'; 200_000]);
}

//! Modules whose options are set by the configurations that are tried.

use agent_core::config::{ModuleSchema, OptionSchema, Value};

/// The module that is built in.
#[must_use]
pub fn memleak() -> ModuleSchema {
    module(
        "memleak",
        Some("ENABLE_MEMLEAK_CHECK"),
        vec![
            option("classic", Value::Boolean(true), None),
            option("min-growth-percent", Value::Float(1.0), Some((0.0, 100.0))),
            option("level", Value::Boolean(true), None),
            option("level-percent", Value::Float(10.0), Some((1.0, 100.0))),
        ],
    )
}

/// The modules that adaptivemm 2.1 had built in.
#[must_use]
pub fn of_adaptivemm() -> Vec<ModuleSchema> {
    let max_gap = option("max-gap-gib", Value::Float(1.0), Some((1.0, 1e6)));
    let cap = option("cap", Value::Integer(15), Some((1.0, 100.0)));
    let caching = option("prefer-object-caching", Value::Boolean(false), None);
    vec![
        memleak(),
        module("free-pages", Some("ENABLE_FREE_PAGE_MGMT"), vec![max_gap]),
        module("compaction", Some("ENABLE_COMPACTION"), vec![]),
        module("negative-dentry", Some("ENABLE_NEG_DENTRY_MGMT"), vec![cap]),
        module(
            "cache-pressure",
            Some("ENABLE_CACHE_PRESSURE_MGMT"),
            vec![caching],
        ),
    ]
}

/// A module with an option of every kind, and with names that need quotes.
#[must_use]
pub fn motley() -> ModuleSchema {
    module(
        "x.y z",
        None,
        vec![
            option("on", Value::Boolean(false), None),
            option("count", Value::Integer(-1), None),
            option("share", Value::Float(0.5), None),
            option("a \"b\".c", Value::Text("\u{7f}\n".into()), None),
        ],
    )
}

fn module(name: &str, flag: Option<&str>, options: Vec<OptionSchema>) -> ModuleSchema {
    ModuleSchema {
        name: name.into(),
        flag: flag.map(Into::into),
        enabled: true,
        description: String::new(),
        options,
    }
}

fn option(name: &str, default: Value, range: Option<(f64, f64)>) -> OptionSchema {
    OptionSchema {
        name: name.into(),
        default,
        range,
        help: String::new(),
    }
}

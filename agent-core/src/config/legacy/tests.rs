use std::path::Path;

use super::*;
use crate::config::schema::{OptionSchema, all_keys};

fn module(name: &str, flag: &str, options: &[(&str, Value)]) -> ModuleSchema {
    let option = |(name, default): &(&str, Value)| OptionSchema {
        name: (*name).into(),
        default: default.clone(),
        range: Some((1.0, 100.0)),
        help: String::new(),
    };
    ModuleSchema {
        name: name.into(),
        flag: Some(flag.into()),
        enabled: true,
        description: String::new(),
        options: options.iter().map(option).collect(),
    }
}

fn memleak() -> ModuleSchema {
    module("memleak", "ENABLE_MEMLEAK_CHECK", &[])
}

/// The settings of a file, as `PATH = VALUE`, and the headlines without the path.
fn reading(text: &str, modules: &[ModuleSchema]) -> (Vec<String>, Vec<String>) {
    let document = Document::new(Path::new("f"), text.into());
    let (settings, diagnostics) = read(&document, &all_keys(modules), modules);
    let set = |each: &Setting| format!("{} = {}", each.path(), each.content);
    (
        settings.iter().map(set).collect(),
        diagnostics.iter().map(Diagnostic::headline).collect(),
    )
}

/// The value of VERBOSE after reading a file, and the diagnostics.
fn verbosity(text: &str) -> (Option<String>, String) {
    let (mut settings, said) = reading(text, &[]);
    (settings.pop(), said.join("\n"))
}

#[test]
fn numbers_and_blanks_and_comments_are_read_as_by_the_c_program() {
    for (text, number) in [
        ("VERBOSE=0x4", Some(4)),
        ("VERBOSE=0X4", Some(4)),
        ("VERBOSE=+5", Some(5)),
        ("VERBOSE=05", Some(5)),
        ("VERBOSE=5 # c", Some(5)),
        (" \tVERBOSE = 5", Some(5)),
        ("VER BOSE=5", Some(5)),
        ("VERBOSE=5\r", Some(5)),
        ("VERBOSE=1\nVERBOSE=3", Some(3)),
        ("# \u{fffd}\nVERBOSE=4", Some(4)),
        ("# VERBOSE=5", None),
        ("  # VERBOSE = 5", None),
        ("\u{feff}# a comment", None),
    ] {
        let expected = number.map(|number| format!("core.verbosity = {number}"));
        assert_eq!(verbosity(text), (expected, String::new()), "{text:?}");
    }
}

#[test]
fn a_doubtful_value_counts_as_it_did_with_a_warning() {
    for (value, number, warning) in [
        ("5GB", 5, "this counts as 5; `GB` is ignored"),
        ("5;", 5, "this counts as 5; `;` is ignored"),
        ("1_000", 1, "this counts as 1; `_000` is ignored"),
        ("1.5", 1, "this counts as 1; `.5` is ignored"),
        ("0o10", 0, "this counts as 0; `o10` is ignored"),
        ("0b10", 0, "this counts as 0; `b10` is ignored"),
        ("2\0", 2, "this counts as 2; `\u{fffd}` is ignored"),
        ("yes", 0, "VERBOSE must be a number; `yes` counts as 0"),
        ("", 0, "VERBOSE must be a number; `nothing` counts as 0"),
        (
            "$((1))",
            0,
            "VERBOSE must be a number; `$((1))` counts as 0",
        ),
        ("\"5\"", 0, "VERBOSE must be a number; `\"5\"` counts as 0"),
        ("true", 0, "VERBOSE must be a number; `true` counts as 0"),
    ] {
        let setting = Some(format!("core.verbosity = {number}"));
        let said = format!("f:1:9: warning: {warning}");
        assert_eq!(verbosity(&format!("VERBOSE={value}")), (setting, said));
    }
}

#[test]
fn a_line_that_is_not_known_does_nothing_and_is_a_warning() {
    for (text, warning) in [
        ("\u{feff}VERBOSE=5", "unknown key `\u{feff}VERBOSE`"),
        ("export VERBOSE=5", "unknown key `exportVERBOSE`"),
        ("VERBOSITY=5", "unknown key `VERBOSITY`"),
        ("=", "unknown key ``"),
        ("VERBOSE", "this line is not KEY=VALUE"),
    ] {
        let said = format!("f:1:1: warning: {warning}");
        assert_eq!(verbosity(text), (None, said), "{text:?}");
    }
}

#[test]
fn a_number_out_of_range_is_not_used() {
    let (settings, warnings) = reading("VERBOSE=-1\nVERBOSE=6\n", &[]);

    assert_eq!(settings, [""; 0]);
    assert_eq!(
        warnings,
        [
            "f:1:1: warning: VERBOSE must be a whole number from 0 to 5, found 9223372036854775807; it is ignored",
            "f:1:9: warning: this number is out of range and counts as 18446744073709551615",
            "f:2:1: warning: VERBOSE must be a whole number from 0 to 5, found 6; it is ignored",
        ]
    );
}

#[test]
fn an_impossible_aggressiveness_is_2() {
    for number in ["0", "4", "-1", "off"] {
        let (settings, warnings) = reading(&format!("AGGRESSIVENESS={number}"), &[]);

        assert_eq!(settings, ["core.aggressiveness = 2"], "{number}");
        assert_eq!(
            warnings[0],
            "f:1:1: warning: AGGRESSIVENESS must be from 1 to 3; 2 is used"
        );
    }
}

#[test]
fn a_flag_is_on_unless_it_is_0() {
    for (value, on) in [
        ("1", true),
        ("0", false),
        ("2", true),
        ("-1", true),
        ("true", false),
    ] {
        let (settings, _) = reading(&format!("ENABLE_MEMLEAK_CHECK={value}"), &[memleak()]);

        assert_eq!(
            settings,
            [format!("modules.memleak.enabled = {on}")],
            "{value}"
        );
    }
}

#[test]
fn reading_goes_on_after_an_unknown_key() {
    let (settings, warnings) = reading("FOO=1\nENABLE_MEMLEAK_CHEK=0\nVERBOSE=2\n", &[memleak()]);

    assert_eq!(settings, ["core.verbosity = 2"]);
    let unknown = [
        "f:1:1: warning: unknown key `FOO`",
        "f:2:1: warning: unknown key `ENABLE_MEMLEAK_CHEK`",
    ];
    assert_eq!(warnings, unknown);
}

#[test]
fn settings_of_modules_that_are_not_installed_are_one_note() {
    let text =
        "ENABLE_FREE_PAGE_MGMT=0\nMAXGAP=5\nNEG-DENTRY-CAP=9\nENABLE_MEMLEAK_CHECK=1\nMAXGAP=6\n";

    let (_, notes) = reading(text, &[memleak()]);

    assert_eq!(
        notes,
        [
            "f: note: the modules of these settings are not installed: ENABLE_FREE_PAGE_MGMT, MAXGAP, NEG-DENTRY-CAP"
        ]
    );
}

#[test]
fn options_of_installed_modules_are_set_and_checked() {
    let modules = [
        module(
            "free-pages",
            "ENABLE_FREE_PAGE_MGMT",
            &[("max-gap-gib", Value::Float(1.0))],
        ),
        module(
            "negative-dentry",
            "ENABLE_NEG_DENTRY_MGMT",
            &[("cap", Value::Integer(15))],
        ),
    ];

    let (settings, warnings) = reading("MAXGAP=5\nNEG_DENTRY_CAP=101\n", &modules);

    assert_eq!(settings, ["modules.free-pages.config.max-gap-gib = 5.0"]);
    assert_eq!(
        warnings,
        [
            "f:2:1: warning: NEG_DENTRY_CAP must be a whole number from 1 to 100, found 101; it is ignored"
        ]
    );
}

#[test]
fn preferring_object_caching_switches_the_guidance_on_unless_its_flag_says_no() {
    let option = ("prefer-object-caching", Value::Boolean(false));
    let modules = [module(
        "cache-pressure",
        "ENABLE_CACHE_PRESSURE_MGMT",
        &[option],
    )];

    let (settings, _) = reading("PREFER_OBJECT_CACHING=0", &modules);
    let (with_flag, _) = reading(
        "ENABLE_CACHE_PRESSURE_MGMT=0\nPREFER_OBJECT_CACHING=1",
        &modules,
    );

    let guidance = |value| format!("modules.cache-pressure.config.prefer-object-caching = {value}");
    let (on, off) = (
        "modules.cache-pressure.enabled = true",
        "modules.cache-pressure.enabled = false",
    );
    assert_eq!(settings, [on.to_owned(), guidance("false")]);
    assert_eq!(with_flag, [on.to_owned(), off.to_owned(), guidance("true")]);
}

//! The layout of the C interface: the same in Rust and in C, and the same for ever but for what is added at
//! the end of a structure.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![expect(clippy::disallowed_methods, reason = "no kernel files in here")]

#[path = "../../tests/abi/cc.rs"]
mod cc;
#[path = "layout/dump.rs"]
mod dump;
#[path = "layout/header.rs"]
mod header;
#[path = "layout/rust.rs"]
mod rust;

use std::fs;
use std::path::{Path, PathBuf};

use adaptivemm_module_api::abi;
use dump::Layout;

const API: &str = env!("CARGO_MANIFEST_DIR");

const WHAT_TO_DO: &str = "
Modules that exist were built with the old layout. So:
  - a structure only grows at its end, and a constant keeps its value;
  - what grows needs a higher abi::MINOR and AMM_ABI_MINOR, and `since 1.x` in the header;
  - then write down the new layout, and leave those of before alone:
        NEW_LAYOUT=1 cargo test -p adaptivemm-module-api --test layout
";

fn current_header() -> PathBuf {
    Path::new(API).join("include")
}

/// What a version looked like when it was released.
fn written_down(version: &str) -> PathBuf {
    Path::new(API).join(format!("tests/layout/{version}.txt"))
}

fn frozen_versions() -> Vec<String> {
    let entries = fs::read_dir(Path::new(API).join("../tests/abi")).unwrap();
    let is_version = |name: &String| name.contains('.') && !name.contains(char::is_alphabetic);
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(is_version)
        .collect()
}

fn read(path: &Path) -> Layout {
    let text = fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}{WHAT_TO_DO}", path.display()));
    Layout::parse(&text)
}

#[test]
fn rust_and_c_agree_on_every_structure_member_and_constant() {
    let (rust, c) = (rust::layout(), header::layout(&current_header(), "current"));

    assert_eq!(
        rust.differences(&c),
        Vec::<String>::new(),
        "src/abi.rs and include/adaptivemm_module.h differ, or tests/layout/rust.rs lacks something"
    );
}

#[test]
fn the_list_of_structures_and_constants_is_complete() {
    let rust = rust::layout();

    assert_eq!(
        rust::not_listed(&rust),
        Vec::<String>::new(),
        "add them to tests/layout/rust.rs"
    );
    assert_eq!(
        rust.holes(),
        Vec::<String>::new(),
        "a member is not listed in tests/layout/rust.rs, or padding has no name"
    );
}

#[test]
#[cfg_attr(
    not(target_pointer_width = "64"),
    ignore = "what is written down has pointers of 64 bits"
)]
fn this_version_is_as_it_was_written_down() {
    let path = written_down(&format!("{}.{}", abi::MAJOR, abi::MINOR));
    let current = rust::layout();
    if std::env::var_os("NEW_LAYOUT").is_some() && !path.exists() {
        fs::write(&path, current.to_string()).unwrap();
    }

    let differences = read(&path).differences(&current);

    assert!(
        differences.is_empty(),
        "{}:\n{}\n{WHAT_TO_DO}",
        path.display(),
        differences.join("\n")
    );
}

#[test]
#[cfg_attr(
    not(target_pointer_width = "64"),
    ignore = "what is written down has pointers of 64 bits"
)]
fn the_current_version_is_every_released_one_with_appends() {
    let current = rust::layout();
    for version in frozen_versions() {
        let breaks = current.breaks(&read(&written_down(&version)));

        assert!(
            breaks.is_empty(),
            "since {version}:\n{}\n{WHAT_TO_DO}",
            breaks.join("\n")
        );
    }
}

#[test]
#[cfg_attr(
    not(target_pointer_width = "64"),
    ignore = "what is written down has pointers of 64 bits"
)]
fn a_frozen_header_still_has_the_layout_of_its_release() {
    let versions = frozen_versions();
    assert!(versions.contains(&"1.0".to_owned()), "{versions:?}");
    for version in versions {
        let directory = Path::new(API).join("../tests/abi").join(&version);
        let frozen = header::layout(&directory, &version);

        assert_eq!(
            read(&written_down(&version)).differences(&frozen),
            Vec::<String>::new(),
            "a header of a released version is never changed: {version}"
        );
    }
}

#[test]
fn a_module_of_version_1_0_has_all_that_is_required_of_it() {
    let first = read(&written_down("1.0"));
    let source = fs::read_to_string(Path::new(API).join("src/abi.rs")).unwrap();
    for line in source.lines() {
        // `versioned!(Counter, up_to value: u64);`
        let Some(rest) = line.strip_prefix("versioned!(") else {
            continue;
        };
        let (name, rest) = rest.split_once(", up_to ").unwrap();
        let (last, _) = rest.split_once(':').unwrap();
        let of_first = first.structures.get(&rust::c_type(name));

        let required = of_first.and_then(|structure| structure.members.last());
        assert!(
            required.is_none_or(|member| member.name == rust::c_member(last)),
            "{line}: version 1.0 had no such member, or it was not the last one"
        );
    }
}

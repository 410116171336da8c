//! The C header as an author's compiler sees it: nothing to complain of in any language it is for.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]
#![expect(clippy::disallowed_methods, reason = "no kernel files in here")]

#[path = "../../tests/abi/cc.rs"]
mod cc;
#[path = "../../tests/common/skip.rs"]
mod skip;

use std::fs;
use std::path::Path;

const INCLUDE: &str = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include");
/// The two languages, by compiler, and the name that GCC has for the source.
const LANGUAGES: [(&str, &str, &str); 3] = [
    ("cc", "-std=c99", "c"),
    ("cc", "-std=c11", "c"),
    ("c++", "-std=c++17", "c++"),
];

fn complaints(source: &Path) -> Vec<String> {
    let compile = |(compiler, standard, language)| {
        let arguments = [
            standard,
            "-fPIC",
            INCLUDE,
            "-fsyntax-only",
            "-Wshadow",
            "-Wcast-qual",
        ];
        let rest = ["-x", language, cc::shown(source)];
        cc::run(compiler, arguments.into_iter().chain(rest)).err()
    };
    let is_there =
        |(compiler, _, _): &(&str, &str, &str)| *compiler == "cc" || skip::has(compiler, "g++");
    LANGUAGES
        .into_iter()
        .filter(is_there)
        .filter_map(compile)
        .collect()
}

#[test]
fn the_header_alone_compiles_without_a_warning() {
    let source = cc::workshop("header-alone").join("alone.c");
    // Twice: a header may be included by several others.
    let include = "#include \"adaptivemm_module.h\"\n";
    fs::write(&source, include.repeat(2) + "int something;\n").unwrap();

    assert_eq!(complaints(&source), Vec::<String>::new());
}

#[test]
fn a_module_that_uses_every_helper_compiles_without_a_warning() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/header/every_helper.c");

    assert_eq!(complaints(&source), Vec::<String>::new());
}

#[test]
fn every_helper_is_used_by_the_module_that_claims_to() {
    let read = |path| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let (header, module) = (
        read("include/adaptivemm_module.h"),
        read("tests/header/every_helper.c"),
    );

    let macros = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define "));
    let macros = macros
        .filter_map(|definition| definition.split_once('('))
        .map(|(name, _)| name);
    let macros = macros.filter(|name| !name.contains(' '));
    let functions = header
        .lines()
        .filter_map(|line| line.strip_prefix("static inline "));
    let functions = functions.filter_map(|line| line.split('(').next()?.rsplit([' ', '*']).next());
    let unused: Vec<&str> = macros
        .chain(functions)
        .filter(|name| !module.contains(&format!("{name}(")))
        .collect();

    assert_eq!(unused, [""; 0]);
}

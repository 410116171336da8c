//! The layout that a C header describes. What is in it is read from its text, and how it lies in memory is
//! asked of a C compiler.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cc;
use crate::dump::Layout;

/// Names without a counterpart in Rust: initialisers, and what differs from compiler to compiler.
const ONLY_IN_C: [&str; 4] = ["AMM_NO_STR", "AMM_NO_SEQ", "AMM_EXPORT", "AMM_BUILT_WITH"];

/// Prints constants and members. A member is told by its type as well as by its place.
const PRELUDE: &str = r#"
#include "adaptivemm_module.h"
#include <stdio.h>
static void text(const char *name, const char *value) { printf("constant %s \"%s\"\n", name, value); }
static void number(const char *name, long long value) { printf("constant %s %lld\n", name, value); }
#define CONSTANT(c) _Generic((c), char *: text, default: number)(#c, c);
#define STRUCTURE(s) printf("structure %s size %zu align %zu\n", #s, sizeof(s), _Alignof(s));
#define MEMBER(s, m, of) printf("member %s offset %zu size %zu %s%s\n", #m, offsetof(s, m), \
    sizeof(((s *)0)->m), _Generic(((s *)0)->m, uint16_t: "u16", uint32_t: "u32", uint64_t: "u64", \
    int32_t: "i32", int64_t: "i64", double: "f64", amm_str: "amm_str", amm_seq: "amm_seq", \
    amm_value: "amm_value", default: "pointer"), of);
"#;

/// The layout that `adaptivemm_module.h` in this directory describes.
pub(crate) fn layout(directory: &Path, name: &str) -> Layout {
    let header = fs::read_to_string(directory.join("adaptivemm_module.h")).unwrap();
    let workshop = cc::workshop(&format!("layout-{name}-{:?}", std::thread::current().id()));
    let (source, binary) = (workshop.join("dump.c"), workshop.join("dump"));
    fs::write(&source, program(&header)).unwrap();
    let include = format!("-I{}", directory.display());
    cc::run(
        "cc",
        [
            "-std=c11",
            &include,
            cc::shown(&source),
            "-o",
            cc::shown(&binary),
        ],
    )
    .unwrap();
    let output = Command::new(binary).output().unwrap();
    Layout::parse(&String::from_utf8(output.stdout).unwrap())
}

fn program(header: &str) -> String {
    let mut program = format!("{PRELUDE}int main(void) {{\n");
    for name in constants(header) {
        writeln!(program, "CONSTANT({name})").unwrap();
    }
    for (name, body) in structures(header) {
        writeln!(program, "STRUCTURE({name})").unwrap();
        for (member, elements) in members(body) {
            writeln!(program, "MEMBER({name}, {member}, \"{elements}\")").unwrap();
        }
    }
    program + "return 0; }\n"
}

/// The macros that are values: no parameters, and not one of those that are only for C.
fn constants(header: &str) -> impl Iterator<Item = &str> {
    let definitions = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define "));
    let names = definitions.filter_map(|definition| definition.split(' ').next());
    names
        .filter(|name| name.starts_with("AMM_") && !name.contains('(') && !ONLY_IN_C.contains(name))
}

/// The name of every structure, and what stands between its braces.
fn structures(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header.split("typedef struct ").skip(1).map(|text| {
        let (name, rest) = text.split_once(" {\n").unwrap();
        let (body, _) = rest.split_once(&format!("\n}} {name};")).unwrap();
        (name, body)
    })
}

/// The members of a structure; of an array also what its elements are, which its comment says.
fn members(body: &str) -> Vec<(&str, String)> {
    let mut members = Vec::new();
    let mut in_comment = false;
    for line in body.lines() {
        let code = line.split("/*").next().unwrap_or_default();
        if !in_comment && is_declaration(code) {
            members.push((member_name(code), elements(line)));
        }
        in_comment = (in_comment || line.contains("/*")) && !line.contains("*/");
    }
    members
}

fn is_declaration(code: &str) -> bool {
    code.trim_end().ends_with(';')
}

fn member_name(code: &str) -> &str {
    let declared = match code.split_once("(*") {
        Some((_, function)) => function.split(')').next(),
        None => code.trim().trim_end_matches(';').rsplit([' ', '*']).next(),
    };
    declared.unwrap()
}

fn elements(line: &str) -> String {
    if !line.trim_start().starts_with("amm_seq ") {
        return String::new();
    }
    let (_, comment) = line
        .split_once("/* of ")
        .unwrap_or_else(|| panic!("of what is this an array? {line}"));
    let of = comment.split([':', ',', ';', ' ']).next().unwrap();
    format!(" of {}", if of == "uint64_t" { "u64" } else { of })
}

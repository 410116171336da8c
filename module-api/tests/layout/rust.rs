//! The layout of the Rust types.

use std::any::type_name;
use std::fs;
use std::mem::offset_of;
use std::path::Path;

use adaptivemm_module_api::abi;

use crate::dump::{Layout, Member, Structure};

/// Every structure with its members. They are named once; places, sizes and types come from the compiler.
macro_rules! structures {
    ($($type:ty { $($member:ident),* $(,)? })*) => {
        [$((c_type(type_name::<$type>()), Structure {
            size: size_of::<$type>(),
            align: align_of::<$type>(),
            members: vec![$(
                member(stringify!($member), offset_of!($type, $member), |whole: &$type| &whole.$member)
            ),*],
        })),*]
    };
}

/// Every constant with its value.
macro_rules! constants {
    ($($name:ident)*) => {
        [$((c_constant(stringify!($name)), shown(&abi::$name))),*]
    };
}

pub(crate) fn layout() -> Layout {
    let constants = constants! {
        MAGIC MAJOR MINOR ENTRY
        OK INVALID FAILED PANICKED DENIED UNSUPPORTED
        NEED_MEMINFO NEED_VMSTAT NEED_ZONEINFO NEED_BUDDYINFO NEED_HUGEPAGES NEED_NODE_MEMINFO
        TUNABLE_YIELDED SNAPSHOT_UNSTEADY
        ZONE_NO_FREE ZONE_NO_BOOST ZONE_NO_MIN ZONE_NO_LOW ZONE_NO_HIGH
        ZONE_NO_SPANNED ZONE_NO_PRESENT ZONE_NO_MANAGED ZONE_NO_CMA ZONE_NO_PER_CPU
        SEVERITY_ERROR SEVERITY_WARNING SEVERITY_NOTICE SEVERITY_INFO SEVERITY_DEBUG
        KIND_LEAK EFFECT_ENDS
        SET_TUNABLE COMPACT_NODE ACTION_COMPACT_NODE
        MAX_STATE
        BOOLEAN INTEGER FLOAT TEXT
        ENABLED_BY_DEFAULT PANIC_ABORTS
    };
    let structures = structures! {
        abi::Str { ptr, len }
        abi::Seq<u64> { ptr, len, stride }
        abi::Counter { key, value }
        abi::File { path, errno, pad, content }
        abi::Zone {
            name, node, missing, free, boost, min, low, high, spanned, present, managed, cma, per_cpu, counters,
            free_blocks,
        }
        abi::Node { id, meminfo_errno, meminfo, stats }
        abi::Hugepages { size, count }
        abi::Tunable { name, value, original, flags, errno }
        abi::Snapshot {
            struct_size, flags, scan, uptime_ns, period_ns, page_size, meminfo, vmstat, zones, nodes, hugepages,
            tunables, files,
        }
        abi::Number { name, value }
        abi::Finding { struct_size, severity, verbosity, kind, code, text, details, numbers, incident, effect, pad }
        abi::Request { struct_size, kind, tunable, value, node, pad, reason, details, numbers }
        abi::Problem { struct_size, pad, key, text }
        abi::Sink { struct_size, pad, context, finding, request, metric, status, problem, keep }
        abi::Value { integer, float, text }
        abi::OptionDeclaration { name, kind, pad, default, min, max, help }
        abi::Setting { name, kind, pad, value }
        abi::Config { struct_size, pad, settings, state }
        abi::Declaration {
            struct_size, flags, needs_minor, pad, name, version, description, flag, needs, writes, options, create,
            scan, destroy,
        }
        abi::ModuleSet { struct_size, magic, major, minor, count, declarations, built_with }
        abi::Host { struct_size, magic, major, minor, pad, version }
    };
    Layout {
        constants: constants.into(),
        structures: structures.into(),
    }
}

/// What the source of the interface defines and the layout lacks.
pub(crate) fn not_listed(layout: &Layout) -> Vec<String> {
    let source =
        |file| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let text = source("src/abi.rs") + &source("src/abi/lent.rs");
    let name = |line: &str, after: &str| {
        let rest = line.strip_prefix(after)?;
        Some(rest.split([' ', ':', '<']).next()?.to_owned())
    };
    let constants = text.lines().filter_map(|line| name(line, "pub const "));
    // Not a constant of the interface but a function of this crate.
    let constants = constants.filter(|constant| constant != "fn");
    let structures = text.lines().filter_map(|line| name(line, "pub struct "));
    let constants = constants.filter(|name| !layout.constants.contains_key(&c_constant(name)));
    let structures = structures.filter(|name| !layout.structures.contains_key(&c_type(name)));
    constants.chain(structures).collect()
}

fn member<T, F>(name: &str, offset: usize, _: fn(&T) -> &F) -> Member {
    Member {
        name: c_member(name),
        offset,
        size: size_of::<F>(),
        kind: kind(type_name::<F>()),
    }
}

/// How the layout names a type.
fn kind(name: &str) -> String {
    if let Some((_, element)) = name.split_once("::Seq<") {
        return format!("amm_seq of {}", kind(element.trim_end_matches('>')));
    }
    match name {
        "usize" => "u64".to_owned(),
        "u16" | "u32" | "u64" | "i32" | "i64" | "f64" => name.to_owned(),
        name if name.starts_with("adaptivemm_module_api::abi::") => c_type(name),
        name if name.starts_with(['*']) || name.starts_with("core::option::Option<") => {
            "pointer".to_owned()
        }
        name => panic!("no member of the interface has the type {name}"),
    }
}

/// `some::path::OptionDeclaration` is `amm_option_declaration`, whatever it is a generic of.
pub(crate) fn c_type(name: &str) -> String {
    let path = name.split('<').next().unwrap();
    let mut c_name = "amm".to_owned();
    for letter in path.rsplit("::").next().unwrap().chars() {
        if letter.is_ascii_uppercase() {
            c_name.push('_');
        }
        c_name.push(letter.to_ascii_lowercase());
    }
    c_name
}

/// With an underscore what is a word of C, or a macro of its library.
pub(crate) fn c_member(name: &str) -> String {
    let is_taken = ["default", "float", "errno"].contains(&name);
    format!("{name}{}", if is_taken { "_" } else { "" })
}

fn c_constant(name: &str) -> String {
    match name {
        "MAJOR" | "MINOR" => format!("AMM_ABI_{name}"),
        name => format!("AMM_{name}"),
    }
}

/// Numbers and strings as the C program shows them.
fn shown(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

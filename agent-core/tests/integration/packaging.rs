//! What packages install and say is what there is: a module, a file or a tunable that is added later must not be
//! forgotten there, as nobody notices until somebody misses it.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use std::fs;
use std::path::Path;

use agent_core::kernel::tunables::KNOBS;

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const UNIT: &str = "conf/systemd/adaptivemmd.service";
const RULES: &str = "conf/packaging/debian/rules";
const CONTROL: &str = "conf/packaging/debian/control";
const SPEC: &str = "conf/packaging/adaptivemm.spec";

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(TOP).join(path)).unwrap()
}

/// The names in a directory.
fn names(path: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(Path::new(TOP).join(path))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn has_line(path: &str, line: &str) {
    let text = text(path);
    assert!(
        text.lines().any(|each| each == line),
        "{path} has no line {line:?}"
    );
}

fn names_it(path: &str, words: &str) {
    assert!(text(path).contains(words), "{path} does not name {words:?}");
}

#[test]
fn every_module_can_be_linked_in_or_be_a_package_of_its_own() {
    let modules = names("modules");
    assert!(modules.len() >= 5, "{modules:?}");

    has_line(RULES, &format!("MODULES := {}", modules.join(" ")));
    for module in &modules {
        let macro_name = module.replace('-', "_");
        has_line(CONTROL, &format!("Package: adaptivemm-module-{module}"));
        has_line(
            CONTROL,
            &format!(
                "Build-Profiles: <pkg.adaptivemm.loadable> <pkg.adaptivemm.loadable-{module}>"
            ),
        );
        has_line(SPEC, &format!("%package module-{module}"));
        has_line(SPEC, &format!("%files module-{module}"));
        has_line(SPEC, &format!("%bcond_with loadable_{macro_name}"));
        has_line(SPEC, &format!("%bcond_without loadable_{macro_name}"));
        names_it(SPEC, &format!("Recommends:     %{{name}}-module-{module}"));
        has_line(SPEC, &format!("%global linked %{{?linked}} {module}"));
        // Its page goes with it, and so changes packages in an upgrade.
        let page = format!("%{{_mandir}}/man7/adaptivemmd-{module}.7*");
        let linked = format!("%if %{{without loadable_{macro_name}}}\n{page}\n");
        assert_eq!(
            text(SPEC).matches(&format!("{page}\n")).count(),
            2,
            "{page}"
        );
        names_it(SPEC, &linked);
        has_line(
            SPEC,
            &format!(
                "%{{!?with_loadable_{macro_name}:Obsoletes:      %{{name}}-module-{module} < %{{version}}-%{{release}}}}"
            ),
        );
        // Where its settings begin, which its package takes from there.
        has_line("conf/adaptivemmd.toml", &format!("#[modules.{module}]"));
    }
    has_line(RULES, "page = modules/$(1)/man/adaptivemmd-$(1).7");
    let replaced = text(CONTROL).matches("\nReplaces: adaptivemm\n").count();
    assert_eq!(replaced, modules.len());
    has_line(CONTROL, "Replaces: ${modules:Replaces}");
}

#[test]
fn packages_have_the_version_of_the_program() {
    let version = env!("CARGO_PKG_VERSION");

    names_it(
        "conf/packaging/debian/changelog",
        &format!("adaptivemm ({version}-"),
    );
    has_line(SPEC, &format!("Version:        {version}"));
}

#[test]
fn packages_provide_the_interface_of_the_header() {
    let header = text("module-api/include/adaptivemm_module.h");
    let major = header
        .lines()
        .find_map(|line| line.strip_prefix("#define AMM_ABI_MAJOR "))
        .unwrap();

    has_line(
        CONTROL,
        &format!("Provides: adaptivemmd-module-abi-{major}"),
    );
    names_it(RULES, &format!("adaptivemmd-module-abi-{major}"));
    has_line(SPEC, &format!("%global module_abi {major}"));
    has_line(
        "conf/packaging/adaptivemmd.pc.in",
        &format!("module_abi={major}"),
    );
    names_it(
        "conf/packaging/adaptivemmd.attr",
        &format!("adaptivemmd-module-abi({major})"),
    );
}

#[test]
fn packages_install_all_that_is_written_for_them() {
    let directories = ["conf/man", "conf/completions", "conf/journald"];
    let mut files: Vec<String> = directories
        .iter()
        .flat_map(|directory| {
            names(directory)
                .into_iter()
                .map(move |name| format!("{directory}/{name}"))
        })
        .collect();
    files.push("module-api/include/adaptivemm_module.h".to_owned());
    let debian: String = names("conf/packaging/debian")
        .iter()
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|kind| kind == "install" || kind == "manpages")
        })
        .map(|name| text(&format!("conf/packaging/debian/{name}")))
        .collect();
    let spec = text(SPEC);

    for file in &files {
        assert!(debian.contains(file), "debian does not install {file}");
        assert!(spec.contains(file), "{SPEC} does not install {file}");
    }
}

#[test]
fn packages_bring_the_service_of_every_init_system() {
    let debian = ["rules", "adaptivemm.examples"]
        .map(|name| text(&format!("conf/packaging/debian/{name}")))
        .concat();
    let spec = text(SPEC);

    for file in names("conf/init") {
        let path = format!("conf/init/{file}");
        assert!(debian.contains(&path), "debian does not have {path}");
    }
    assert!(spec.contains("conf/init"), "{SPEC} does not have conf/init");
}

#[test]
fn the_sandbox_of_the_service_lets_it_write_to_every_tunable_and_to_its_directories() {
    for knob in KNOBS {
        has_line(UNIT, &format!("ReadWritePaths=-{}", knob.path));
    }
    has_line(UNIT, "ReadWritePaths=-/proc/sys/vm/compact_memory");
    has_line(UNIT, "ReadWritePaths=-/sys/devices/system/node");
    // Other tests see to it that these are the defaults.
    let shipped = "conf/adaptivemmd.toml";
    has_line(shipped, "#runtime-dir = \"/run/adaptivemmd\"");
    has_line(UNIT, "RuntimeDirectory=adaptivemmd");
    has_line(shipped, "#state-dir = \"/var/lib/adaptivemmd\"");
    has_line(UNIT, "StateDirectory=adaptivemmd");
}

//! Files that are no library, and libraries that hold no set of modules.

use std::fs;

use crate::loading::place::{Place, Switch, set_mode};

/// A module with one thing wrong is refused for this reason.
#[track_caller]
fn refused(test: &str, switches: &[Switch<'_>], reason: &str) {
    let place = Place::new(test);
    let file = place.install("bad.so", switches);

    place.assert_refused(&file, reason);
}

#[test]
fn a_good_module_is_taken() {
    let place = Place::new("good");
    place.install("good.so", &[]);

    assert_eq!(
        (place.loaded(), place.refused()),
        (vec!["variant".to_owned()], vec![])
    );
}

#[test]
fn a_set_without_our_magic_is_refused() {
    refused(
        "magic",
        &[("MAGIC", "0x12345678")],
        "its adaptivemm_module_entry does not return a module set (magic 0x12345678)",
    );
}

#[test]
fn a_set_of_another_major_version_is_refused_with_both_versions() {
    // It may look as it likes beyond its first 16 bytes.
    refused(
        "major",
        &[("MAJOR", "2"), ("SET_SIZE", "16"), ("DECLARATIONS", "NULL")],
        "it was made for version 2.0 of the module interface, this daemon has 1.0: a build of it for version 1 \
         is needed",
    );
}

#[test]
fn an_entry_that_returns_nothing_declines() {
    refused(
        "declines",
        &[("SET", "NULL")],
        "it declines to work with this daemon, which has version 1.0 of the module interface",
    );
}

#[test]
fn a_set_that_is_cut_off_is_refused() {
    refused(
        "short-set",
        &[("SET_SIZE", "16")],
        "its module set is only 16 bytes long; its struct_size is wrong",
    );
}

#[test]
fn a_set_without_pointers_is_refused() {
    refused(
        "no-declarations",
        &[("DECLARATIONS", "NULL")],
        "the pointer to the declarations of its module set is null",
    );
}

#[test]
fn a_set_with_a_null_pointer_among_its_modules_is_refused() {
    refused(
        "null-declaration",
        &[("LISTED", "&declaration,NULL"), ("COUNT", "2")],
        "the pointer to module 1 of its module set is null",
    );
}

#[test]
fn a_declaration_that_is_cut_off_is_refused() {
    refused(
        "short-declaration",
        &[("DECLARATION_SIZE", "40")],
        "its module declaration is only 40 bytes long; its struct_size is wrong",
    );
}

#[test]
fn an_empty_set_is_refused() {
    refused("empty", &[("COUNT", "0")], "it holds no module");
}

#[test]
fn too_many_modules_are_refused() {
    refused(
        "too-many",
        &[("COUNT", "65")],
        "it holds 65 modules, at most 64 are taken",
    );
}

#[test]
fn a_library_without_our_symbol_is_refused() {
    let place = Place::new("no-symbol");
    let file = place.install("bad.so", &[("NO_ENTRY", "")]);

    let shown = file.display();
    place.assert_refused(
        &file,
        &format!(
            "it is no module of adaptivemmd, as it has no symbol adaptivemm_module_entry ({shown}: undefined \
             symbol: adaptivemm_module_entry)"
        ),
    );
}

#[test]
fn a_file_that_is_no_library_is_refused() {
    let place = Place::new("no-elf");
    let file = place.path("modules/bad.so");
    fs::write(
        &file,
        "#!/bin/sh\necho this is no library, however long it is\n".repeat(10),
    )
    .unwrap();
    set_mode(&file, 0o644);

    let reason = format!(
        "it cannot be loaded: {}: invalid ELF header",
        file.display()
    );
    place.assert_refused(&file, &reason);
}

#[test]
fn an_empty_file_is_refused() {
    let place = Place::new("empty-file");
    let file = place.path("modules/bad.so");
    fs::write(&file, "").unwrap();
    set_mode(&file, 0o644);

    let reason = format!("it cannot be loaded: {}: file too short", file.display());
    place.assert_refused(&file, &reason);
}

#[test]
fn a_module_that_needs_a_library_that_is_not_there_is_refused() {
    let place = Place::new("no-library");
    let needed = place.build("libneeded.so", &[]);
    // The compiler links with a file that it is given by its path.
    let file = place.build("modules/bad.so", &[("ANOTHER", "AMM_S(\"needy\")")]);
    crate::cc::run(
        "cc",
        [
            "-shared",
            "-Wl,--no-as-needed",
            "-o",
            crate::cc::shown(&file),
            crate::cc::shown(&needed),
        ],
    )
    .unwrap();
    set_mode(&file, 0o755);
    fs::remove_file(&needed).unwrap();

    let reason = format!(
        "it cannot be loaded: {}: cannot open shared object file: No such file or directory",
        needed.display()
    );
    place.assert_refused(&file, &reason);
}

#[test]
fn a_module_with_a_function_that_nobody_defines_is_refused() {
    let place = Place::new("undefined");
    let file = place.install(
        "bad.so",
        &[(
            "SCANNING",
            "extern void nobody_has_it(void); nobody_has_it()",
        )],
    );

    let reason = format!(
        "it cannot be loaded: {}: undefined symbol: nobody_has_it",
        file.display()
    );
    place.assert_refused(&file, &reason);
}

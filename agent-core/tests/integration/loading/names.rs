//! Several modules in a file, and several files for a name.

use crate::loading::place::Place;

const TWO: [(&str, &str); 2] = [("ANOTHER", "AMM_S(\"another\")"), ("COUNT", "2")];

#[test]
fn two_modules_in_one_file_are_both_taken() {
    let place = Place::new("two");
    place.install("two.so", &TWO);

    let mut daemon = place.daemon();
    let started = daemon.take_said().pop().unwrap();

    assert_eq!(place.loaded(), ["another", "variant"]);
    assert!(started.ends_with("modules: another, variant"), "{started}");
}

#[test]
fn of_two_modules_of_one_name_in_a_file_the_first_counts() {
    let place = Place::new("same-name");
    let file = place.install(
        "two.so",
        &[("ANOTHER", "AMM_S(\"variant\")"), ("COUNT", "2")],
    );

    let file = file.display();
    let refusal = (
        format!("variant of {file}"),
        format!("the module of the same name in {file} is used"),
    );
    assert_eq!(
        (place.loaded(), place.refused()),
        (vec!["variant".to_owned()], vec![refusal])
    );
}

#[test]
fn of_two_files_with_a_module_of_one_name_the_first_counts() {
    let place = Place::new("two-files");
    let first = place.install("a.so", &[("VERSION", "\"2\"")]);
    let second = place.install("b.so", &[]);

    let refusal = (
        format!("variant of {}", second.display()),
        format!("the module of the same name in {} is used", first.display()),
    );
    assert_eq!(
        (place.loaded(), place.refused()),
        (vec!["variant".to_owned()], vec![refusal])
    );
}

#[test]
fn a_file_that_is_named_is_used_instead_of_one_in_the_module_directory() {
    let place = Place::new("named-first");
    let other = place.install("a.so", &[("VERSION", "\"2\"")]);
    place.make_directory("elsewhere");
    let named = place.build("elsewhere/variant.so", &[]);
    place.name("variant", &named);

    let refusal = (
        format!("variant of {}", other.display()),
        format!("the module of the same name in {} is used", named.display()),
    );
    assert_eq!(
        (place.loaded(), place.refused()),
        (vec!["variant".to_owned()], vec![refusal])
    );
}

#[test]
fn a_file_of_the_module_directory_may_be_named_too() {
    let place = Place::new("named-twice");
    let file = place.install("two.so", &TWO);
    place.name("variant", &file);

    let isolation: Vec<_> = place.listed_json()["modules"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|module| module["origin"] == "file")
        .map(|module| format!("{} {}", module["name"], module["isolation"]))
        .collect();

    assert_eq!(
        (isolation, place.refused()),
        (
            vec![
                "\"another\" \"none\"".to_owned(),
                "\"variant\" \"none\"".to_owned()
            ],
            vec![]
        )
    );
}

#[test]
fn a_file_that_was_named_for_another_module_is_refused() {
    let place = Place::new("other-name");
    place.make_directory("elsewhere");
    let file = place.build("elsewhere/two.so", &TWO);
    place.name("third", &file);

    place.assert_refused(
        &file,
        "it does not hold the module third, only variant, another",
    );
}

#[test]
fn of_a_file_that_was_named_for_one_module_only_that_is_taken() {
    let place = Place::new("one-of-two");
    place.make_directory("elsewhere");
    let file = place.build("elsewhere/two.so", &TWO);
    place.name("another", &file);

    assert_eq!(
        (place.loaded(), place.refused()),
        (vec!["another".to_owned()], vec![])
    );
}

#[test]
fn of_however_many_files_all_are_looked_at() {
    let place = Place::new("many");
    let first = place.install("00.so", &[]);
    for number in 1..70 {
        let copy = place.path(&format!("modules/{number:02}.so"));
        std::fs::copy(&first, copy).unwrap();
    }

    assert_eq!((place.loaded().len(), place.refused().len()), (1, 69));
}

#[test]
fn what_does_not_end_in_so_or_is_hidden_is_not_looked_at() {
    let place = Place::new("not-so");
    place.install(".hidden.so", &[]);
    place.install("variant.so.new", &[]);
    place.install("README", &[]);

    assert_eq!((place.loaded(), place.refused()), (vec![], vec![]));
}

#[test]
fn there_need_be_no_module_directory() {
    let place = Place::new("no-directory");
    std::fs::remove_dir(place.path("modules")).unwrap();

    assert_eq!((place.loaded(), place.refused()), (vec![], vec![]));
}

#[test]
fn a_module_directory_that_is_none_is_told() {
    let place = Place::new("no-such-directory");
    std::fs::remove_dir(place.path("modules")).unwrap();
    std::fs::write(place.path("modules"), "").unwrap();

    place.assert_refused(
        &place.path("modules"),
        "cannot read the module directory: Not a directory (os error 20)",
    );
}

#[cfg(feature = "memleak")]
#[test]
fn a_module_that_is_linked_in_beats_one_in_a_file_and_it_says_so() {
    let place = Place::new("linked-in");
    let built = std::env::current_exe()
        .unwrap()
        .with_file_name("libmemleak.so");
    let file = place.path("modules/memleak.so");
    std::fs::copy(built, &file).unwrap();
    crate::loading::place::set_mode(&file, 0o755);

    let mut daemon = place.daemon();
    let said = daemon.take_said();
    let output = place.command(&["modules", "--json"]).output().unwrap();

    let note = format!(
        "module memleak of {} is ignored: a module of this name is linked in",
        file.display()
    );
    assert!(
        said[0].ends_with(&format!("notice  core: {note}")),
        "{said:?}"
    );
    assert_eq!(
        crate::loading::place::stderr(&output),
        format!("adaptivemmd: {note}\n")
    );
    assert_eq!((place.loaded(), place.refused()), (vec![], vec![]));
}

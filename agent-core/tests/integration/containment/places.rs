//! Where these tests have their modules: a clone that is unfit is told in a moment, not by the time that a module is waited for.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::cc::places::{fit_directory, unfit};

#[test]
fn a_directory_that_others_can_write_to_is_unfit_and_so_is_all_that_is_in_it() {
    let directory = tempfile::tempdir_in(fit_directory()).unwrap();
    let inside = directory.path().join("inside");
    fs::create_dir(&inside).unwrap();
    let set =
        |mode| fs::set_permissions(directory.path(), fs::Permissions::from_mode(mode)).unwrap();
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o755)).unwrap();

    set(0o775);
    let reason = unfit(&inside);
    set(0o755);

    let expected = format!(
        "{} can be written by others (mode 0775)",
        directory.path().display()
    );
    assert_eq!(reason, Some(expected));
    assert_eq!(unfit(&inside), None);
}

#[test]
fn nothing_below_tmp_is_fit() {
    let directory = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();

    let reason = unfit(directory.path()).unwrap();

    assert!(
        reason.starts_with("/tmp can be written by others"),
        "{reason}"
    );
}

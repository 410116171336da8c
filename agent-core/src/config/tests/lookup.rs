//! The order in which several files count.

use super::{load_tree, tree};

const V1: Option<&str> = Some("[core]\nverbosity = 1\n");
const V2: Option<&str> = Some("[core]\nverbosity = 2\n");
const LEGACY_3: Option<&str> = Some("VERBOSE=3\n");
const EMPTY: Option<&str> = Some("");
const NULL: Option<&str> = None;

const ETC: &str = "etc/adaptivemmd/adaptivemmd.toml";
const RUN: &str = "run/adaptivemmd/adaptivemmd.toml";
const LOCAL: &str = "usr/local/lib/adaptivemmd/adaptivemmd.toml";
const USR: &str = "usr/lib/adaptivemmd/adaptivemmd.toml";
const ETC_10: &str = "etc/adaptivemmd/adaptivemmd.toml.d/10.toml";
const ETC_50: &str = "etc/adaptivemmd/adaptivemmd.toml.d/50.toml";
const RUN_50: &str = "run/adaptivemmd/adaptivemmd.toml.d/50.toml";
const USR_10: &str = "usr/lib/adaptivemmd/adaptivemmd.toml.d/10.toml";
const USR_50: &str = "usr/lib/adaptivemmd/adaptivemmd.toml.d/50.toml";
const HIDDEN: &str = "etc/adaptivemmd/adaptivemmd.toml.d/.50.toml";
const BACKUP: &str = "etc/adaptivemmd/adaptivemmd.toml.d/50.toml~";
const SYSCONFIG: &str = "etc/sysconfig/adaptivemmd";
const DEFAULT: &str = "etc/default/adaptivemmd";

/// The verbosity that results from these files; 0 if none of them counts.
fn verbosity(files: &[(&str, Option<&str>)]) -> u8 {
    let loaded = load_tree(&tree(files));
    assert!(loaded.is_valid(), "{files:?}");
    loaded.settings.core.verbosity
}

#[test]
fn the_main_file_is_the_first_there_is() {
    assert_eq!(verbosity(&[(ETC, V1), (RUN, V2)]), 1);
    assert_eq!(verbosity(&[(RUN, V1), (LOCAL, V2)]), 1);
    assert_eq!(verbosity(&[(LOCAL, V1), (USR, V2)]), 1);
    assert_eq!(verbosity(&[(USR, V1)]), 1);
}

#[test]
fn an_empty_file_or_a_null_link_masks() {
    assert_eq!(verbosity(&[(ETC, EMPTY), (USR, V1)]), 0);
    assert_eq!(verbosity(&[(ETC, NULL), (USR, V1)]), 0);
    assert_eq!(verbosity(&[(ETC_50, EMPTY), (USR_50, V1)]), 0);
    assert_eq!(verbosity(&[(RUN_50, NULL), (USR_50, V1)]), 0);
}

#[test]
fn drop_ins_count_even_if_the_main_file_is_masked() {
    assert_eq!(verbosity(&[(ETC, NULL), (USR, V1), (USR_50, V2)]), 2);
}

#[test]
fn drop_ins_overrule_the_main_file_and_each_other_by_name() {
    assert_eq!(verbosity(&[(ETC, V1), (ETC_50, V2)]), 2);
    assert_eq!(verbosity(&[(ETC_10, V1), (RUN_50, V2)]), 2);
    assert_eq!(verbosity(&[(USR_10, V1), (USR_50, V2)]), 2);
}

#[test]
fn of_equal_names_the_first_directory_counts() {
    assert_eq!(verbosity(&[(RUN_50, V1), (USR_50, V2)]), 1);
    assert_eq!(verbosity(&[(ETC_50, V1), (RUN_50, V2)]), 1);
}

#[test]
fn hidden_files_and_backups_are_not_read() {
    assert_eq!(verbosity(&[(HIDDEN, V1), (BACKUP, V2)]), 0);
}

#[test]
fn the_legacy_file_stands_between_the_package_and_the_administrator() {
    assert_eq!(
        verbosity(&[(USR, V1), (USR_50, V2), (SYSCONFIG, LEGACY_3)]),
        3
    );
    assert_eq!(verbosity(&[(RUN, V1), (SYSCONFIG, LEGACY_3)]), 1);
    assert_eq!(verbosity(&[(ETC_10, V1), (SYSCONFIG, LEGACY_3)]), 1);
}

#[test]
fn the_administrator_overrules_the_package_whatever_the_names() {
    assert_eq!(verbosity(&[(ETC_10, V1), (USR_50, V2)]), 1);
    assert_eq!(verbosity(&[(ETC, V1), (USR_50, V2)]), 1);
}

#[test]
fn sysconfig_comes_before_default() {
    assert_eq!(verbosity(&[(DEFAULT, LEGACY_3)]), 3);
    assert_eq!(
        verbosity(&[(SYSCONFIG, LEGACY_3), (DEFAULT, Some("VERBOSE=1"))]),
        3
    );
}
